package cutout

import (
	"strconv"
	"strings"
)

// mostPoints bounds the points of a job: a person sets a few dozen.
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

// ParseBox reads a region such as "120,80,300,95" in pixels or "10%,20%,50%,90%" in per
// cent, from its upper left corner to its lower right; empty means none. Code: Invalid.
func ParseBox(s string) (*Region, error) {
	if s == "" {
		return nil, nil
	}
	wrong := Errorf(Invalid, "box is the part of the photo that the subject lies in: left, top, right and bottom, such as 120,80,300,95 in pixels or 10%%,20%%,50%%,90%% in per cent")
	parts := strings.Split(s, ",")
	if len(parts) != 4 {
		return nil, wrong
	}
	var sides [4]Length
	for i, part := range parts {
		value, percent, err := parseCoordinate(part)
		if err != nil {
			return nil, wrong
		}
		sides[i] = Length{value, percent}
	}
	return &Region{Left: sides[0], Top: sides[1], Right: sides[2], Bottom: sides[3]}, nil
}

func parseCoordinate(s string) (value float64, percent bool, err error) {
	number, percent := strings.CutSuffix(strings.TrimSpace(s), "%")
	value, err = strconv.ParseFloat(number, 64)
	if err == nil && !(0 <= value && value <= 1e9) {
		err = strconv.ErrRange
	}
	return value, percent, err
}
