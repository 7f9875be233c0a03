package cutout

// Seed is what a person says about a place in a photo.
type Seed uint8

// The seeds.
const (
	Undecided Seed = iota
	Keep           // belongs to the subject
	Remove         // does not
)

// Seeds are what a person says about a photo: a map of any size that is spread over
// the whole of it, like a trimap.
type Seeds struct {
	Width, Height int
	// Pix holds one seed a pixel.
	Pix []Seed
}

// Empty says that nothing is decided; so it is for nil.
func (s *Seeds) Empty() bool {
	if s == nil {
		return true
	}
	for _, seed := range s.Pix {
		if seed != Undecided {
			return false
		}
	}
	return true
}

// Within returns what is said about pixel x, y of a grid over the photo: of several
// seeds in it that of which there are more, and of as many of each, Keep.
func (s *Seeds) Within(x, y, width, height int) Seed {
	left, top := x*s.Width/width, y*s.Height/height
	right, bottom := max(left+1, (x+1)*s.Width/width), max(top+1, (y+1)*s.Height/height)
	var counts [3]int
	for j := top; j < bottom; j++ {
		for _, seed := range s.Pix[j*s.Width+left : j*s.Width+right] {
			counts[min(seed, Remove)]++
		}
	}
	switch {
	case counts[Keep]+counts[Remove] == 0:
		return Undecided
	case counts[Keep] >= counts[Remove]:
		return Keep
	}
	return Remove
}
