package templates

import (
	"encoding/base64"
	"html/template"
	"time"

	"bgremover.pro/core/cutout"
)

// OperatorStatus is the state of the server.
type OperatorStatus struct {
	Site, Address                      string // of the public site
	Version, Revision, Go              string
	Up                                 time.Duration
	NotReady                           string // the reason; empty if ready
	Working, Workers, Waiting, Waiters int
	Backend, Device, Model             string
	Degraded                           bool // Redis is configured but does not respond
	Todo                               []string
}

// OperatorEvents is what happened lately.
type OperatorEvents struct {
	Photos   []OperatorHit // of today, by outcome
	Refused  []OperatorHit
	Failures []OperatorFailure
	Actions  []OperatorAction
}

// OperatorFailure is a request that failed and was the server's fault. It holds nothing
// of the visitor: no picture, file name or address.
type OperatorFailure struct {
	Time    time.Time `json:"time"`
	Request string    `json:"request"` // as in the log, and in the answer's X-Request-ID
	Route   string    `json:"route"`
	Status  int       `json:"status"`
	Code    string    `json:"code"`
	Cause   string    `json:"cause"`
}

// OperatorAction is something that the operator did.
type OperatorAction struct {
	Time   time.Time `json:"time"`
	What   string    `json:"action"`
	Failed bool      `json:"failed,omitempty"`
}

// OperatorCharts are the charts of one span of time.
type OperatorCharts struct {
	Span, Title string
	Spans       []string // to choose from
	Charts      []OperatorChart
}

// OperatorChart is one chart, with its own coordinates.
type OperatorChart struct {
	Title         string
	Width, Height float64
	Top, Middle   string // what these heights stand for; the bottom is 0
	MiddleY       float64
	Unit          string  // "number", "seconds" or "bytes"
	Value         float64 // what the top stands for
	From, To      int64   // seconds since 1970
	Format        string  // of times: the span
	Ticks         []OperatorTick
	Lines         []OperatorLine
	Rows          []OperatorChartRow // the same as a table
}

// OperatorTick is a time on the axis.
type OperatorTick struct {
	X, Percent float64
	Time       string
}

// OperatorChartRow is a row of a chart's table, with a value of each line.
type OperatorChartRow struct {
	Time   string
	Values []string
}

// OperatorLine is one curve.
type OperatorLine struct {
	Name string
	Path string // SVG path data
	Now  string // the latest value
}

// OperatorMessage is the outcome of an action; empty if there was none.
type OperatorMessage struct {
	Text   string
	Failed bool
}

// OperatorBackends is the table of backends, from which one is chosen.
type OperatorBackends struct {
	Notice OperatorNotice
	Choice string // what is configured: a name or "auto"
	Unkept OperatorUnkept
	Rows   []cutout.BackendStatus
}

// OperatorNotice is an outcome that stays until it is dismissed, or what is in progress.
type OperatorNotice struct {
	Number  int // of this notice; 0: there is none
	Text    string
	Failed  bool
	Pending bool
	Stops   bool          // it can be stopped
	For     time.Duration // in progress
	// Done and Total are bytes; Total is 0 if unknown.
	Done, Total int64
	Lines       []string // what it wrote
}

// OperatorModels is the table of models; empty where none can be installed.
type OperatorModels struct {
	Notice OperatorNotice
	Rows   []cutout.ModelStatus
	Unkept OperatorUnkept
}

// OperatorUnkept is a choice that ends with the next start, and the line of the settings
// file that would keep it.
type OperatorUnkept struct{ Key, Panel, Line string }

// OperatorModelRows are some of its rows.
type OperatorModelRows struct {
	Rows []cutout.ModelStatus
	Busy bool // something is in progress
}

// Installed are the models and runtimes that are installed.
func (m OperatorModels) Installed() OperatorModelRows { return m.that(true) }

// Missing are those that are not.
func (m OperatorModels) Missing() OperatorModelRows { return m.that(false) }

func (m OperatorModels) that(installed bool) OperatorModelRows {
	some := OperatorModelRows{Busy: m.Notice.Pending}
	for _, row := range m.Rows {
		if row.Installed == installed {
			some.Rows = append(some.Rows, row)
		}
	}
	return some
}

// OperatorTry is the form for test photos and checks, with the latest check.
type OperatorTry struct {
	On               bool
	Backends, Models []string
	Backend, Model   string // of the latest trial
	Trial            *OperatorTrial
	Check            OperatorCheck
}

// OperatorTrial is the outcome of a test photo.
type OperatorTrial struct {
	Message OperatorMessage
	cutout.Trial
}

// Source is the picture itself, as an address.
func (t OperatorTrial) Source() template.URL {
	return template.URL("data:" + t.MediaType + ";base64," + base64.StdEncoding.EncodeToString(t.Picture)) //nolint:gosec // our own picture
}

// OperatorCheck is the latest check of a backend.
type OperatorCheck OperatorNotice
