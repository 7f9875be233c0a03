package main

import (
	"errors"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"bgremover.pro/core/cutout"
)

// wishes are the options as flags.
type wishes struct {
	mode, format, output, edges string
	background, crop, shadow    string
	keep, remove                string
	depth                       int
	model, backend              string
	anyway                      bool
}

func (w *wishes) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&w.mode, "mode", "", "auto, fast or best (default: the configured one)")
	flags.StringVar(&w.format, "format", "", "png, webp or jpeg")
	flags.StringVar(&w.output, "what", "", "cutout or mask")
	flags.StringVar(&w.edges, "edges", "", "refined or raw")
	flags.StringVar(&w.background, "background", "", "a colour such as #ffffff, a gradient such as #ffffff,#88aaff,135, blur, or a picture's `FILE`")
	flags.StringVar(&w.crop, "crop", "", "crop to the subject with a margin of so many `PERCENT` of its longer side")
	flags.StringVar(&w.shadow, "shadow", "", "a soft shadow under the subject, of so many `PERCENT`")
	flags.StringVar(&w.keep, "keep", "", "`POINTS` that belong to the subject, such as 120,80;300,95 in pixels or 50%,20% in per cent")
	flags.StringVar(&w.remove, "remove", "", "`POINTS` that do not")
	flags.IntVar(&w.depth, "depth", 8, "8, or 16 for PNG")
	flags.StringVar(&w.model, "model", "", "an installed model")
	flags.StringVar(&w.backend, "backend", "", "a configured backend")
	flags.BoolVar(&w.anyway, "anyway", false, "keep what little was found in a photo without a subject")
}

// options checks the flags and reads the background picture. Code: Invalid, all
// mistakes together.
func (w *wishes) options() (o cutout.Options, err error) {
	var problems [10]error
	o.Mode, problems[0] = cutout.ParseMode(w.mode)
	o.Format, problems[1] = cutout.ParseFormat(w.format)
	o.Output, problems[2] = cutout.ParseOutput(w.output)
	o.Edges, problems[3] = cutout.ParseEdges(w.edges)
	o.Background, problems[4] = background(w.background)
	o.Crop, problems[5] = cutout.ParseCrop(w.crop)
	o.Shadow, problems[6] = cutout.ParseShadow(w.shadow)
	if w.depth != 8 && w.depth != 16 {
		problems[7] = cutout.Errorf(cutout.Invalid, "depth is 8 or 16")
	}
	o.Keep, problems[8] = cutout.ParsePoints("keep", w.keep)
	o.Remove, problems[9] = cutout.ParsePoints("remove", w.remove)
	o.Depth, o.Model, o.Backend, o.Anyway = w.depth, w.model, w.backend, w.anyway
	return o, errors.Join(problems[:]...)
}

// background reads what can be said in words, else a file of that name.
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
