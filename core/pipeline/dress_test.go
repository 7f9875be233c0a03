package pipeline_test

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"image/png"
	"testing"
	"time"

	"bgremover.pro/core/cutout"
	"bgremover.pro/core/decode"
	"bgremover.pro/core/pipeline"
)

// square finds its subject in the middle half of every photo.
type square struct{}

func (s square) Acquire(context.Context, string, string) (cutout.Lease, error) { return s, nil }
func (square) Sizes() []int                                                    { return []int{64} }
func (square) Release()                                                        {}

func (square) Segment(_ context.Context, in *cutout.Input) (*cutout.Mask, cutout.Run, error) {
	m := &cutout.Mask{Width: in.Width, Height: in.Height, Pix: make([]uint8, in.Width*in.Height)}
	for i := range m.Pix {
		x, y := i%m.Width, i/m.Width
		if x >= m.Width/4 && x < m.Width*3/4 && y >= m.Height/4 && y < m.Height*3/4 {
			m.Pix[i] = 255
		}
	}
	return m, cutout.Run{}, nil
}

var (
	red   = color.NRGBA{R: 220, G: 30, B: 20, A: 255}
	green = color.NRGBA{R: 20, G: 200, B: 30, A: 255}
	blue  = color.NRGBA{R: 10, G: 20, B: 230, A: 255}
)

// filled is a PNG of one colour with a red square on its middle half.
func filled(t *testing.T, width, height int, c color.NRGBA) []byte {
	t.Helper()
	img := image.NewNRGBA(image.Rect(0, 0, width, height))
	draw.Draw(img, img.Rect, image.NewUniform(c), image.Point{}, draw.Src)
	draw.Draw(img, image.Rect(width/4, height/4, width*3/4, height*3/4), image.NewUniform(red), image.Point{}, draw.Src)
	var file bytes.Buffer
	if err := png.Encode(&file, img); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

// line has room for so many bytes of decoded pictures.
func line(room int64) *pipeline.Pipeline {
	return pipeline.New(square{}, pipeline.NewQueue(1, 1), room, pipeline.Settings{
		Decode: decode.Limits{MaxPixels: 1 << 20, MaxMemory: 64 << 20}, Mode: cutout.Fast, Timeout: time.Minute,
	})
}

func TestWhatBelongsAroundTheSubject(t *testing.T) {
	photo, beach := filled(t, 320, 240, green), filled(t, 50, 80, blue)
	none, tenth := 0.0, 0.1
	for name, c := range map[string]struct {
		options       cutout.Options
		width, height int
		corner        color.NRGBA // of the result; the subject itself stays red
		fades         bool        // something lies under the subject, in its middle
	}{
		"the whole photo":       {width: 320, height: 240},
		"a crop":                {options: cutout.Options{Crop: &none}, width: 160, height: 120, corner: red},
		"a crop with a margin":  {options: cutout.Options{Crop: &tenth}, width: 192, height: 152},
		"a shadow":              {options: cutout.Options{Shadow: 0.6}, width: 320, height: 240, fades: true},
		"a colour":              {options: cutout.Options{Background: cutout.Plain(blue)}, width: 320, height: 240, corner: blue},
		"a gradient":            {options: cutout.Options{Background: &cutout.Background{From: blue, To: green}}, width: 320, height: 240, corner: green},
		"a gradient, downwards": {options: cutout.Options{Background: &cutout.Background{From: blue, To: green, Degrees: 180}}, width: 320, height: 240, corner: blue},
		"the photo, blurred":    {options: cutout.Options{Background: &cutout.Background{Blur: cutout.UsualBlur}}, width: 320, height: 240, corner: green},
		"a picture":             {options: cutout.Options{Background: &cutout.Background{Picture: beach}}, width: 320, height: 240, corner: blue},
		"blurred and cropped":   {options: cutout.Options{Crop: &tenth, Background: &cutout.Background{Blur: cutout.UsualBlur}}, width: 192, height: 152, corner: green},
		"coloured and cropped":  {options: cutout.Options{Crop: &tenth, Background: cutout.Plain(blue)}, width: 192, height: 152, corner: blue},
		"a mask has none of it": {options: cutout.Options{Output: cutout.Matte, Crop: &tenth, Shadow: 1, Background: &cutout.Background{Picture: []byte("x")}}, width: 320, height: 240, corner: color.NRGBA{A: 255}},
	} {
		result, err := line(64<<20).Remove(t.Context(), cutout.Job{Upload: photo, Options: c.options})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got := pictureOf(t, result)
		if size := got.Bounds().Size(); size != image.Pt(c.width, c.height) || size != image.Pt(result.Width, result.Height) {
			t.Errorf("%s: %v, said to be %dx%d", name, size, result.Width, result.Height)
		}
		if corner := at(got, 0, 0); !near(corner, c.corner) {
			t.Errorf("%s: the corner is %v", name, corner)
		}
		if middle := at(got, c.width/2, c.height/2); c.options.Output != cutout.Matte && !near(middle, red) {
			t.Errorf("%s: the subject is %v", name, middle)
		}
		if under := at(got, 160, min(182, c.height-1)); c.fades && (under.A < 30 || under.A > 200 || under.R > 40) {
			t.Errorf("%s: under the subject there is %v", name, under)
		}
	}
}

func pictureOf(t *testing.T, result *cutout.Result) image.Image {
	t.Helper()
	picture, err := png.Decode(bytes.NewReader(result.File))
	if err != nil {
		t.Fatal(err)
	}
	return picture
}

func at(img image.Image, x, y int) color.NRGBA {
	return color.NRGBAModel.Convert(img.At(x, y)).(color.NRGBA)
}

func near(a, b color.NRGBA) bool {
	d := func(x, y uint8) bool { return max(x, y)-min(x, y) <= 12 }
	return d(a.R, b.R) && d(a.G, b.G) && d(a.B, b.B) && d(a.A, b.A)
}

func TestJPEGLiesOnWhite(t *testing.T) {
	result, err := line(64<<20).Remove(t.Context(), cutout.Job{Upload: filled(t, 64, 64, green), Options: cutout.Options{Format: cutout.JPEG}})
	if err != nil {
		t.Fatal(err)
	}
	got, err := jpeg.Decode(bytes.NewReader(result.File))
	if err != nil || !near(at(got, 0, 0), color.NRGBA{R: 255, G: 255, B: 255, A: 255}) {
		t.Errorf("%v, %v", at(got, 0, 0), err)
	}
}

// A picture to lie behind counts as the photo does: it is checked on its header,
// and its memory is asked for together with the photo's.
func TestBackgroundPicturesAreCheckedToo(t *testing.T) {
	photo := filled(t, 64, 64, green)
	for name, c := range map[string]struct {
		picture []byte
		code    cutout.Code
	}{
		"no picture":   {[]byte("hello"), cutout.UnsupportedFormat},
		"cut off":      {photo[:len(photo)/2], cutout.Invalid},
		"far too wide": {filled(t, 2<<20, 1, green), cutout.TooManyPixels},
	} {
		_, err := line(64<<20).Remove(t.Context(), cutout.Job{Upload: photo, Options: cutout.Options{Background: &cutout.Background{Picture: c.picture}}})
		if cutout.CodeOf(err) != c.code || !bytes.Contains([]byte(cutout.MessageOf(err)), []byte("background picture")) {
			t.Errorf("%s: %v", name, err)
		}
	}
	tight := line(24<<20 + 4096*100) // enough for the photo alone
	if _, err := tight.Remove(t.Context(), cutout.Job{Upload: photo}); err != nil {
		t.Error(err)
	}
	large := filled(t, 500, 500, green)
	_, err := tight.Remove(t.Context(), cutout.Job{Upload: photo, Options: cutout.Options{Background: &cutout.Background{Picture: large}}})
	if cutout.CodeOf(err) != cutout.TooManyPixels {
		t.Errorf("with a picture that does not fit: %v", err)
	}
}
