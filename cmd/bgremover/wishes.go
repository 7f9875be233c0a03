package main

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"bgremover.pro/core/cutout"
)

// wishes holds the API's options, as flags of the same names.
type wishes struct {
	values        map[string]*string // by the option's name
	what          string
	video         string
	keepUncertain bool
}

func (w *wishes) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	w.values = map[string]*string{}
	for _, option := range cutout.OptionList {
		w.values[option.Name] = flags.String(option.Name, "", option.Help)
	}
	flags.StringVar(&w.video, "video", "", "what videos become: prores or vp9 (both with alpha), png (a folder of frames) or mp4 (over a background); also takes the videos in folders")
	flags.BoolVar(&w.keepUncertain, "keep-uncertain", false, "keep what was found even where the photo seems to have no subject")
	// Former names, unlisted.
	flags.StringVar(&w.what, "what", "", "")
	flags.BoolVar(&w.keepUncertain, "anyway", false, "")
	_, _ = flags.MarkHidden("what"), flags.MarkHidden("anyway")
}

// formerOutput returns the path that --output held when the kind of result was
// --what: a path has a dot or a slash, or is "-".
func (w *wishes) formerOutput() (path string) {
	output := w.values["output"]
	if *output == "-" || strings.ContainsAny(*output, "./") {
		path, *output = *output, ""
	}
	*output = cmp.Or(*output, w.what)
	return path
}

// options checks the flags and reads the pictures that they name. Code: Invalid, with
// all mistakes in one error.
func (w *wishes) options() (o cutout.Options, err error) {
	var problems []error
	for _, option := range cutout.OptionList {
		text := *w.values[option.Name]
		switch option.Name { // files, here
		case "background":
			o.Background, err = background(text)
		case "hints":
			o.Hints, err = hints(text)
		default:
			err = option.Set(&o, text)
		}
		problems = append(problems, err)
	}
	o.Anyway = w.keepUncertain
	return o, errors.Join(problems...)
}

// hints reads the file of hints; "" means none.
func hints(path string) ([]byte, error) {
	if path == "" {
		return nil, nil
	}
	file, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, cutout.Errorf(cutout.Invalid, "hints: there is no file %s", path)
	}
	return file, err
}

// fields returns the options as the API takes them, and the pictures that go with
// them. Code: Invalid for an option that only this machine has.
func (w *wishes) fields(o cutout.Options) (values map[string]string, files map[string][]byte, err error) {
	if w.keepUncertain {
		return nil, nil, cutout.Errorf(cutout.Invalid, "--keep-uncertain does not go together with --server")
	}
	values, files = map[string]string{}, map[string][]byte{}
	for name, value := range w.values {
		if *value != "" {
			values[name] = *value
		}
	}
	if o.Background != nil && o.Background.Picture != nil {
		delete(values, "background")
		files["background"] = o.Background.Picture
	}
	if o.Hints != nil {
		delete(values, "hints")
		files["hints"] = o.Hints
	}
	return values, files, nil
}

// background parses a colour, a gradient or a blur; anything else is the path of
// a picture.
func background(s string) (*cutout.Background, error) {
	b, unclear := cutout.ParseBackground(s)
	if unclear == nil {
		return b, nil
	}
	picture, err := os.ReadFile(s)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, cutout.Errorf(cutout.Invalid, "there is no file %s; %s", s, cutout.MessageOf(unclear))
	case err != nil:
		return nil, err
	}
	return &cutout.Background{Picture: picture}, nil
}
