package bench

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/jpeg"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/image/draw"

	"bgremover.pro/core/cutout"
	"bgremover.pro/core/decode"
)

const (
	alphaEnding   = ".alpha.png"
	coloursEnding = ".fg.png"
)

var photoEndings = []string{".jpg", ".jpeg", ".png", ".webp", ".heic", ".heif", ".avif", ".gif", ".bmp", ".tif", ".tiff"}

// Collect lists the photos among files and, not deeper, in folders, in order. Next to
// NAME.jpg (or any other ending) its truth may be stored: NAME.alpha.png, the true alpha in
// grey, and NAME.fg.png, the subject's true colours; these are not photos. Code: Invalid
// (nothing found, or it cannot be read).
func Collect(paths []string) ([]string, error) {
	var photos []string
	for _, path := range paths {
		entries, err := os.ReadDir(path)
		if err != nil {
			if info, statErr := os.Stat(path); statErr == nil && !info.IsDir() {
				photos = append(photos, path) // named outright
				continue
			}
			return nil, cutout.Errorf(cutout.Invalid, "The photos cannot be read: %w", err)
		}
		for _, entry := range entries {
			if !entry.IsDir() && isPhoto(entry.Name()) {
				photos = append(photos, filepath.Join(path, entry.Name()))
			}
		}
	}
	if len(photos) == 0 {
		return nil, cutout.Errorf(cutout.Invalid, "There is no photo in %s.", strings.Join(paths, ", "))
	}
	return photos, nil
}

func isPhoto(name string) bool {
	name = strings.ToLower(name)
	return slices.Contains(photoEndings, filepath.Ext(name)) &&
		!strings.HasSuffix(name, alphaEnding) && !strings.HasSuffix(name, coloursEnding)
}

func photoName(file string) string {
	return strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))
}

// subject is a photo with what is known of it.
type subject struct {
	name           string
	upload         []byte
	photo          *cutout.Photo
	truth, colours *pixels // nil where not known
}

// load reads a photo and its truth, or enlarges it to so many pixels; 0 means
// as it is.
func load(ctx context.Context, file string, pixels int) (*subject, error) {
	s := &subject{name: photoName(file)}
	var err error
	if s.upload, err = os.ReadFile(file); err != nil {
		return nil, err
	}
	if s.photo, err = decode.Decode(ctx, s.upload, decode.Limits{}, false); err != nil {
		return nil, err
	}
	if pixels > 0 {
		return s, s.enlarge(pixels)
	}
	stem := strings.TrimSuffix(file, filepath.Ext(file))
	if s.truth, err = readTruth(stem + alphaEnding); err != nil || s.truth == nil {
		return s, err
	}
	s.colours, err = readTruth(stem + coloursEnding)
	return s, err
}

func readTruth(file string) (*pixels, error) {
	content, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	p, err := readPixels(content)
	if err != nil {
		return nil, cutout.Errorf(cutout.Invalid, "%s cannot be read: %w", filepath.Base(file), err)
	}
	return p, nil
}

// enlarge makes a JPEG of so many pixels, as a camera would have written.
func (s *subject) enlarge(pixels int) error {
	factor := math.Sqrt(float64(pixels) / float64(s.photo.Width*s.photo.Height))
	if factor <= 1 {
		return nil
	}
	large := image.NewNRGBA(image.Rect(0, 0, int(float64(s.photo.Width)*factor), int(float64(s.photo.Height)*factor)))
	draw.CatmullRom.Scale(large, large.Bounds(), picture(s.photo), picture(s.photo).Bounds(), draw.Src, nil)
	var file bytes.Buffer
	if err := jpeg.Encode(&file, large, &jpeg.Options{Quality: 92}); err != nil {
		return err
	}
	s.upload = file.Bytes()
	s.photo = &cutout.Photo{Width: large.Rect.Dx(), Height: large.Rect.Dy(), Pix: large.Pix, Opaque: s.photo.Opaque}
	return nil
}

// group is what the means of quality are taken over: composites apart, and
// photos by the first word of their name.
func (s *subject) group() string {
	if s.truth == nil {
		return ""
	}
	if s.colours != nil {
		return "composite"
	}
	first, _, _ := strings.Cut(s.name, "_")
	return first
}

func picture(p *cutout.Photo) *image.NRGBA {
	return &image.NRGBA{Pix: p.Pix, Stride: 4 * p.Width, Rect: image.Rect(0, 0, p.Width, p.Height)}
}
