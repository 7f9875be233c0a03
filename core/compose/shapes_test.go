package compose_test

import (
	"context"
	"image"
	"image/color"
	"runtime"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"bgremover.pro/core/compose"
	"bgremover.pro/core/cutout"
)

// stages are all that is done to a photo here, with the alpha and a picture.
var stages = map[string]func(ctx context.Context, photo *cutout.Photo, alpha *cutout.Mask, picture *cutout.Photo) error{
	"cutout": func(ctx context.Context, photo *cutout.Photo, alpha *cutout.Mask, _ *cutout.Photo) error {
		return compose.Cutout(ctx, photo, alpha, true)
	},
	"blurred": func(ctx context.Context, photo *cutout.Photo, alpha *cutout.Mask, _ *cutout.Photo) error {
		_, err := compose.Blurred(ctx, photo, alpha, cutout.UsualBlur)
		return err
	},
	"shadow": func(ctx context.Context, photo *cutout.Photo, _ *cutout.Mask, _ *cutout.Photo) error {
		return compose.Shadow(ctx, photo, 0.5)
	},
	"picture": func(ctx context.Context, photo *cutout.Photo, _ *cutout.Mask, picture *cutout.Photo) error {
		return compose.Picture(ctx, photo, picture)
	},
	"gradient": func(ctx context.Context, photo *cutout.Photo, _ *cutout.Mask, _ *cutout.Photo) error {
		return compose.Gradient(ctx, photo, color.NRGBA{R: 1}, color.NRGBA{B: 255}, 33)
	},
	"flatten": func(ctx context.Context, photo *cutout.Photo, _ *cutout.Mask, _ *cutout.Photo) error {
		return compose.Flatten(ctx, photo, color.NRGBA{R: 1})
	},
	"bounds": func(ctx context.Context, photo *cutout.Photo, _ *cutout.Mask, _ *cutout.Photo) error {
		_, err := compose.Bounds(ctx, photo)
		return err
	},
	"crop": func(ctx context.Context, photo *cutout.Photo, _ *cutout.Mask, _ *cutout.Photo) error {
		_, err := compose.Crop(ctx, photo, image.Rect(0, 0, photo.Width, photo.Height-1))
		return err
	},
}

// shaped is a photo whose alpha is of every kind.
func shaped(width, height int, deep bool) (*cutout.Photo, *cutout.Mask) {
	photo := &cutout.Photo{Width: width, Height: height, Pix: make([]uint8, 4*width*height)}
	alpha := &cutout.Mask{Width: width, Height: height, Pix: make([]uint8, width*height)}
	for i := range alpha.Pix {
		photo.Pix[4*i], photo.Pix[4*i+3], alpha.Pix[i] = uint8(i), uint8(255*(i%7)/6), uint8(i*37)
	}
	if deep {
		photo.Deep = make([]uint16, 4*width*height)
	}
	return photo, alpha
}

// bound is what a stage may allocate in all: a copy of the photo, some lines, and
// the pyramid and grids of a fixed size.
func bound(photo *cutout.Photo) uint64 {
	pixels, sides := uint64(photo.Width*photo.Height), uint64(photo.Width+photo.Height)
	perPixel := uint64(6)
	if photo.Deep != nil {
		perPixel = 14
	}
	level := min(2*pixels, 4*1024*768)
	return perPixel*pixels + 256*sides + 96*level + 8<<20
}

func check(t rapid.TB, name string, width, height, pictureWidth, pictureHeight int, deep bool) {
	photo, alpha := shaped(width, height, deep)
	picture, _ := shaped(pictureWidth, pictureHeight, false)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	err := stages[name](context.Background(), photo, alpha, picture)
	runtime.ReadMemStats(&after)
	if err != nil {
		t.Fatal(err)
	}
	if spent := after.TotalAlloc - before.TotalAlloc; spent > bound(photo) {
		t.Fatalf("%s of %d x %d, with a picture of %d x %d: %d kB, not %d", name, width, height, pictureWidth, pictureHeight, spent>>10, bound(photo)>>10)
	}
}

var extremes = []image.Point{{1, 1}, {1, 32767}, {32767, 1}, {2, 32767}, {32767, 2}, {3, 3000}, {32767, 20}, {20, 32767}, {700, 700}}

// No stage takes memory by a side or by the other picture's size, whatever the
// shapes.
func TestMemoryOfExtremeShapes(t *testing.T) {
	for name := range stages {
		for i, size := range extremes {
			other := extremes[(i*5+3)%len(extremes)]
			check(t, name, size.X, size.Y, other.X, other.Y, i%2 == 0)
		}
	}
	check(t, "picture", 1, 32767, 2500, 2500, false) // of which a column is seen
}

func TestMemoryOfAnyShape(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		side := func(name string, most int) int {
			return rapid.OneOf(rapid.IntRange(1, most), rapid.SampledFrom([]int{1, 2, most})).Draw(t, name)
		}
		width, pictureWidth := side("width", 32767), side("picture's width", 32767)
		height, pictureHeight := side("height", min(32767, max(1, 100_000/width))), side("picture's height", min(32767, max(1, 100_000/pictureWidth)))
		stage := rapid.SampledFrom([]string{"cutout", "blurred", "shadow", "picture", "gradient", "flatten", "bounds", "crop"}).Draw(t, "stage")
		check(t, stage, width, height, pictureWidth, pictureHeight, rapid.Bool().Draw(t, "deep"))
	})
}

// A stage whose visitor has left does not start on the pixels.
func TestStagesEndWithTheirContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for name, stage := range stages {
		t.Run(name, func(t *testing.T) {
			photo, alpha := shaped(300, 200, false)
			before := slices.Clone(photo.Pix)
			if err := stage(ctx, photo, alpha, photo); err == nil {
				t.Error("no error")
			}
			if !slices.Equal(photo.Pix, before) {
				t.Error("pixels were worked on")
			}
		})
	}
}
