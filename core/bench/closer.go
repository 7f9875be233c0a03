package bench

import (
	"image"
	"image/color"
	"slices"

	"golang.org/x/image/draw"
)

const (
	// window is the side, in the photo's own pixels, of what is shown closer.
	window = 160
	// closer is how much larger it is shown.
	closer = 2
	// windows a photo, at most.
	windows = 2
)

// ground shows what is left of an old background, which is seldom of such a
// colour.
var ground = color.NRGBA{R: 60, G: 105, B: 215, A: 255}

// edges finds where a matte has most half-transparent pixels: hair, fur, glass,
// spokes. The windows do not overlap, and lie in a grid of half their side.
func edges(matte []uint8, width, height int) []image.Rectangle {
	type found struct {
		at    image.Rectangle
		mixed int
	}
	var all []found
	for top := 0; top < max(1, height-window/2); top += window / 2 {
		for left := 0; left < max(1, width-window/2); left += window / 2 {
			at := image.Rect(left, top, left+window, top+window).Intersect(image.Rect(0, 0, width, height))
			all = append(all, found{at, mixed(matte, width, at)})
		}
	}
	slices.SortStableFunc(all, func(a, b found) int { return b.mixed - a.mixed })
	var chosen []image.Rectangle
	for _, f := range all {
		apart := !slices.ContainsFunc(chosen, f.at.Overlaps)
		if len(chosen) < windows && f.mixed > 0 && apart {
			chosen = append(chosen, f.at)
		}
	}
	return chosen
}

func mixed(matte []uint8, width int, at image.Rectangle) (n int) {
	for y := at.Min.Y; y < at.Max.Y; y++ {
		for _, a := range matte[y*width+at.Min.X : y*width+at.Max.X] {
			if a > 15 && a < 240 {
				n++
			}
		}
	}
	return n
}

// closeUps shows the windows of a picture on a plain ground, pixel by pixel.
func closeUps(picture *image.NRGBA, at []image.Rectangle) (all []JPEG) {
	for _, w := range at {
		shown := image.NewRGBA(image.Rect(0, 0, closer*w.Dx(), closer*w.Dy()))
		draw.Draw(shown, shown.Bounds(), image.NewUniform(ground), image.Point{}, draw.Src)
		draw.NearestNeighbor.Scale(shown, shown.Bounds(), picture, w, draw.Over, nil)
		all = append(all, encode(shown))
	}
	return all
}
