package decode

import (
	"bytes"
	"context"
	"errors"
	"image/jpeg"
	"image/png"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"

	"bgremover.pro/core/cutout"
)

// codec reads one format. Which one is decided by a file's first bytes, never
// by its name.
type codec struct {
	name   string
	match  func(data []byte) bool
	probe  func(data []byte) (header, error)
	decode func(ctx context.Context, data []byte, h header) (raster, error)
}

// header is a Header with everything else that decoding needs.
type header struct {
	Header
	orientation int       // as in EXIF, 1 to 8
	profile     []byte    // ICC profile, or nil
	coding      *coding   // colour description of HEIC and AVIF, or nil
	sandbox     int64     // bytes of memory that a codec in the sandbox may use
	bareInk     bool      // a CMYK JPEG without Adobe's marker
	webp        *webpInfo // where a WebP's picture is
	blocks      blocks    // of a TIFF
}

// maxProfile bounds a colour profile: those of use here, of three curves and a
// matrix or a table for four inks, have some KB or up to 2 MB. A longer one is
// ignored, like a damaged one.
const maxProfile = 4 << 20

func codecs() []codec {
	return []codec{
		{"jpeg", prefix("\xff\xd8\xff"), probeJPEG, decodeJPEG},
		{"png", prefix("\x89PNG\r\n\x1a\n"), probePNG, decodePNG},
		{"webp", isWebP, probeWebP, decodeWebP},
		{"gif", isGIF, probeGIF, decodeGIF},
		{"bmp", prefix("BM"), probeBMP, decodeBMP},
		{"tiff", isTIFF, probeTIFF, decodeTIFF},
		{"heic", isHEIC, probeHEIC, decodeHEIC},
		{"avif", isAVIF, probeAVIF, decodeAVIF},
	}
}

// area is width times height, as far as sums of memory can count.
func area(width, height int) int64 { return min(int64(width)*int64(height), 1<<48) }

func prefix(magic string) func([]byte) bool {
	return func(data []byte) bool { return bytes.HasPrefix(data, []byte(magic)) }
}

func probe(data []byte) (codec, header, error) {
	if len(data) == 0 {
		return codec{}, header{}, cutout.Errorf(cutout.Invalid, "The file is empty. Please choose a photo.")
	}
	for _, c := range codecs() {
		if !c.match(data) {
			continue
		}
		h, err := c.probe(data)
		if err != nil {
			return codec{}, h, explain(context.Background(), err)
		}
		if h.Width <= 0 || h.Height <= 0 {
			return codec{}, header{}, explain(context.Background(), errors.New("no width or height"))
		}
		h.Format = c.name
		if len(h.profile) > maxProfile {
			h.profile = nil
		}
		if h.orientation < 1 || h.orientation > 8 {
			h.orientation = 1
		}
		if h.orientation >= 5 {
			h.Width, h.Height = h.Height, h.Width
		}
		return c, h, nil
	}
	return codec{}, header{}, unsupported(data)
}

// others are unsupported formats that people send, for a better message than "not a
// picture".
var others = []struct{ magic, name string }{
	{"%PDF", "a PDF document"},
	{"\xff\x0a", "a JPEG XL picture"},
	{"\x00\x00\x00\x0cJXL ", "a JPEG XL picture"},
	{"\x00\x00\x00\x0cjP  ", "a JPEG 2000 picture"},
	{"8BPS", "a Photoshop document"},
	{"<svg", "an SVG drawing"},
	{"<?xml", "an SVG drawing or another XML document"},
	{"<", "a web page or another text document"},
	{"PK\x03\x04", "a ZIP archive or an office document"},
	{"\x1f\x8b", "a compressed archive"},
	{"\x00\x00\x01\x00", "an icon"},
	{"v/1\x01", "an OpenEXR picture"},
}

func unsupported(data []byte) error {
	what := "not in a supported picture format"
	start := bytes.TrimLeft(bytes.TrimPrefix(data[:min(len(data), 64)], []byte("\xef\xbb\xbf")), " \t\r\n")
	for _, o := range others {
		if bytes.HasPrefix(data, []byte(o.magic)) || o.magic[0] == '<' && bytes.HasPrefix(start, []byte(o.magic)) {
			what = o.name
			break
		}
	}
	if what[0] == 'n' && len(data) > 12 && string(data[4:8]) == "ftyp" {
		what = "a video, or a picture in an unsupported format"
	}
	return cutout.Errorf(cutout.UnsupportedFormat, "The file is %s. Accepted formats: %s.", what, Accepted)
}

// isUnsupported distinguishes variants that a codec does not support from damage.
func isUnsupported(err error) bool {
	var j jpeg.UnsupportedError
	var p png.UnsupportedError
	var t tiff.UnsupportedError
	return errors.Is(err, errUnsupported) || errors.Is(err, bmp.ErrUnsupported) ||
		errors.As(err, &j) || errors.As(err, &p) || errors.As(err, &t)
}
