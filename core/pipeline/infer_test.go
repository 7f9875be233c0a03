package pipeline_test

import (
	"bytes"
	"context"
	"image/png"
	"slices"
	"testing"
	"time"

	"bgremover.pro/core/cutout"
	"bgremover.pro/core/decode"
	"bgremover.pro/core/pipeline"
)

// doubtful answers at three sizes, each with its own uncertainty.
type doubtful map[int]float64

func (d doubtful) Acquire(context.Context, string, string) (cutout.Lease, error) { return d, nil }
func (doubtful) Sizes() []int                                                    { return []int{32, 64, 96} }
func (doubtful) Release()                                                        {}

// Segment's subject is the band of rows that shows which size it was seen at; it
// is n rows of 255 and enough of one half beside it for the uncertainty.
func (d doubtful) Segment(_ context.Context, in *cutout.Input) (*cutout.Mask, cutout.Run, error) {
	m := &cutout.Mask{Width: in.Width, Height: in.Height, Pix: make([]uint8, in.Width*in.Height)}
	band := m.Pix[in.Width*in.Height*(in.Width/32-1)/4:][:in.Width*in.Height/4]
	for i := range band {
		band[i] = 255
	}
	// 127 of 255 is undecided by 127, so u = n*127/255 / len(band).
	undecided := m.Pix[len(m.Pix)*3/4:][:int(d[in.Width]*float64(len(band))*255/127)]
	for i := range undecided {
		undecided[i] = 127
	}
	return m, cutout.Run{}, nil
}

func TestWhichSizesRunAndWhichMaskIsTaken(t *testing.T) {
	photo := filled(t, 96, 96, green)
	for name, c := range map[string]struct {
		mode  cutout.Mode
		doubt doubtful
		ran   []int
		taken int
	}{
		"fast asks once":                        {cutout.Fast, doubtful{32: 0.4}, []int{32}, 32},
		"auto is content":                       {cutout.Auto, doubtful{32: 0.02, 96: 0}, []int{32}, 32},
		"auto is not":                           {cutout.Auto, doubtful{32: 0.1, 96: 0.05}, []int{32, 96}, 96},
		"auto, the larger hardly less certain":  {cutout.Auto, doubtful{32: 0.1, 96: 0.13}, []int{32, 96}, 96},
		"auto, the larger far less certain":     {cutout.Auto, doubtful{32: 0.1, 96: 0.3}, []int{32, 96}, 32},
		"best asks all":                         {cutout.Best, doubtful{32: 0.01, 64: 0.01, 96: 0.01}, []int{32, 64, 96}, 96},
		"best, one is clearly the most certain": {cutout.Best, doubtful{32: 0.4, 64: 0.1, 96: 0.4}, []int{32, 64, 96}, 64},
		"best, the smallest is":                 {cutout.Best, doubtful{32: 0.1, 64: 0.2, 96: 0.4}, []int{32, 64, 96}, 32},
	} {
		line := pipeline.New(c.doubt, pipeline.NewQueue(1, 1), 1<<30, pipeline.Settings{
			Decode: decode.Limits{MaxPixels: 1 << 20, MaxMemory: 1 << 30}, Mode: cutout.Auto, Timeout: time.Minute,
		})
		result, err := line.Remove(t.Context(), cutout.Job{Upload: photo, Options: cutout.Options{
			Mode: c.mode, Output: cutout.Matte, Edges: cutout.Raw,
		}})
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(result.Run.Sizes, c.ran) || result.Run.Mode != c.mode {
			t.Errorf("%s: ran %v in mode %s", name, result.Run.Sizes, result.Run.Mode)
		}
		matte, err := png.Decode(bytes.NewReader(result.File))
		if err != nil {
			t.Fatal(err)
		}
		row := 96*(c.taken/32-1)/4 + 12 // the middle of its band
		if at(matte, 48, row).R != 255 {
			t.Errorf("%s: the mask is not that of %d", name, c.taken)
		}
	}
}
