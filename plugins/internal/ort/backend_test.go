package ort

import (
	"context"
	"io"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"bgremover.pro/core/cutout"
	"bgremover.pro/plugins/contract"
	"bgremover.pro/plugins/internal/plugintest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// cpu returns the one backend that a process can have.
var cpu = sync.OnceValue(func() *Backend {
	return New("test", slog.New(slog.NewTextHandler(io.Discard, nil)), CPU)
})

func backend(t testing.TB) *Backend {
	t.Setenv(contract.EnvRuntime, plugintest.Runtime(t))
	if _, err := cpu().Describe(t.Context()); err != nil {
		t.Fatal(err)
	}
	return cpu()
}

// graph writes a one-node graph as a model of that size.
func graph(t *testing.T, operator string, output value, attributes ...attribute) cutout.Model {
	t.Helper()
	input := value{"x", output.element, []int64{1, 3, 8, 8}}
	file := filepath.Join(t.TempDir(), "graph.onnx")
	content, err := oneNode(operator, []value{input}, []value{output}, attributes...)
	if err == nil {
		err = os.WriteFile(file, content, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return cutout.Model{
		Name: t.Name(), Input: "x", Output: "y", Scale: 255, Std: [3]float32{1, 1, 1}, Post: cutout.PostNone,
		Variants: []cutout.Variant{{Size: 8, File: file}},
	}
}

// mean is a graph that answers the mean of the three channels.
func mean(t *testing.T, element int32, shape ...int64) cutout.Model {
	return graph(t, "ReduceMean", value{"y", element, shape}, attribute{"axes", []int64{1}})
}

func load(t testing.TB, b *Backend, m cutout.Model) {
	t.Helper()
	sizes, err := b.Load(t.Context(), m)
	if err != nil || !slices.Equal(sizes, m.Sizes()) {
		t.Fatalf("Load: sizes %v, %v", sizes, err)
	}
	t.Cleanup(func() { _ = b.Unload(context.Background(), m.Name) })
}

func ramp() *cutout.Input {
	input := &cutout.Input{Width: 8, Height: 8, Pix: make([]uint8, 192)}
	for i := range input.Pix {
		input.Pix[i] = uint8(i * 4 / 3)
	}
	return input
}

// What comes out is what the model's description says, through the real
// runtime and for every kind of tensor.
func TestModelsOfEveryKind(t *testing.T) {
	b := backend(t)
	in := ramp()
	grey := func(i int) float64 {
		return (float64(in.Pix[3*i]) + float64(in.Pix[3*i+1]) + float64(in.Pix[3*i+2])) / 3 / 255
	}
	sigmoid := mean(t, elementFloat32, 1, 1, 8, 8)
	sigmoid.Post, sigmoid.Mean, sigmoid.Std = cutout.PostSigmoid, [3]float32{0.5, 0.5, 0.5}, [3]float32{0.1, 0.1, 0.1}
	classes := graph(t, "Identity", value{"y", elementFloat32, []int64{1, 3, 8, 8}})
	classes.Post, classes.Mean = cutout.PostArgmax, [3]float32{0, 0.25, 0.5}
	unnamed := mean(t, elementFloat32, 1, 1, 8, 8)
	unnamed.Input, unnamed.Output = "", ""
	stretched := mean(t, elementFloat32, 1, 1, 8, 8)
	stretched.Post, stretched.Scale = cutout.PostMinMax, 0 // the ramp ends below 255
	tests := map[string]struct {
		model cutout.Model
		want  func(i int) float64
	}{
		"unnamed tensors": {unnamed, grey},
		"stretched":       {stretched, func(i int) float64 { return (grey(i) - grey(0)) / (grey(63) - grey(0)) }},
		"float32":         {mean(t, elementFloat32, 1, 1, 8, 8), grey},
		"float16":         {mean(t, elementFloat16, 1, 1, 8, 8), grey},
		"open dimensions": {mean(t, elementFloat32, -1, -1, -1, -1), grey},
		"sigmoid":         {sigmoid, func(i int) float64 { return 1 / (1 + math.Exp(-(grey(i)-0.5)/0.1)) }},
		"argmax": {classes, func(i int) float64 {
			r, g, b := int(in.Pix[3*i]), int(in.Pix[3*i+1]), int(in.Pix[3*i+2])
			if 4*g-255 > 4*r || 2*b-255 > 2*r {
				return 1
			}
			return 0
		}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			load(t, b, test.model)
			mask, _, err := b.Segment(t.Context(), test.model.Name, in)
			if err != nil {
				t.Fatal(err)
			}
			for i, got := range mask.Pix {
				if want := test.want(i) * 255; float64(got) < want-0.7 || float64(got) > want+0.7 {
					t.Fatalf("pixel %d: got %d, want %.2f", i, got, want)
				}
			}
		})
	}
}

func TestModelsThatDoNotFit(t *testing.T) {
	b := backend(t)
	with := func(m cutout.Model, change func(*cutout.Model)) cutout.Model {
		m.Variants = slices.Clone(m.Variants)
		change(&m)
		return m
	}
	good := mean(t, elementFloat32, 1, 1, 8, 8)
	garbage := filepath.Join(t.TempDir(), "garbage.onnx")
	if err := os.WriteFile(garbage, []byte("no graph at all"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		model cutout.Model
		says  string
	}{
		"no such file":     {with(good, func(m *cutout.Model) { m.Variants[0].File += ".no" }), "is missing"},
		"wrong checksum":   {with(good, func(m *cutout.Model) { m.Variants[0].SHA256 = "00" }), "sha256"},
		"no ONNX":          {with(good, func(m *cutout.Model) { m.Variants[0].File = garbage }), "cannot load its file garbage.onnx"},
		"no such input":    {with(good, func(m *cutout.Model) { m.Input = "pixels" }), `no input "pixels"`},
		"no such output":   {with(good, func(m *cutout.Model) { m.Output = "alpha" }), `no output "alpha"`},
		"other size":       {with(good, func(m *cutout.Model) { m.Variants[0].Size = 16 }), "does not fit"},
		"too many classes": {graph(t, "Identity", value{"y", elementFloat32, []int64{1, 3, 8, 8}}), "does not fit"},
		"integers":         {graph(t, "Identity", value{"y", elementUint8, []int64{1, 3, 8, 8}}), "float32 and float16"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := b.Load(t.Context(), test.model)
			if cutout.CodeOf(err) != cutout.Invalid || !strings.Contains(cutout.MessageOf(err), test.says) {
				t.Errorf("got %v; want Invalid, saying %q", err, test.says)
			}
			if _, _, err := b.Segment(t.Context(), test.model.Name, ramp()); cutout.CodeOf(err) != cutout.Invalid {
				t.Errorf("Segment after that: %v", err)
			}
		})
	}
}

func TestNotANumber(t *testing.T) {
	b := backend(t)
	for _, post := range []cutout.Post{cutout.PostNone, cutout.PostSigmoid, cutout.PostArgmax} {
		shape := []int64{1, 3, 8, 8}
		m := graph(t, "Sqrt", value{"y", elementFloat32, shape}) // of numbers below 0
		m.Mean, m.Post = [3]float32{0, 0, 2}, post
		if post != cutout.PostArgmax {
			m = graph(t, "ReduceLogSum", value{"y", elementFloat32, []int64{1, 1, 8, 8}}, attribute{"axes", []int64{1}})
			m.Mean, m.Post = [3]float32{9, 9, 9}, post
		}
		load(t, b, m)
		if _, _, err := b.Segment(t.Context(), m.Name, ramp()); cutout.CodeOf(err) != cutout.Internal {
			t.Errorf("%s: got %v, want an Internal error", post, err)
		}
	}
}

// The end of the context stops the network itself: its output stays untouched,
// and the session serves the next run.
func TestCancelStopsTheRun(t *testing.T) {
	b := backend(t)
	model := plugintest.ISNet(t)
	load(t, b, model)
	m := b.acquire(model.Name)
	defer m.release()
	s := m.sessions[1024]
	buffers, err := s.take()
	if err != nil {
		t.Fatal(err)
	}
	const untouched = -7
	for i := range buffers.output.Single {
		buffers.output.Single[i] = untouched
	}
	// Far less than the run takes anywhere; what matters is that it ends early.
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := s.infer([]*call{{ctx: ctx, buffers: buffers}}); cutout.CodeOf(err) != cutout.Timeout {
		t.Fatalf("got %v, want a timeout", err)
	}
	if slices.ContainsFunc(buffers.output.Single, func(v float32) bool { return v != untouched }) {
		t.Fatal("the run went on to its end")
	}
	if err := s.infer([]*call{{ctx: t.Context(), buffers: buffers}}); err != nil {
		t.Fatal(err)
	}
	if slices.Contains(buffers.output.Single, untouched) {
		t.Fatal("the next run did not fill its output")
	}
	s.put(buffers)
}

// Models come and go under runs; every run gets the mask of one of them, or
// hears that none is loaded.
func TestSwapUnderLoad(t *testing.T) {
	t.Run("one at a time", func(t *testing.T) { swapUnderLoad(t, backend(t), mean(t, elementFloat32, 1, 1, 8, 8)) })
	t.Run("several at a time", func(t *testing.T) {
		b, _ := batching(t)
		swapUnderLoad(t, b, greens(t, "Relu"))
	})
}

func swapUnderLoad(t *testing.T, b *Backend, m cutout.Model) {
	load(t, b, m)
	want, _, err := b.Segment(t.Context(), m.Name, ramp())
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for range 100 {
				mask, _, err := b.Segment(t.Context(), m.Name, ramp())
				if err != nil && cutout.CodeOf(err) != cutout.Invalid || err == nil && !slices.Equal(mask.Pix, want.Pix) {
					t.Errorf("got %v", err)
					return
				}
			}
		})
	}
	for i := range 30 {
		if i%3 == 2 {
			if err := b.Unload(t.Context(), m.Name); err != nil {
				t.Error(err)
			}
		}
		if _, err := b.Load(t.Context(), m); err != nil {
			t.Error(err)
		}
	}
	group.Wait()
}

// A call that waits for its turn leaves when its context ends.
func TestQueueHonoursContext(t *testing.T) {
	b, _ := batching(t)
	g, m := newGate(t, b), mean(t, elementFloat32, 1, 1, 8, 8)
	load(t, b, m)
	defer g.busy(t, m.Name, ramp())()
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if _, _, err := b.Segment(ctx, m.Name, ramp()); cutout.CodeOf(err) != cutout.Timeout {
		t.Errorf("got %v, want a timeout", err)
	}
}

// Sizes of tensors come from the graph, which may be anyone's.
func TestGraphsOfAnyShape(t *testing.T) {
	b := backend(t)
	dir := t.TempDir()
	rapid.Check(t, func(r *rapid.T) {
		shape := rapid.SliceOfN(rapid.SampledFrom([]int64{-1, 0, 1, 3, 8, 1 << 40}), 0, 5).Draw(r, "shape")
		file := filepath.Join(dir, "graph.onnx")
		x := value{"x", elementFloat32, shape}
		content, err := oneNode("Identity", []value{x}, []value{{"y", elementFloat32, shape}})
		if err == nil {
			err = os.WriteFile(file, content, 0o600)
		}
		if err != nil {
			r.Fatal(err)
		}
		m := mean(t, elementFloat32, 1, 1, 8, 8)
		m.Variants[0].File = file
		if _, err := b.Load(t.Context(), m); err != nil && cutout.CodeOf(err) != cutout.Invalid {
			r.Fatalf("shape %v: %v", shape, err)
		}
	})
}
