package pipeline

import (
	"bytes"
	"context"
	"encoding/binary"
	"image"
	"image/jpeg"
	"image/png"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"testing"
	"time"

	"golang.org/x/image/tiff"

	"bgremover.pro/core/cutout"
	"bgremover.pro/core/decode"
	"bgremover.pro/core/sandbox"
)

// unsure is a backend whose masks are uncertain everywhere, which is the most work.
type unsure struct{}

func (u unsure) Acquire(context.Context, string, string) (cutout.Lease, error) { return u, nil }
func (unsure) Sizes() []int                                                    { return []int{256} }
func (unsure) Release()                                                        {}

func (unsure) Segment(_ context.Context, in *cutout.Input) (*cutout.Mask, cutout.Run, error) {
	m := &cutout.Mask{Width: in.Width, Height: in.Height, Pix: make([]uint8, in.Width*in.Height)}
	for i := range m.Pix {
		m.Pix[i] = uint8(40 + (i*31+i/in.Width*17)%215)
	}
	return m, cutout.Run{}, nil
}

// noise fills samples with what no encoder can compress.
func noise(pix []uint8) {
	random := rand.New(rand.NewPCG(1, 2))
	for i := 0; i+8 <= len(pix); i += 8 {
		binary.LittleEndian.PutUint64(pix[i:], random.Uint64())
	}
}

func noisy(width, height int) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, width, height))
	noise(img.Pix)
	for i := 3; i < len(img.Pix); i += 4 {
		img.Pix[i] = 255
	}
	return img
}

func noisyDeep(width, height int) *image.NRGBA64 {
	img := image.NewNRGBA64(image.Rect(0, 0, width, height))
	noise(img.Pix)
	for i := 6; i < len(img.Pix); i += 8 {
		img.Pix[i], img.Pix[i+1] = 255, 255
	}
	return img
}

// A job's peak memory is what need estimates: never more, and not much less, since
// other jobs wait for memory that is reserved but unused.
func TestNeedIsWhatJobsTake(t *testing.T) {
	const width, height = 1600, 1200
	uploads := map[string][]byte{}
	for name, write := range map[string]func(*bytes.Buffer) error{
		"png":    func(b *bytes.Buffer) error { return png.Encode(b, noisy(width, height)) },
		"png16":  func(b *bytes.Buffer) error { return png.Encode(b, noisyDeep(width, height)) },
		"jpeg":   func(b *bytes.Buffer) error { return jpeg.Encode(b, noisy(width, height), nil) },
		"tiff16": func(b *bytes.Buffer) error { return tiff.Encode(b, noisyDeep(width, height), nil) },
	} {
		var b bytes.Buffer
		if err := write(&b); err != nil {
			t.Fatal(err)
		}
		uploads[name] = b.Bytes()
	}
	margin, half := 0.05, cutout.Length{Value: 50, Percent: true}
	points := []cutout.Point{{X: 100, Y: 100}}
	wide := [4]cutout.Length{half, half, half, half}
	for name, c := range map[string]struct {
		file    string
		options cutout.Options
	}{
		"png":                   {"png", cutout.Options{}},
		"png, raw":              {"png", cutout.Options{Edges: cutout.Raw}},
		"png, crop":             {"png", cutout.Options{Crop: &margin}},
		"png, blur and shadow":  {"png", cutout.Options{Background: &cutout.Background{Blur: cutout.UsualBlur}, Shadow: 0.5}},
		"png, picture":          {"png", cutout.Options{Background: &cutout.Background{Picture: uploads["jpeg"]}}},
		"png to jpeg":           {"png", cutout.Options{Format: cutout.JPEG, Background: &cutout.Background{Picture: uploads["png"]}}},
		"png to webp":           {"png", cutout.Options{Format: cutout.WebP}},
		"png to a mask":         {"png", cutout.Options{Output: cutout.Matte}},
		"png to a mask in webp": {"png", cutout.Options{Output: cutout.Matte, Format: cutout.WebP}},
		"png, half the size":    {"png", cutout.Options{Layout: &cutout.Layout{MaxPixels: width * height / 2}}},
		"png, wide margins":     {"png", cutout.Options{Layout: &cutout.Layout{Crop: true, Margins: wide, MaxPixels: 4 * width * height}}},
		"png to a zip":          {"png", cutout.Options{Format: cutout.ZIP, Layout: &cutout.Layout{}}},
		"png, a region":         {"png", cutout.Options{Region: &cutout.Region{Right: cutout.Length{Value: 50, Percent: true}, Bottom: cutout.Length{Value: 50, Percent: true}}}},
		"png, layout to a mask": {"png", cutout.Options{Output: cutout.Matte, Layout: &cutout.Layout{}}},
		"png, a margin":         {"png", framed(cutout.Frame{Margin: 0.1}, cutout.Options{Shadow: 1})},
		"png, a square":         {"png", framed(cutout.Frame{Aspect: 1, Margin: 0.2}, cutout.Options{Background: &cutout.Background{Blur: cutout.UsualBlur}, Shadow: 1})},
		"png, larger":           {"png", framed(cutout.Frame{Width: 3000, Height: 3000}, cutout.Options{Background: &cutout.Background{Picture: uploads["png"]}, Shadow: 1})},
		"png, larger, to jpeg":  {"png", framed(cutout.Frame{Width: 3000, Height: 3000}, cutout.Options{Format: cutout.JPEG})},
		"png, tiny":             {"png", framed(cutout.Frame{Width: 1, Height: 1}, cutout.Options{})},
		"png16, larger":         {"png16", framed(cutout.Frame{Width: 2000, Height: 2000}, cutout.Options{Depth: 16, Shadow: 1})},
		"jpeg":                  {"jpeg", cutout.Options{}},
		"png16 to 8 bits":       {"png16", cutout.Options{}},
		"png16":                 {"png16", cutout.Options{Depth: 16}},
		"png16, all of it":      {"png16", cutout.Options{Depth: 16, Crop: &margin, Shadow: 1, Background: &cutout.Background{Picture: uploads["png16"]}}},
		"png16 to a mask":       {"png16", cutout.Options{Depth: 16, Output: cutout.Matte}},
		"tiff16":                {"tiff16", cutout.Options{Depth: 16}},
		"png, points":           {"png", cutout.Options{Keep: points, Output: cutout.Matte, Format: cutout.JPEG}},
		"png16, points":         {"png16", cutout.Options{Remove: points, Depth: 16}},
		"png, hints":            {"png", cutout.Options{Hints: uploads["png"], Output: cutout.Matte, Format: cutout.JPEG}},
	} {
		limits := decode.Limits{MaxPixels: 1 << 30, MaxMemory: 1 << 40}
		options := withDefaults(c.options, cutout.Fast)
		photo, err := decode.Open(t.Context(), uploads[c.file], limits, options.Depth == 16)
		if err != nil {
			t.Fatal(err)
		}
		f := files{photo: photo}
		if f.background, err = openBehind(t.Context(), behind(options), limits); err != nil {
			t.Fatal(err)
		}
		if f.hints, err = openHints(t.Context(), options, limits); err != nil {
			t.Fatal(err)
		}
		said := need(f, options, limits)
		line := New(unsure{}, NewQueue(1, 1), 1<<40, Settings{Decode: limits, Mode: cutout.Fast, Timeout: time.Hour})
		took := peak(func() {
			if _, err := line.Remove(t.Context(), cutout.Job{Upload: uploads[c.file], Options: options}); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		})
		t.Logf("%-24s takes %4d MB, said to be %4d", name, took>>20, said>>20)
		if took > said || said > 2*took+webpFixed {
			t.Errorf("%s takes %d MB and is said to take %d", name, took>>20, said>>20)
		}
	}
}

func framed(f cutout.Frame, o cutout.Options) cutout.Options {
	o.Layout = &cutout.Layout{Frame: &f}
	return o
}

// peak is the most memory that work holds above what is held before it.
func peak(work func()) int64 {
	defer debug.SetGCPercent(debug.SetGCPercent(5))
	runtime.GC()
	held := func() int64 {
		sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
		metrics.Read(sample)
		return int64(sample[0].Value.Uint64()) + sandbox.InUse()
	}
	before, most := held(), int64(0)
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			case <-time.After(200 * time.Microsecond):
				most = max(most, held()-before)
			}
		}
	}()
	work()
	close(stop)
	<-done
	return most
}
