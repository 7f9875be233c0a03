package main

import (
	"cmp"
	"errors"
	"io/fs"
	"maps"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"bgremover.pro/core/cutout"
)

// wishes holds the API's options, as flags of the same names.
type wishes struct {
	mode, format, output, edges string
	what                        string
	background, crop, shadow    string
	keep, remove, hints, box    string
	depth                       int
	model, backend              string
	video                       string
	keepUncertain               bool
}

func (w *wishes) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&w.mode, "mode", "", "auto, fast or best (default: the configured one)")
	flags.StringVar(&w.format, "format", "", "png, webp or jpeg")
	flags.StringVar(&w.output, "output", "", "cutout or mask")
	flags.StringVar(&w.edges, "edges", "", "refined or raw")
	flags.StringVar(&w.background, "background", "", "a colour such as #ffffff, a gradient such as #ffffff,#88aaff,135, blur, or the `FILE` of a picture")
	flags.StringVar(&w.crop, "crop", "", "crop to the subject, with a margin of `PERCENT` of its longer side")
	flags.StringVar(&w.shadow, "shadow", "", "a soft contact shadow under the subject, with an opacity of `PERCENT`")
	flags.StringVar(&w.keep, "keep", "", "`POINTS` that belong to the subject, such as 120,80;300,95 in pixels or 50%,20% in per cent")
	flags.StringVar(&w.remove, "remove", "", "`POINTS` that do not belong to the subject")
	flags.StringVar(&w.hints, "hints", "", "the `FILE` of a picture of the photo's proportions: green what belongs to the subject, red what does not, transparent the rest")
	flags.StringVar(&w.box, "box", "", "the part of the photo that the subject lies in: `LEFT,TOP,RIGHT,BOTTOM` in pixels, or with % in per cent")
	flags.IntVar(&w.depth, "depth", 8, "bits a channel: 8, or 16 for PNG")
	flags.StringVar(&w.model, "model", "", "an installed model")
	flags.StringVar(&w.backend, "backend", "", "a configured backend")
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
	if w.output == "-" || strings.ContainsAny(w.output, "./") {
		path, w.output = w.output, ""
	}
	w.output = cmp.Or(w.output, w.what)
	return path
}

// options checks the flags and reads the pictures that they name. Code: Invalid, with
// all mistakes in one error.
func (w *wishes) options() (o cutout.Options, err error) {
	var problems [12]error
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
	o.Hints, problems[10] = hints(w.hints)
	o.Region, problems[11] = cutout.ParseBox(w.box)
	o.Depth, o.Model, o.Backend, o.Anyway = w.depth, w.model, w.backend, w.keepUncertain
	return o, errors.Join(problems[:]...)
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

// values returns the options as the API takes them, and the pictures that go with
// them. Code: Invalid for an option that only this machine has.
func (w *wishes) values(o cutout.Options) (values map[string]string, files map[string][]byte, err error) {
	if w.keepUncertain {
		return nil, nil, cutout.Errorf(cutout.Invalid, "--keep-uncertain does not go together with --server")
	}
	values = map[string]string{
		"mode": w.mode, "format": w.format, "output": w.output, "edges": w.edges,
		"background": w.background, "crop": w.crop, "shadow": w.shadow,
		"keep": w.keep, "remove": w.remove, "box": w.box, "depth": strconv.Itoa(w.depth),
		"model": w.model, "backend": w.backend,
	}
	files = map[string][]byte{}
	if o.Background != nil && o.Background.Picture != nil {
		values["background"], files["background"] = "", o.Background.Picture
	}
	if o.Hints != nil {
		files["hints"] = o.Hints
	}
	maps.DeleteFunc(values, func(_, value string) bool { return value == "" })
	return values, files, nil
}

// background parses a colour, a gradient or "blur"; anything else is the path of
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
