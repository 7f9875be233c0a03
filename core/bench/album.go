package bench

import (
	"bytes"
	"encoding/base64"
	"html/template"
	"image"
	"image/color"
	"image/jpeg"
	"strings"

	"golang.org/x/image/draw"
)

// JPEG is a small picture for the report.
type JPEG []byte

// URL returns the picture itself as a URL, so that a page needs nothing else.
func (j JPEG) URL() template.URL {
	return template.URL("data:image/jpeg;base64," + base64.StdEncoding.EncodeToString(j)) //nolint:gosec // base64 of our own JPEG
}

// side is the most pixels across or down that a report's pictures have.
const side = 400

// album gathers the results for one photo, small, until all are there to be
// compared.
type album struct {
	width, height int
	names         []string
	cuts          []*image.NRGBA // nil where a variant failed
	truth         []uint8        // small too; nil where not known
	// near are the places to look at closely, close what each result shows there.
	near  []image.Rectangle
	close [][]JPEG
}

func newAlbum(s *subject) *album {
	a := &album{}
	a.width, a.height = smallSize(s.photo.Width, s.photo.Height)
	if s.truth != nil {
		truth := s.truth.grey()
		a.truth = scaleGrey(truth, s.truth.width, s.truth.height, a.width, a.height)
		a.near = edges(truth, s.truth.width, s.truth.height)
	}
	return a
}

func smallSize(width, height int) (int, int) {
	longest := max(width, height, side)
	return max(1, width*side/longest), max(1, height*side/longest)
}

func (s *subject) before() JPEG {
	small := shrink(picture(s.photo), image.Pt(smallSize(s.photo.Width, s.photo.Height)))
	return onGround(small)
}

func (a *album) add(name string, p *pixels) {
	a.names = append(a.names, name)
	if p == nil {
		a.cuts, a.close = append(a.cuts, nil), append(a.close, nil)
		return
	}
	if a.near == nil {
		a.near = edges(p.matte(), p.width, p.height)
	}
	a.cuts = append(a.cuts, shrink(p.picture(), image.Pt(a.width, a.height)))
	a.close = append(a.close, closeUps(p.picture(), a.near))
}

// fill gives each result its pictures.
func (a *album) fill(results []Result) {
	against, reference, own := "truth", a.truth, -1
	if reference == nil {
		if own = a.standIn(); own >= 0 {
			against, reference = a.names[own], alphaOf(a.cuts[own])
		}
	}
	for i, cut := range a.cuts {
		if cut == nil {
			continue
		}
		results[i].After, results[i].Close = onGround(cut), a.close[i]
		if i != own {
			results[i].Against, results[i].Difference = against, difference(alphaOf(cut), reference, a.width, a.height)
		}
	}
}

// standIn is the variant with which others are compared if the ground truth is not
// known: the best mode, else the first that succeeded.
func (a *album) standIn() int {
	first := -1
	for i, cut := range a.cuts {
		if cut != nil && strings.HasPrefix(a.names[i], "best") {
			return i
		}
		if cut != nil && first < 0 {
			first = i
		}
	}
	return first
}

func shrink(from *image.NRGBA, size image.Point) *image.NRGBA {
	to := image.NewNRGBA(image.Rectangle{Max: size})
	draw.BiLinear.Scale(to, to.Bounds(), from, from.Bounds(), draw.Src, nil)
	return to
}

func alphaOf(cut *image.NRGBA) []uint8 {
	return (&pixels{pix: cut.Pix, transparent: true}).matte()
}

// onGround shows a picture on a ground of grey squares.
func onGround(cut *image.NRGBA) JPEG {
	const square = 8
	shown := image.NewRGBA(cut.Bounds())
	for y := range cut.Rect.Dy() {
		for x := range cut.Rect.Dx() {
			grey := uint8(255)
			if (x/square+y/square)%2 == 1 {
				grey = 204
			}
			shown.SetRGBA(x, y, color.RGBA{R: grey, G: grey, B: grey, A: 255})
		}
	}
	draw.Draw(shown, shown.Bounds(), cut, image.Point{}, draw.Over)
	return encode(shown)
}

// difference shows a matte's excess in red and what it lacks in blue, on white.
func difference(alpha, reference []uint8, width, height int) JPEG {
	shown := image.NewRGBA(image.Rect(0, 0, width, height))
	for i := range alpha {
		c := color.RGBA{R: 255, G: 255, B: 255, A: 255}
		if d := int(alpha[i]) - int(reference[i]); d > 0 {
			c.G, c.B = uint8(255-d), uint8(255-d)
		} else {
			c.R, c.G = uint8(255+d), uint8(255+d)
		}
		shown.SetRGBA(i%width, i/width, c)
	}
	return encode(shown)
}

func encode(picture image.Image) JPEG {
	var file bytes.Buffer
	// Into memory, of a size that JPEG allows, nothing can fail.
	_ = jpeg.Encode(&file, picture, &jpeg.Options{Quality: 82})
	return file.Bytes()
}
