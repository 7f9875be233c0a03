package cutout

import (
	"cmp"
	"strings"
)

// Option is one choice that the sender of a photo has. It has the same name in a query, in
// a form and on the command line.
type Option struct {
	Name, Help string
	// Set reads its text; the empty text is the default.
	Set func(*Options, string) error
}

// OptionList is every option.
var OptionList = []Option{
	option("mode", "auto, fast or best (default: the configured one)", ParseMode, func(o *Options) *Mode { return &o.Mode }),
	option("format", "png, webp or jpeg", ParseFormat, func(o *Options) *Format { return &o.Format }),
	option("output", "cutout or mask", ParseOutput, func(o *Options) *Output { return &o.Output }),
	option("edges", "refined or raw", ParseEdges, func(o *Options) *Edges { return &o.Edges }),
	option("background", "a colour such as #ffffff, a gradient such as #ffffff,#88aaff,135, blur or blur,80, or the `FILE` of a picture",
		ParseBackground, func(o *Options) **Background { return &o.Background }),
	option("crop", "crop to the subject, with a margin of `PERCENT` of its longer side", ParseCrop, func(o *Options) **float64 { return &o.Crop }),
	{"aspect", "a canvas around the subject of the shape `WIDTH:HEIGHT`, such as 4:5, which may reach beyond the photo", (*Options).setAspect},
	{"size", "a canvas of `WIDTHxHEIGHT` pixels, such as 2000x2000, to which the subject is scaled", (*Options).setSize},
	{"margin", "the least space around the subject on a canvas, in `PERCENT` of its longer side (default: that of crop, else 8.8)", (*Options).setMargin},
	option("shadow", "a soft contact shadow under the subject, with an opacity of `PERCENT`", ParseShadow, func(o *Options) *float64 { return &o.Shadow }),
	option("keep", "`POINTS` that belong to the subject, such as 120,80;300,95 in pixels or 50%,20% in per cent",
		func(s string) ([]Point, error) { return ParsePoints("keep", s) }, func(o *Options) *[]Point { return &o.Keep }),
	option("remove", "`POINTS` that do not belong to the subject",
		func(s string) ([]Point, error) { return ParsePoints("remove", s) }, func(o *Options) *[]Point { return &o.Remove }),
	option("hints", "the `FILE` of a picture of the photo's proportions: green what belongs to the subject, red what does not, transparent the rest",
		noHints, func(o *Options) *[]byte { return &o.Hints }),
	option("box", "the part of the photo that the subject lies in: `LEFT,TOP,RIGHT,BOTTOM` in pixels, or with % in per cent", ParseBox, func(o *Options) **Region { return &o.Region }),
	option("depth", "bits a channel: 8 (the default), or 16 for PNG", parseDepth, func(o *Options) *int { return &o.Depth }),
	option("model", "an installed model", parseName("model"), func(o *Options) *string { return &o.Model }),
	option("backend", "a configured backend", parseName("backend"), func(o *Options) *string { return &o.Backend }),
}

func option[T any](name, help string, parse func(string) (T, error), field func(*Options) *T) Option {
	return Option{name, help, func(o *Options, s string) error {
		value, err := parse(s)
		if err == nil {
			*field(o) = value
		}
		return err
	}}
}

// ParseOptions reads options by their names; absent and empty mean the default. strict
// refuses names that are not options: a typing error in a program would otherwise go
// unnoticed.
func ParseOptions(values map[string]string, strict bool) (o Options, err error) {
	known, names := 0, make([]string, len(OptionList))
	for i, option := range OptionList {
		value, given := values[option.Name]
		if names[i] = option.Name; given {
			known++
		}
		err = cmp.Or(err, option.Set(&o, value))
	}
	if strict && known < len(values) {
		return o, Errorf(Invalid, "Unknown option; the options are: %s", strings.Join(names, ", "))
	}
	return o, err
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

// noHints refuses hints that are not a file.
func noHints(s string) ([]byte, error) {
	if s != "" {
		return nil, Errorf(Invalid, "hints is a picture: send it as a file in a form")
	}
	return nil, nil
}

func parseName(what string) func(string) (string, error) {
	return func(s string) (string, error) {
		if s != "" && !plainName(s) {
			return "", Errorf(Invalid, "%s must be a name of letters, digits, dots, dashes and underscores", what)
		}
		return s, nil
	}
}

// plainName says whether a string has the form of a model's or a backend's name. It does
// not use a regular expression, as that package would be a sixth of the browser's module.
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
