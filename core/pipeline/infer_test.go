package pipeline_test

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"image/draw"
	"slices"
	"testing"
	"time"

	"bgremover.pro/core/cutout"
	"bgremover.pro/core/decode"
	"bgremover.pro/core/pipeline"
)

// doubtful answers at three sizes, each with its own uncertainty. Its subject is the
// left half; mirrored it has the same, so what comes back mirrored is the right half.
type doubtful map[int]float64

func (d doubtful) Acquire(context.Context, string, string) (cutout.Lease, error) { return d, nil }
func (doubtful) Sizes() []int                                                    { return []int{32, 64, 96} }
func (doubtful) Release()                                                        {}

func (d doubtful) Segment(_ context.Context, in *cutout.Input) (*cutout.Mask, cutout.Run, error) {
	m := &cutout.Mask{Width: in.Width, Height: in.Height, Pix: make([]uint8, in.Width*in.Height)}
	subject := 0
	for i := range m.Pix {
		if i%m.Width < m.Width/2 {
			m.Pix[i] = 255
			subject++
		}
	}
	// 127 of 255 is undecided by 127, so u = n*127/255 / subject.
	undecided := int(d[in.Width] * float64(subject) * 255 / 127)
	for i := range m.Pix {
		if undecided > 0 && i%m.Width >= m.Width/2 {
			m.Pix[i] = 127
			undecided--
		}
	}
	return m, cutout.Run{Backend: "test"}, nil
}

func TestWhichViewsRun(t *testing.T) {
	photo := filled(t, 96, 96, green)
	for name, c := range map[string]struct {
		mode    cutout.Mode
		doubt   doubtful
		ran     []int
		subject cutout.Subject
	}{
		"fast asks once":             {cutout.Fast, doubtful{32: 0.2}, []int{32}, cutout.SubjectFound},
		"fast may be unsure":         {cutout.Fast, doubtful{32: 0.4}, []int{32}, cutout.SubjectUnsure},
		"auto is certain":            {cutout.Auto, doubtful{32: 0.02}, []int{32}, cutout.SubjectFound},
		"auto is not":                {cutout.Auto, doubtful{32: 0.04}, []int{32, 64, 96}, cutout.SubjectFound},
		"auto stays in doubt":        {cutout.Auto, doubtful{32: 0.4, 64: 0.4, 96: 0.4}, []int{32, 64, 96}, cutout.SubjectUnsure},
		"best is certain":            {cutout.Best, doubtful{}, []int{32, 64, 96}, cutout.SubjectFound},
		"best asks for the mirrored": {cutout.Best, doubtful{32: 0.2, 64: 0.2, 96: 0.2}, []int{32, 64, 96, 96}, cutout.SubjectUnsure},
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
		if !slices.Equal(result.Run.Sizes, c.ran) || result.Run.Mode != c.mode || result.Subject != c.subject || result.Run.Backend != "test" {
			t.Errorf("%s: subject %s, ran %+v", name, result.Subject, result.Run)
		}
		matte := pictureOf(t, result)
		// The mirrored view brings the right half in.
		mirrored := len(c.ran) == 4
		if left, right := at(matte, 20, 90).R, at(matte, 80, 90).R; left != 255 || (right > 128) != mirrored {
			t.Errorf("%s: levels %d and %d", name, left, right)
		}
	}
}

// inTurn is a backend whose nth mask is even, of the nth level.
type inTurn struct {
	doubtful
	levels []uint8
}

func (b *inTurn) Acquire(context.Context, string, string) (cutout.Lease, error) { return b, nil }

func (b *inTurn) Segment(_ context.Context, in *cutout.Input) (*cutout.Mask, cutout.Run, error) {
	level := b.levels[0]
	b.levels = b.levels[1:]
	return &cutout.Mask{Width: in.Width, Height: in.Height, Pix: bytes.Repeat([]byte{level}, in.Width*in.Height)}, cutout.Run{}, nil
}

// Before auto says that there is nothing, it looks at the mirrored photo too.
func TestAutoLooksOnceMoreBeforeItFindsNothing(t *testing.T) {
	photo := filled(t, 96, 96, green)
	for _, c := range []struct {
		levels  []uint8
		subject cutout.Subject
		left    int
	}{
		{[]uint8{20, 20, 20, 20}, cutout.SubjectNone, 0},
		{[]uint8{20, 20, 20, 70}, cutout.SubjectUnsure, 0},
		{[]uint8{20, 20, 70, 70}, cutout.SubjectUnsure, 1},
	} {
		backend := &inTurn{levels: c.levels}
		line := pipeline.New(backend, pipeline.NewQueue(1, 1), 1<<30, pipeline.Settings{
			Decode: decode.Limits{MaxPixels: 1 << 20, MaxMemory: 1 << 30}, Mode: cutout.Auto, Timeout: time.Minute,
		})
		result, err := line.Remove(t.Context(), cutout.Job{Upload: photo})
		if err != nil {
			t.Fatal(err)
		}
		if result.Subject != c.subject || len(backend.levels) != c.left {
			t.Errorf("%v: subject %s, %d not asked for", c.levels, result.Subject, len(backend.levels))
		}
	}
}

// Only sky and texture count as having no subject; the result is then empty, unless
// the job asks to keep it.
func TestNoSubject(t *testing.T) {
	photo := filled(t, 96, 96, green)
	for level, want := range map[uint8]cutout.Subject{0: cutout.SubjectNone, 40: cutout.SubjectNone, 70: cutout.SubjectUnsure} {
		mask := image.NewGray(image.Rect(0, 0, 64, 64))
		draw.Draw(mask, image.Rect(8, 8, 40, 40), image.NewUniform(color.Gray{Y: level}), image.Point{}, draw.Src)
		for _, anyway := range []bool{false, true} {
			line := pipeline.New(drawn{mask}, pipeline.NewQueue(1, 1), 1<<30, pipeline.Settings{
				Decode: decode.Limits{MaxPixels: 1 << 20, MaxMemory: 1 << 30}, Mode: cutout.Fast, Timeout: time.Minute,
			})
			result, err := line.Remove(t.Context(), cutout.Job{Upload: photo, Options: cutout.Options{Output: cutout.Matte, Edges: cutout.Raw, Anyway: anyway}})
			if err != nil {
				t.Fatal(err)
			}
			matte := pictureOf(t, result)
			shown := at(matte, 30, 30).R > 128
			if result.Subject != want || shown != (level == 70 || level == 40 && anyway) {
				t.Errorf("level %d, anyway %v: subject %s, shown %v", level, anyway, result.Subject, shown)
			}
		}
	}
}
