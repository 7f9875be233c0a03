// Package removebg reads requests as the remove.bg API, version 1.0, has them: the
// parameters, the bodies that hold them and the codes of its errors. It knows neither
// HTTP nor what processes the photo.
package removebg

import (
	"image/color"
	"strconv"
	"strings"

	"bgremover.pro/core/cutout"
)

// Error is an error as the API reports it.
type Error struct {
	Code, Title, Detail string
}

func (e *Error) Error() string { return e.Code + ": " + e.Title }

func invalid(name, title string) error { return &Error{Code: "invalid_" + name, Title: title} }

// Files says which files came with a request.
type Files struct{ Image, Background bool }

// Request is what a request asks for.
type Request struct {
	// ImageURL and BackgroundURL are where files are to be downloaded from, or empty.
	ImageURL, BackgroundURL string
	Options                 cutout.Options
	// Type is what the subject is, for the header X-Type; empty for no header.
	Type string
}

// Parameters are those that this package reads; others are ignored, as clients send
// some of their own.
var Parameters = []string{
	"image_file", "image_file_b64", "image_url", "size", "type", "type_level", "format", "roi", "crop", "crop_margin",
	"scale", "position", "channels", "add_shadow", "shadow_type", "shadow_opacity", "semitransparency",
	"bg_color", "bg_image_url", "bg_image_file",
}

// sizes are the classes of size, by the most megapixels of the result.
var sizes = map[string]float64{
	"preview": 0.25, "small": 0.25, "regular": 0.25, "medium": 1.5, "hd": 4, "full": 25, "4k": 25, "auto": 25, "50mp": 50,
}

// pngMegapixels is the most that full sizes have as PNG.
const pngMegapixels = 10

var types = []string{"auto", "person", "product", "car", "animal", "car_interior", "car_part", "transportation", "graphics", "other"}

// values are parameters by name. Clients send those that they do not set as empty,
// which is the same as absent.
type values map[string]string

func (v values) get(name string) string { return strings.TrimSpace(v[name]) }

// word returns a parameter in lower case, or what stands for its absence.
func (v values) word(name, absent string) string {
	if s := strings.ToLower(v.get(name)); s != "" {
		return s
	}
	return absent
}

func (v values) flag(name string, absent bool) (bool, error) {
	switch v.word(name, strconv.FormatBool(absent)) {
	case "true", "1", "yes", "on", "t":
		return true, nil
	case "false", "0", "no", "off", "f":
		return false, nil
	}
	return false, invalid(name, name+" is true or false")
}

// Parse reads the parameters of a request. Its errors are of type *Error.
func Parse(fields map[string]string, files Files) (*Request, error) {
	v, r := values(fields), &Request{}
	r.ImageURL, r.BackgroundURL = v.get("image_url"), v.get("bg_image_url")
	r.Options.Layout = &cutout.Layout{}
	for _, read := range []func(values, Files) error{
		r.sources, r.kind, r.frame, r.background, r.file, r.shadow,
	} {
		if err := read(v, files); err != nil {
			return nil, err
		}
	}
	return r, nil
}

func (r *Request) sources(v values, files Files) error {
	switch n := count(files.Image, r.ImageURL != "", v.get("image_file_b64") != ""); {
	case n == 0:
		return &Error{Code: "missing_source", Title: "No image given", Detail: "Send the photo as image_file, image_file_b64 or image_url."}
	case n > 1:
		return &Error{Code: "multiple_sources", Title: "Multiple image sources given: Please provide either the image_url, image_file or image_file_b64 parameter."}
	case count(files.Background, r.BackgroundURL != "", v.get("bg_color") != "") > 1:
		return &Error{Code: "multiple_bg_sources", Title: "Multiple background sources given: Please provide either the bg_color, bg_image_url or bg_image_file parameter."}
	}
	return nil
}

func count(all ...bool) (n int) {
	for _, is := range all {
		if is {
			n++
		}
	}
	return n
}

// kind reads what the subject is. Nothing here detects what the subject is: what a client
// says is believed, and otherwise it is "other".
func (r *Request) kind(v values, _ Files) error {
	kind, known := v.word("type", "auto"), false
	for _, t := range types {
		known = known || t == kind
	}
	if !known {
		return invalid("type", "type is one of: "+strings.Join(types, ", "))
	}
	if _, err := v.flag("semitransparency", true); err != nil {
		return err
	}
	switch v.word("type_level", "1") {
	case "none":
	case "1", "2", "latest":
		if r.Type = kind; kind == "auto" {
			r.Type = "other"
		}
	default:
		return invalid("type_level", "type_level is one of: none, 1, 2, latest")
	}
	return nil
}

// background reads the colour behind the subject.
func (r *Request) background(v values, files Files) error {
	if s := v.get("bg_color"); s != "" {
		c, ok := parseColor(s)
		if !ok {
			return invalid("bg_color", "bg_color is a name such as green, or hexadecimal digits such as 81d4fa, fff or 81d4fa77")
		}
		if c.A > 0 {
			r.Options.Background = cutout.Plain(c)
		}
	}
	if files.Background || r.BackgroundURL != "" {
		r.Options.Background = &cutout.Background{} // its picture is to follow
	}
	return nil
}

// file reads what the result is a file of.
func (r *Request) file(v values, _ Files) error {
	o, behind := &r.Options, r.Options.Background
	opaque := behind != nil && (behind.From != behind.To || behind.From.A == 255 || behind.From.A == 0)
	switch v.word("channels", "rgba") {
	case "rgba":
	case "alpha":
		o.Output, o.Background, opaque = cutout.Matte, nil, false
	default:
		return invalid("channels", "channels is one of: rgba, alpha")
	}
	switch v.word("format", "auto") {
	case "auto":
		if o.Format = cutout.PNG; opaque {
			o.Format = cutout.JPEG
		}
	case "png":
		o.Format = cutout.PNG
	case "jpg", "jpeg":
		o.Format = cutout.JPEG
	case "webp":
		o.Format = cutout.WebP
	case "zip":
		o.Format, o.Output = cutout.ZIP, cutout.Cutout
	default:
		return invalid("format", "format is one of: auto, png, jpg, webp, zip")
	}
	if o.Format == cutout.JPEG && o.Output != cutout.Matte && behind != nil && behind.From == behind.To && behind.From.A > 0 {
		o.Background = cutout.Plain(overWhite(behind.From))
	}
	megapixels, known := sizes[v.word("size", "preview")]
	if !known {
		return invalid("size", "size is one of: auto, preview, small, regular, medium, hd, full, 4k, 50MP")
	}
	if o.Format == cutout.PNG && megapixels == 25 {
		megapixels = pngMegapixels
	}
	o.Layout.MaxPixels = int(megapixels * 1e6)
	return nil
}

// overWhite is a translucent colour over white, as a file without transparency
// shows it.
func overWhite(c color.NRGBA) color.NRGBA {
	mix := func(v uint8) uint8 { return uint8((int(v)*int(c.A) + 255*(255-int(c.A)) + 127) / 255) }
	return color.NRGBA{R: mix(c.R), G: mix(c.G), B: mix(c.B), A: 255}
}

// shadowOpacity is that of a shadow whose opacity is not said, in per cent.
const shadowOpacity = 50

// shadow reads the shadow. add_shadow has a meaning for cars only, so that where a
// client says that the subject is something else there is none. All kinds of shadow
// are the one contact shadow.
func (r *Request) shadow(v values, _ Files) error {
	wanted, err := v.flag("add_shadow", false)
	if err != nil {
		return err
	}
	if kind := v.word("type", "auto"); kind != "auto" && kind != "car" {
		wanted = false
	}
	switch v.word("shadow_type", "none") {
	case "none":
	case "auto", "car", "3d", "drop":
		wanted = true
	default:
		return invalid("shadow_type", "shadow_type is one of: none, auto, car, 3D, drop")
	}
	opacity, err := strconv.ParseFloat(v.word("shadow_opacity", strconv.Itoa(shadowOpacity)), 64)
	if err != nil || !(0 <= opacity && opacity <= 100) {
		return invalid("shadow_opacity", "shadow_opacity is a number from 0 to 100")
	}
	if wanted && r.Options.Output != cutout.Matte {
		r.Options.Shadow = opacity / 100
	}
	return nil
}
