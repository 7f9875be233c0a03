package cutout

import (
	"slices"
	"strings"
)

// optionNames are the API's options, in the query or as form fields.
var optionNames = []string{"mode", "format", "output", "edges", "background", "crop", "shadow", "keep", "remove", "hints", "box", "depth", "model", "backend"}

// ParseOptions reads options by their names; absent and empty mean the default.
// strict refuses names that are not options: a program's typing error would
// otherwise go unnoticed.
func ParseOptions(values map[string]string, strict bool) (Options, error) {
	var o Options
	if strict {
		for name := range values {
			if !slices.Contains(optionNames, name) {
				return o, Errorf(Invalid, "Unknown option; the options are: %s", strings.Join(optionNames, ", "))
			}
		}
	}
	var err error
	read := func(parse func(string) error, name string) {
		if err == nil {
			err = parse(values[name])
		}
	}
	read(into(&o.Mode, ParseMode), "mode")
	read(into(&o.Format, ParseFormat), "format")
	read(into(&o.Output, ParseOutput), "output")
	read(into(&o.Edges, ParseEdges), "edges")
	read(into(&o.Background, ParseBackground), "background")
	read(into(&o.Crop, ParseCrop), "crop")
	read(into(&o.Shadow, ParseShadow), "shadow")
	read(into(&o.Keep, parsePoints("keep")), "keep")
	read(into(&o.Remove, parsePoints("remove")), "remove")
	read(noHints, "hints")
	read(into(&o.Region, ParseBox), "box")
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
	return 0, Errorf(Invalid, "depth must be one of: 8, 16")
}

func parsePoints(name string) func(string) ([]Point, error) {
	return func(s string) ([]Point, error) { return ParsePoints(name, s) }
}

// noHints refuses hints that are no file.
func noHints(s string) error {
	if s != "" {
		return Errorf(Invalid, "hints is a picture: send it as a file in a form")
	}
	return nil
}

func parseName(what string) func(string) (string, error) {
	return func(s string) (string, error) {
		if s != "" && !plainName(s) {
			return "", Errorf(Invalid, "%s must be a name of letters, digits, dots, dashes and underscores", what)
		}
		return s, nil
	}
}

// plainName says whether a string has the form of a model's or a backend's name. It is
// no regular expression, whose package would be a sixth of the browser's module.
func plainName(s string) bool {
	for i, c := range []byte(s) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case i > 0 && (c == '.' || c == '_' || c == '-'):
		default:
			return false
		}
	}
	return 0 < len(s) && len(s) <= 64
}
