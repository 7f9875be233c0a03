package bench

import (
	"bytes"
	"image"
	"image/png"
	"slices"

	"golang.org/x/image/draw"
)

// pixels is a picture as measured: R, G, B, A of each pixel, colours not
// multiplied by alpha.
type pixels struct {
	width, height int
	pix           []uint8
	transparent   bool // the file has an alpha channel
}

// readPixels reads a PNG.
func readPixels(file []byte) (*pixels, error) {
	picture, err := png.Decode(bytes.NewReader(file))
	if err != nil {
		return nil, err
	}
	bounds := picture.Bounds()
	p := &pixels{width: bounds.Dx(), height: bounds.Dy()}
	switch picture := picture.(type) {
	case *image.NRGBA:
		p.pix, p.transparent = picture.Pix, true
		return p, nil
	case *image.NRGBA64:
		p.transparent = true
		for i := 0; i < len(picture.Pix); i += 2 {
			p.pix = append(p.pix, picture.Pix[i])
		}
		return p, nil
	case *image.Gray:
		p.pix = make([]uint8, 0, 4*len(picture.Pix))
		for _, v := range picture.Pix {
			p.pix = append(p.pix, v, v, v, 255)
		}
		return p, nil
	case *image.Paletted:
		p.transparent = true
	}
	flat := image.NewNRGBA(image.Rect(0, 0, p.width, p.height))
	draw.Draw(flat, flat.Bounds(), picture, bounds.Min, draw.Src)
	p.pix = flat.Pix
	return p, nil
}

func (p *pixels) sameSize(q *pixels) bool { return p.width == q.width && p.height == q.height }

// picture shares the samples.
func (p *pixels) picture() *image.NRGBA {
	return &image.NRGBA{Pix: p.pix, Stride: 4 * p.width, Rect: image.Rect(0, 0, p.width, p.height)}
}

// matte is the alpha channel, or the grey of a file without one.
func (p *pixels) matte() []uint8 {
	if !p.transparent {
		return p.grey()
	}
	alpha := make([]uint8, len(p.pix)/4)
	for i := range alpha {
		alpha[i] = p.pix[4*i+3]
	}
	return alpha
}

// empty reports whether nothing is more than half opaque.
func (p *pixels) empty() bool {
	return !slices.ContainsFunc(p.matte(), func(alpha uint8) bool { return alpha > 127 })
}

// grey weighs the colours as ITU-R BT.601 does, alpha left aside.
func (p *pixels) grey() []uint8 {
	grey := make([]uint8, len(p.pix)/4)
	for i := range grey {
		r, g, b := uint32(p.pix[4*i]), uint32(p.pix[4*i+1]), uint32(p.pix[4*i+2])
		grey[i] = uint8((19595*r + 38470*g + 7471*b + 1<<15) >> 16)
	}
	return grey
}

// scaleGrey scales bilinearly, averaging where it makes smaller.
func scaleGrey(grey []uint8, width, height, toWidth, toHeight int) []uint8 {
	from := &image.Gray{Pix: grey, Stride: width, Rect: image.Rect(0, 0, width, height)}
	// Into sixteen bits, so that rounding is done here.
	to := image.NewGray16(image.Rect(0, 0, toWidth, toHeight))
	draw.BiLinear.Scale(to, to.Bounds(), from, from.Bounds(), draw.Src, nil)
	scaled := make([]uint8, toWidth*toHeight)
	for i := range scaled {
		scaled[i] = uint8((uint32(to.Pix[2*i])<<8 + uint32(to.Pix[2*i+1]) + 128) / 257)
	}
	return scaled
}
