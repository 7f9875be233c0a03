package compose

import (
	"context"
	"image"

	"bgremover.pro/core/cutout"
	"bgremover.pro/core/resample"
)

const placeBits = 15

// Place draws the photo as an arrangement has it; what it does not cover is
// transparent. Alpha weighs the colours, by the triangle filter. It is the photo itself
// where nothing changes. The error is the context's.
func Place(ctx context.Context, photo *cutout.Photo, a Arrangement) (*cutout.Photo, error) {
	whole, result := image.Rect(0, 0, photo.Width, photo.Height), image.Rect(0, 0, a.Width, a.Height)
	if a.Source == whole && a.Target == result && whole == result {
		return photo, ctx.Err()
	}
	out := &cutout.Photo{Width: a.Width, Height: a.Height, Pix: make([]uint8, 4*a.Width*a.Height)}
	out.Opaque = photo.Opaque && result.In(a.Target)
	err := drawAll(ctx, photo.Pix, photo.Width, out.Pix, a)
	if err == nil && photo.Deep != nil {
		out.Deep = make([]uint16, len(out.Pix))
		err = drawAll(ctx, photo.Deep, photo.Width, out.Deep, a)
	}
	return out, err
}

// drawAll draws pixels of a picture of some width into those of the result.
func drawAll[T uint8 | uint16](ctx context.Context, pix []T, width int, out []T, a Arrangement) error {
	shown := a.Target.Intersect(image.Rect(0, 0, a.Width, a.Height))
	if a.Source.Empty() || shown.Empty() {
		return ctx.Err()
	}
	if a.Source.Size() == a.Target.Size() {
		move := a.Source.Min.Sub(a.Target.Min)
		return cutout.Rows(ctx, a.Height, func(from, to int) {
			for y := max(from, shown.Min.Y); y < min(to, shown.Max.Y); y++ {
				source := pix[4*((y+move.Y)*width+shown.Min.X+move.X):]
				copy(out[4*(y*a.Width+shown.Min.X):4*(y*a.Width+shown.Max.X)], source)
			}
		})
	}
	columns := resample.Axis(a.Source.Dx(), a.Target.Dx(), resample.Triangle, placeBits)[shown.Min.X-a.Target.Min.X:][:shown.Dx()]
	rows := resample.Axis(a.Source.Dy(), a.Target.Dy(), resample.Triangle, placeBits)
	most := resample.Most(rows)
	return cutout.Rows(ctx, a.Height, func(from, to int) {
		p := newPlacer(pix, width, a.Source, columns, most)
		for y := max(from, shown.Min.Y); y < min(to, shown.Max.Y) && ctx.Err() == nil; y++ {
			p.draw(rows[y-a.Target.Min.Y], out[4*(y*a.Width+shown.Min.X):])
		}
	})
}

// placer scales rows. It keeps the last rows of the photo that it has scaled along x,
// as neighbouring rows of the result share them.
type placer[T uint8 | uint16] struct {
	pix     []T
	width   int
	source  image.Rectangle
	columns []resample.Taps
	kept    [][]float32 // row y lies at y modulo its length
	holds   []int       // which row that is; -1 for none
	sums    []float32
}

// maxKept bounds the rows kept where a photo is reduced a lot.
const maxKept = 8

func newPlacer[T uint8 | uint16](pix []T, width int, source image.Rectangle, columns []resample.Taps, most int) *placer[T] {
	most = min(most, maxKept)
	p := &placer[T]{pix: pix, width: width, source: source, columns: columns, kept: make([][]float32, most), holds: make([]int, most)}
	for i := range p.kept {
		p.kept[i], p.holds[i] = make([]float32, 4*len(columns)), -1
	}
	p.sums = make([]float32, 4*len(columns))
	return p
}

// draw writes one row of the result.
func (p *placer[T]) draw(t resample.Taps, pix []T) {
	clear(p.sums)
	for i, w := range t.Weights {
		weight := float32(w)
		for j, v := range p.row(t.First + i) {
			p.sums[j] += weight * v
		}
	}
	const full = 1 << (2 * placeBits)
	most := float32(^T(0))
	for i := 0; i < len(p.sums); i += 4 {
		s, q := p.sums[i:i+4:i+4], pix[i:i+4:i+4]
		alpha := s[3] / full
		if q[3] = T(min(most, alpha+0.5)); q[3] == 0 {
			continue
		}
		for c := range 3 {
			q[c] = T(min(most, s[c]/s[3]+0.5))
		}
	}
}

// row returns row y of the source, scaled along x: colours times alpha, and alpha.
func (p *placer[T]) row(y int) []float32 {
	slot := y % len(p.kept)
	out := p.kept[slot]
	if p.holds[slot] == y {
		return out
	}
	p.holds[slot] = y
	pix := p.pix[4*((p.source.Min.Y+y)*p.width+p.source.Min.X):]
	for x, t := range p.columns {
		var r, g, b, a float32
		for i, w := range t.Weights {
			q := pix[4*(t.First+i):][:4]
			v := float32(w) * float32(q[3])
			r += v * float32(q[0])
			g += v * float32(q[1])
			b += v * float32(q[2])
			a += v
		}
		o := out[4*x : 4*x+4 : 4*x+4]
		o[0], o[1], o[2], o[3] = r, g, b, a
	}
	return out
}

// Alpha returns the photo's alpha as a mask.
func Alpha(ctx context.Context, photo *cutout.Photo) (*cutout.Mask, error) {
	m := &cutout.Mask{Width: photo.Width, Height: photo.Height, Pix: make([]uint8, photo.Width*photo.Height)}
	return m, cutout.Rows(ctx, m.Height, func(from, to int) {
		for i := from * m.Width; i < to*m.Width; i++ {
			m.Pix[i] = photo.Pix[4*i+3]
		}
	})
}
