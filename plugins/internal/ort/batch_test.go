package ort

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"bgremover.pro/core/cutout"
	"bgremover.pro/plugins/internal/onnxgraph"
	"bgremover.pro/plugins/internal/onnxgraph/onnx"
	"bgremover.pro/plugins/internal/plugintest"
)

// batching returns a backend on the processor that runs up to four pictures at once, as
// that for GPUs does, and what it logs.
func batching(t testing.TB) (*Backend, *bytes.Buffer) {
	t.Helper()
	like, log := backend(t), &bytes.Buffer{}
	b := &Backend{
		name: "batching", log: slog.New(slog.NewTextHandler(log, nil)), started: like.started, models: map[string]*model{},
		options: like.options, provider: like.provider,
	}
	b.options.Concurrency, b.provider.Batch = 8, true
	b.queue = &queue{workers: 1, work: b.compute}
	return b, log
}

// gate holds each run of a backend until the test lets it begin.
type gate struct {
	b     *Backend
	begun chan []*call
	open  chan struct{}
}

func newGate(t *testing.T, b *Backend) *gate {
	g := &gate{b, make(chan []*call), make(chan struct{})}
	work := b.queue.work
	b.queue.work = func(calls []*call) {
		select {
		case g.begun <- calls:
			select {
			case <-g.open:
			case <-t.Context().Done(): // the test failed
			}
		case <-t.Context().Done():
		}
		work(calls)
	}
	return g
}

// run lets the next run begin, after changes, and returns how many pictures it has.
func (g *gate) run(changes ...func()) int {
	calls := <-g.begun
	for _, change := range changes {
		change()
	}
	g.open <- struct{}{}
	return len(calls)
}

type answer struct {
	mask []uint8
	err  error
}

// ask segments a picture, and returns once its call waits behind another; the answer
// comes later.
func (g *gate) ask(ctx context.Context, model string, in *cutout.Input) chan answer {
	waiting := func() int {
		g.b.queue.mu.Lock()
		defer g.b.queue.mu.Unlock()
		return len(g.b.queue.waiting)
	}
	before, answers := waiting(), g.begin(ctx, model, in)
	for waiting() == before {
		runtime.Gosched()
	}
	return answers
}

func (g *gate) begin(ctx context.Context, model string, in *cutout.Input) chan answer {
	answers := make(chan answer, 1)
	go func() {
		mask, _, err := g.b.Segment(ctx, model, in)
		if err != nil {
			mask = &cutout.Mask{}
		}
		answers <- answer{mask.Pix, err}
	}()
	return answers
}

// busy begins a run that is held, behind which others wait; the result ends it.
func (g *gate) busy(t *testing.T, model string, in *cutout.Input) (end func()) {
	t.Helper()
	answers := g.begin(t.Context(), model, in)
	<-g.begun
	return func() {
		g.open <- struct{}{}
		if a := <-answers; a.err != nil {
			t.Error(a.err)
		}
	}
}

// alone returns the mask that a picture gets in a run of its own.
func (g *gate) alone(t *testing.T, model string, in *cutout.Input) []uint8 {
	t.Helper()
	answers := g.begin(t.Context(), model, in)
	g.run()
	a := <-answers
	if a.err != nil {
		t.Fatal(a.err)
	}
	return a.mask
}

// isnet is the default model in its installed precision, at a size that is quick.
func isnet(t testing.TB, size int) cutout.Model {
	t.Helper()
	m := plugintest.ISNet(t)
	file, err := os.ReadFile(m.Variants[0].File)
	if err != nil {
		t.Fatal(err)
	}
	g, err := onnxgraph.Parse(file, m.Input, m.Output)
	if err == nil {
		g, err = g.Trimmed()
	}
	if err == nil {
		g, err = g.Resized(size)
	}
	if err != nil {
		t.Fatal(err)
	}
	content, err := g.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	m.Variants = []cutout.Variant{{Size: size, File: filepath.Join(t.TempDir(), "isnet.onnx")}}
	if err := os.WriteFile(m.Variants[0].File, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return m
}

// What waits while a run is in progress goes together in the next, and each picture gets
// its own mask.
func TestTogether(t *testing.T) {
	b, _ := batching(t)
	g, m := newGate(t, b), isnet(t, 256)
	load(t, b, m)
	pictures := []*cutout.Input{disc(256, 60), disc(256, 90), disc(256, 110)}
	var want [][]uint8
	for _, in := range pictures {
		want = append(want, g.alone(t, m.Name, in))
	}
	end := g.busy(t, m.Name, pictures[0])
	var answers []chan answer
	for _, in := range pictures {
		answers = append(answers, g.ask(t.Context(), m.Name, in))
	}
	end()
	if n := g.run(); n != 3 {
		t.Errorf("the second run has %d pictures, not 3", n)
	}
	for i, ch := range answers {
		a := <-ch
		if a.err != nil {
			t.Fatal(a.err)
		}
		far := 0
		for j := range a.mask {
			far = max(far, int(a.mask[j])-int(want[i][j]), int(want[i][j])-int(a.mask[j]))
		}
		if t.Logf("picture %d: at most %d levels from its mask alone", i, far); far > 1 {
			t.Errorf("picture %d: its mask is %d levels from the one it gets alone", i, far)
		}
	}
	if slices.Equal(want[0], want[1]) || slices.Equal(want[1], want[2]) {
		t.Error("the pictures have the same mask")
	}
}

// picture is 8x8 pixels of one colour.
func picture(r, g, b uint8) *cutout.Input {
	return &cutout.Input{Width: 8, Height: 8, Pix: bytes.Repeat([]byte{r, g, b}, 64)}
}

// greens is a graph for any number of pictures: white where a picture has more green or
// blue than red.
func greens(t *testing.T, operator string) cutout.Model {
	t.Helper()
	m := graph(t, operator, value{"y", elementFloat32, []int64{1, 3, 8, 8}})
	m.Post = cutout.PostArgmax
	return m
}

func expect(t *testing.T, answers chan answer, level uint8) {
	t.Helper()
	if a := <-answers; a.err != nil || !slices.Equal(a.mask, bytes.Repeat([]byte{level}, 64)) {
		t.Errorf("got %d, %v; want all %d", a.mask, a.err, level)
	}
}

// A run takes four pictures at most, all for the same model and size as the one that
// waited longest.
func TestWhoGoesTogether(t *testing.T) {
	b, _ := batching(t)
	g, m, other := newGate(t, b), greens(t, "Relu"), greens(t, "Identity")
	other.Name = "other"
	load(t, b, m)
	load(t, b, other)
	end := g.busy(t, m.Name, picture(1, 0, 0))
	var answers []chan answer
	models := []string{m.Name, other.Name, m.Name, m.Name, other.Name, m.Name, m.Name}
	for i, name := range models {
		answers = append(answers, g.ask(t.Context(), name, picture(100, uint8(i%2*200), 0)))
	}
	end()
	if got, want := []int{g.run(), g.run(), g.run()}, []int{4, 2, 1}; !slices.Equal(got, want) {
		t.Errorf("the runs have %d pictures, not %d", got, want)
	}
	for i, ch := range answers {
		expect(t, ch, uint8(i%2*255))
	}
}

// Callers that leave, before the run or during it, get their answer at once, and the
// others theirs.
func TestOneLeaves(t *testing.T) {
	b, _ := batching(t)
	g, m := newGate(t, b), greens(t, "Relu")
	load(t, b, m)
	end := g.busy(t, m.Name, picture(1, 0, 0))
	before, leaveBefore := context.WithCancel(t.Context())
	during, leaveDuring := context.WithCancel(t.Context())
	stay := g.ask(t.Context(), m.Name, picture(0, 9, 0))
	early, late := g.ask(before, m.Name, picture(9, 0, 0)), g.ask(during, m.Name, picture(9, 0, 0))
	too := g.ask(t.Context(), m.Name, picture(9, 0, 0))
	gone := func(leave func(), answers chan answer) {
		leave()
		if a := <-answers; cutout.CodeOf(a.err) != cutout.Canceled {
			t.Errorf("one that left got %v", a.err)
		}
	}
	gone(leaveBefore, early)
	end()
	if n := g.run(func() { gone(leaveDuring, late) }); n != 3 {
		t.Errorf("the run has %d pictures, not 3", n)
	}
	expect(t, stay, 255)
	expect(t, too, 0)
	g.alone(t, m.Name, picture(1, 0, 0)) // and the next run begins
}

// A run goes on while one caller is left, and no longer.
func TestWhileWanted(t *testing.T) {
	var calls []*call
	var leave []context.CancelFunc
	for range 3 {
		ctx, cancel := context.WithCancel(t.Context())
		calls, leave = append(calls, &call{ctx: ctx}), append(leave, cancel)
	}
	ctx, stop := whileWanted(calls)
	defer stop()
	leave[2]()
	leave[0]()
	if ctx.Err() != nil {
		t.Error("it ended while one is left")
	}
	leave[1]()
	<-ctx.Done()
}

// A picture on which the model fails is the only one that fails.
func TestOneFails(t *testing.T) {
	b, _ := batching(t)
	g, m := newGate(t, b), greens(t, "Sqrt")
	m.Mean = [3]float32{0.5, 0.5, 0.5} // no root of dark samples
	load(t, b, m)
	end := g.busy(t, m.Name, picture(200, 200, 200))
	good := g.ask(t.Context(), m.Name, picture(200, 220, 200))
	bad := g.ask(t.Context(), m.Name, picture(200, 20, 200))
	too := g.ask(t.Context(), m.Name, picture(220, 200, 200))
	end()
	if n := g.run(); n != 3 {
		t.Errorf("the run has %d pictures, not 3", n)
	}
	expect(t, good, 255)
	expect(t, too, 0)
	if a := <-bad; cutout.CodeOf(a.err) != cutout.Internal {
		t.Errorf("the picture on which the model fails got %v", a.err)
	}
}

// one is a graph that looks as if it took any number of pictures, but takes one: it
// brings them to a size that includes their number.
func one(t *testing.T) cutout.Model {
	t.Helper()
	m := greens(t, "Relu")
	content, err := os.ReadFile(m.Variants[0].File)
	if err != nil {
		t.Fatal(err)
	}
	var parsed onnx.Model
	if err := proto.Unmarshal(content, &parsed); err != nil {
		t.Fatal(err)
	}
	size := int32(7) // TensorProto.INT64
	parsed.Graph.Initializer = []*onnx.Tensor{{Name: proto.String("size"), DataType: &size, Dims: []int64{4}, Int64Data: []int64{1, 3, 8, 8}}}
	parsed.Graph.Node[0].Output[0] = "r"
	parsed.Graph.Node = append(parsed.Graph.Node,
		&onnx.Node{OpType: proto.String("Identity"), Input: []string{"size"}, Output: []string{"same"}},
		&onnx.Node{OpType: proto.String("Resize"), Input: []string{"r", "", "", "same"}, Output: []string{"y"}})
	if content, err = proto.Marshal(&parsed); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(m.Variants[0].File, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return m
}

// Where a run of several fails, as one does for which the device has no memory, each
// picture has its own, and later runs take fewer.
func TestRunOfSeveralFails(t *testing.T) {
	b, log := batching(t)
	g, m := newGate(t, b), one(t)
	load(t, b, m)
	for _, want := range [][]int{{4}, {2, 1, 1}, {1, 1, 1, 1}} {
		end := g.busy(t, m.Name, picture(1, 0, 0))
		var answers []chan answer
		for i := range 4 {
			answers = append(answers, g.ask(t.Context(), m.Name, picture(100, uint8(i%2*200), 0)))
		}
		end()
		for _, pictures := range want {
			if n := g.run(); n != pictures {
				t.Fatalf("a run has %d pictures, not %d", n, pictures)
			}
		}
		for i, ch := range answers {
			expect(t, ch, uint8(i%2*255))
		}
	}
	if !bytes.Contains(log.Bytes(), []byte("a run of several pictures failed")) {
		t.Errorf("the log does not say so: %s", log)
	}
}

// A graph that may mix pictures runs them one by one.
func TestGraphForOne(t *testing.T) {
	b, log := batching(t)
	g, m := newGate(t, b), mean(t, elementFloat32, 1, 1, 8, 8)
	load(t, b, m)
	end := g.busy(t, m.Name, picture(1, 0, 0))
	first, second := g.ask(t.Context(), m.Name, picture(30, 30, 30)), g.ask(t.Context(), m.Name, picture(60, 60, 60))
	end()
	if got := []int{g.run(), g.run()}; !slices.Equal(got, []int{1, 1}) {
		t.Errorf("the runs have %d pictures", got)
	}
	expect(t, first, 30)
	expect(t, second, 60)
	if !bytes.Contains(log.Bytes(), []byte("ReduceMean")) {
		t.Errorf("the log does not say why: %s", log)
	}
}

// How long pictures take together, over a run for each.
func BenchmarkTogether(b *testing.B) {
	for _, pictures := range []int{2, 4} {
		b.Run(strconv.Itoa(pictures), func(b *testing.B) {
			backend, _ := batching(b)
			m := isnet(b, 512)
			load(b, backend, m)
			held := backend.acquire(m.Name)
			defer held.release()
			s := held.sessions[512]
			var calls []*call
			for range pictures {
				buffers, err := s.take()
				if err != nil {
					b.Fatal(err)
				}
				defer s.put(buffers)
				buffers.input.Fill(disc(512, 200).Pix, m, 2)
				calls = append(calls, &call{ctx: b.Context(), buffers: buffers})
			}
			run := func(calls []*call) float64 {
				start := time.Now()
				if err := s.infer(calls); err != nil {
					b.Fatal(err)
				}
				return time.Since(start).Seconds()
			}
			run(calls)
			var ratios []float64
			for b.Loop() {
				single := 0.0
				for i := range calls {
					single += run(calls[i : i+1])
				}
				ratios = append(ratios, run(calls)/single)
			}
			slices.Sort(ratios)
			b.ReportMetric(ratios[len(ratios)/2], "together/alone")
		})
	}
}
