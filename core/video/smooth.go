package video

import (
	"math"
	"slices"

	"bgremover.pro/core/cutout"
)

// Parameters of smoothing.
const (
	// blocks is how many blocks, about, the longer side of a frame is divided into:
	// few enough that noise averages out in each, and that the soft edge of a mask
	// reaches no farther than into the next; leastSide is for small ones.
	blocks, leastSide = 160, 4
	// A block moves where its level has changed by so many times the noise, of 255;
	// it moves for certain from twice as much.
	above = 4
	// The noise, as it shows in blocks, is taken to be within these levels.
	leastNoise, mostNoise = 0.3, 2.5
	// settled is how many frames of a block that does not move are averaged.
	settled = 10
)

// smoother steadies the alpha of a video. Where the picture does not move, the alpha
// is the mean of the latest frames, so that it does not flicker with the noise; where
// it moves, the alpha is the frame's own, so that nothing trails.
//
// Whether a block moves is decided on its mean level, against the mean level of the
// very frames that its alpha was averaged from: slow motion adds up until it shows.
// The blocks around one that moves move too, since an edge reaches over borders.
type smoother struct {
	width, height int // of a frame
	side          int // of a block
	columns, rows int

	past   []uint16  // alpha so far, in 1/256 levels; nil before the first frame
	levels []float32 // each block's, averaged as its alpha was
	ages   []float32 // how many frames that were
}

func newSmoother(width, height int) *smoother {
	side := max(leastSide, int(math.Round(float64(max(width, height))/blocks)))
	s := &smoother{width: width, height: height, side: side, columns: (width + side - 1) / side, rows: (height + side - 1) / side}
	s.ages = make([]float32, s.columns*s.rows)
	return s
}

// smooth replaces a frame's alpha by the steady one.
func (s *smoother) smooth(photo *cutout.Photo, alpha *cutout.Mask) {
	levels := s.measure(photo)
	if s.past == nil {
		s.levels, s.past = levels, make([]uint16, len(alpha.Pix))
		for i := range s.ages {
			s.ages[i] = 1
		}
		for i, a := range alpha.Pix {
			s.past[i] = uint16(a) << 8
		}
		return
	}
	weights := s.weights(levels)
	for i, w := range weights {
		s.levels[i] += w * (levels[i] - s.levels[i])
	}
	for y := range s.height {
		row := weights[y/s.side*s.columns:][:s.columns]
		past, now := s.past[y*s.width:][:s.width], alpha.Pix[y*s.width:][:s.width]
		for x := range now {
			w := int32(row[x/s.side] * 256)
			p := int32(past[x])
			p += (int32(now[x])<<8 - p) * w >> 8
			past[x], now[x] = uint16(p), uint8((p+128)>>8)
		}
	}
}

// weights returns how much each block takes of the new frame, 0 to 1, and ages the
// blocks.
func (s *smoother) weights(levels []float32) []float32 {
	change := make([]float32, len(levels))
	for i, level := range levels {
		change[i] = max(level-s.levels[i], s.levels[i]-level)
	}
	border := above * noise(change)
	weights := s.greatest(change)
	for i, c := range weights {
		moves := max(0, min(1, c/border-1))
		s.ages[i] = min(settled, s.ages[i]*(1-moves)+1)
		weights[i] = max(1/s.ages[i], moves)
	}
	return weights
}

// noise is how much a block's level changes without motion: most blocks of most
// videos stand still, and what the median exceeds in one that pans is not noise.
func noise(change []float32) float32 {
	sorted := slices.Clone(change)
	slices.Sort(sorted)
	return max(leastNoise, min(mostNoise, 1.5*sorted[len(sorted)/2]))
}

// greatest returns the greatest value among each block and its neighbours.
func (s *smoother) greatest(values []float32) []float32 {
	across, all := make([]float32, len(values)), make([]float32, len(values))
	for i := range values {
		x := i % s.columns
		across[i] = slices.Max(values[i-min(x, 1) : i+1+min(s.columns-1-x, 1)])
	}
	for i := range across {
		all[i] = across[i]
		if i >= s.columns {
			all[i] = max(all[i], across[i-s.columns])
		}
		if i+s.columns < len(across) {
			all[i] = max(all[i], across[i+s.columns])
		}
	}
	return all
}

// measure returns each block's mean level.
func (s *smoother) measure(photo *cutout.Photo) []float32 {
	levels := make([]float32, s.columns*s.rows)
	for y := range s.height {
		row := levels[y/s.side*s.columns:][:s.columns]
		pix := photo.Pix[4*y*s.width:][:4*s.width]
		for b := range row {
			sum := 0
			for x := 4 * b * s.side; x < min(len(pix), 4*(b+1)*s.side); x += 4 {
				sum += 2*int(pix[x]) + 5*int(pix[x+1]) + int(pix[x+2])
			}
			row[b] += float32(sum)
		}
	}
	for i := range levels {
		w := min(s.side, s.width-i%s.columns*s.side)
		h := min(s.side, s.height-i/s.columns*s.side)
		levels[i] /= float32(8 * w * h)
	}
	return levels
}
