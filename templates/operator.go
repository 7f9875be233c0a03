package templates

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io"

	"bgremover.pro/templates/texts"
)

//go:embed operator
var operatorFiles embed.FS

// Operator is the operator's page. Its parts are also fragments of their own.
type Operator struct {
	Status   OperatorStatus
	Charts   OperatorCharts
	Events   OperatorEvents
	Backends OperatorBackends
	Models   OperatorModels
	Try      OperatorTry
	Limits   OperatorLimits
	Devices  OperatorDevices
	Log      OperatorLog
	Config   OperatorConfig
}

// OperatorView is a part of the operator's page, or all of it.
type OperatorView interface{ operator() string }

func (Operator) operator() string         { return "page" }
func (OperatorStatus) operator() string   { return "status" }
func (OperatorCharts) operator() string   { return "charts" }
func (OperatorEvents) operator() string   { return "events" }
func (OperatorBackends) operator() string { return "backends" }
func (OperatorModels) operator() string   { return "models" }
func (OperatorTrial) operator() string    { return "trial" }
func (OperatorCheck) operator() string    { return "check" }
func (OperatorLimits) operator() string   { return "limits" }
func (OperatorPreview) operator() string  { return "preview" }
func (OperatorDevices) operator() string  { return "devices" }
func (OperatorLog) operator() string      { return "log" }
func (OperatorConfig) operator() string   { return "config" }

// OperatorSet is the operator's templates, parsed.
type OperatorSet struct{ parsed *template.Template }

// NewOperator parses them. asset gives the address of a file in static.
func NewOperator(asset func(name string) string) (*OperatorSet, error) {
	parsed, err := template.New("operator").Funcs(functions(texts.English, asset, "")).Option("missingkey=error").ParseFS(operatorFiles, "operator/*.html")
	if err != nil {
		return nil, fmt.Errorf("templates: %w", err)
	}
	return &OperatorSet{parsed}, nil
}

// Render writes the view; if its template fails, nothing was written.
func (s *OperatorSet) Render(w io.Writer, view OperatorView) error {
	var page bytes.Buffer
	if err := s.parsed.ExecuteTemplate(&page, view.operator()+".html", view); err != nil {
		return fmt.Errorf("templates: %w", err)
	}
	_, err := page.WriteTo(w)
	return err
}
