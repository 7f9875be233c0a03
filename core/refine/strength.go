package refine

import (
	"context"

	"bgremover.pro/core/cutout"
)

const (
	// strengthReach is how near, in cells, two levels must be to be compared.
	strengthReach = 3
	// mostStrength bounds how much a line is strengthened.
	mostStrength = 2
)

// peak is the highest alpha in a cell: the mask's, and that which the lines give.
type peak struct{ masked, fitted float32 }

func (p *peak) raise(o peak) {
	if o.masked > p.masked {
		p.masked = o.masked
	}
	if o.fitted > p.fitted {
		p.fitted = o.fitted
	}
}

// strengthen keeps wires and hairs from fading. A mask has them wider than they are, so
// from the pixels next to them the fit learns that their colour is only half subject. Where
// nothing nearby reaches the mask's level any more, the lines are scaled until it does; at
// the edge of anything solid both reach 1, and nothing changes.
func (g *grid) strengthen(ctx context.Context, f *field, side int) error {
	peaks, beside := make([]peak, len(f.lines)), make([]peak, len(f.lines))
	columns, rows := f.places(g.width, g.block, f.width), f.places(g.height, g.block, f.height)
	near := f.fitted.near(strengthReach)
	err := cutout.Rows(ctx, f.height, func(from, to int) {
		buffer := make([]line, f.width)
		for y := from; y < to; y++ {
			row := peaks[y*f.width:][:f.width]
			for j := y * side; j < min((y+1)*side, g.height); j++ {
				g.peaks(row, near.row(y), f, f.row(buffer, rows[j]), columns, side, j)
			}
			for x, wanted := range near.row(y) {
				if !wanted {
					continue
				}
				for i := max(0, x-strengthReach); i <= min(f.width-1, x+strengthReach); i++ {
					beside[y*f.width+x].raise(row[i])
				}
			}
		}
	})
	if err != nil {
		return err
	}
	return cutout.Rows(ctx, f.height, func(from, to int) {
		for y := from; y < to; y++ {
			for x, set := range f.fitted.row(y) {
				if set {
					var p peak
					for j := max(0, y-strengthReach); j <= min(f.height-1, y+strengthReach); j++ {
						p.raise(beside[j*f.width+x])
					}
					f.lines[y*f.width+x].strengthen(p)
				}
			}
		}
	})
}

// peaks raises those cells of a row that are wanted by grid row y.
func (g *grid) peaks(row []peak, wanted []bool, f *field, lines []line, columns []place, side, y int) {
	pix, undecided := g.pix[y*g.width:][:g.width], g.undecided.row(y)
	for cell := range row {
		if !wanted[cell] {
			continue
		}
		for x := cell * side; x < min((cell+1)*side, g.width); x++ {
			p := &pix[x]
			fitted := p.a
			if undecided[x] {
				fitted = f.improved(lines, columns[x], p)
			}
			row[cell].raise(peak{p.masked, fitted})
		}
	}
}

// strengthen scales the line so that its peak is the mask's.
func (l *line) strengthen(p peak) {
	if p.fitted <= 0 || p.fitted >= p.masked {
		return
	}
	s := min(mostStrength, p.masked/p.fitted)
	l.r *= s
	l.g *= s
	l.b *= s
	l.one *= s
}
