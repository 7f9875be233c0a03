package cutout

import (
	"strconv"
	"strings"
)

// mostPoints bounds the points of a job; a person sets a few dozen.
const mostPoints = 1000

// Point is a place in a photo, from its upper left corner: in pixels, or in per cent
// of width and height.
type Point struct {
	X, Y    float64
	Percent bool
}

// ParsePoints reads points such as "120,80;300,95" in pixels or "50%,20%" in per
// cent; empty means none. The name is the option's, for the error. Code: Invalid.
func ParsePoints(name, s string) ([]Point, error) {
	var points []Point
	for item := range strings.SplitSeq(s, ";") {
		if strings.TrimSpace(item) == "" {
			continue
		}
		if len(points) == mostPoints {
			return nil, Errorf(Invalid, "%s has too many points: at most %d", name, mostPoints)
		}
		x, y, _ := strings.Cut(item, ",")
		a, percentX, errX := parseCoordinate(x)
		b, percentY, errY := parseCoordinate(y)
		if errX != nil || errY != nil || percentX != percentY {
			return nil, Errorf(Invalid, "%s is a list of points such as 120,80;300,95 in pixels or 50%%,20%% in per cent", name)
		}
		points = append(points, Point{a, b, percentX})
	}
	return points, nil
}

func parseCoordinate(s string) (value float64, percent bool, err error) {
	number, percent := strings.CutSuffix(strings.TrimSpace(s), "%")
	value, err = strconv.ParseFloat(number, 64)
	if err == nil && !(0 <= value && value <= 1e9) {
		err = strconv.ErrRange
	}
	return value, percent, err
}

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

// Empty reports whether nothing is decided, as in nil.
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

// Within returns what is said about pixel x, y of a grid over the photo: the more frequent
// of the seeds in it, and Keep if both are equally frequent.
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
