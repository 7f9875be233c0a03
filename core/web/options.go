package web

import (
	"regexp"
	"slices"
	"strings"

	"bgremover.pro/core/cutout"
)

// optionNames are the API's options, in the query or as form fields.
var optionNames = []string{"mode", "format", "output", "edges", "background", "crop", "shadow", "keep", "remove", "depth", "model", "backend"}

// plainName is the form of a model's or a backend's name.
var plainName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// options reads the options of a submission; values are its fields and, for the
// API, the query.
func (sub *submission) options(values map[string]string, strict bool) (cutout.Options, error) {
	o, err := parseOptions(values, strict)
	if len(sub.behind) > 0 {
		o.Background = &cutout.Background{Picture: sub.behind}
	}
	return o, err
}

// parseOptions reads a visitor's options; absent and empty mean the default.
// strict refuses names that are not options: a program's typing error would
// otherwise go unnoticed.
func parseOptions(values map[string]string, strict bool) (cutout.Options, error) {
	var o cutout.Options
	if strict {
		for name := range values {
			if !slices.Contains(optionNames, name) {
				return o, cutout.Errorf(cutout.Invalid, "Unknown option; the options are: %s", strings.Join(optionNames, ", "))
			}
		}
	}
	var err error
	read := func(parse func(string) error, name string) {
		if err == nil {
			err = parse(values[name])
		}
	}
	read(into(&o.Mode, cutout.ParseMode), "mode")
	read(into(&o.Format, cutout.ParseFormat), "format")
	read(into(&o.Output, cutout.ParseOutput), "output")
	read(into(&o.Edges, cutout.ParseEdges), "edges")
	read(into(&o.Background, cutout.ParseBackground), "background")
	read(into(&o.Crop, cutout.ParseCrop), "crop")
	read(into(&o.Shadow, cutout.ParseShadow), "shadow")
	read(into(&o.Keep, parsePoints("keep")), "keep")
	read(into(&o.Remove, parsePoints("remove")), "remove")
	read(into(&o.Depth, parseDepth), "depth")
	read(into(&o.Model, parseName("model")), "model")
	read(into(&o.Backend, parseName("backend")), "backend")
	return o, err
}

func into[T any](target *T, parse func(string) (T, error)) func(string) error {
	return func(s string) error {
		value, err := parse(s)
		*target = value
		return err
	}
}

func parseDepth(s string) (int, error) {
	switch s {
	case "", "8":
		return 8, nil
	case "16":
		return 16, nil
	}
	return 0, cutout.Errorf(cutout.Invalid, "depth must be one of: 8, 16")
}

func parsePoints(name string) func(string) ([]cutout.Point, error) {
	return func(s string) ([]cutout.Point, error) { return cutout.ParsePoints(name, s) }
}

func parseName(what string) func(string) (string, error) {
	return func(s string) (string, error) {
		if s != "" && !plainName.MatchString(s) {
			return "", cutout.Errorf(cutout.Invalid, "%s must be a name of letters, digits, dots, dashes and underscores", what)
		}
		return s, nil
	}
}
