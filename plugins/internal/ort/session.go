package ort

import (
	"context"
	"os"
	"slices"
	"sync/atomic"

	ort "github.com/yalue/onnxruntime_go"

	"bgremover.pro/core/cutout"
	"bgremover.pro/plugins/internal/onnxgraph"
)

// session is one variant of a model, ready to run. Its tensors are allocated
// once and reused.
type session struct {
	graph         *ort.DynamicAdvancedSession
	input, output ort.InputOutputInfo // with every dimension known
	idle          chan buffers
	most          atomic.Int64 // pictures of one run
	alone         error        // why that is one, although the device could take more
	joint         buffers      // of the last run of several; such runs are one at a time
}

type buffers struct{ input, output *tensor }

// newSession opens a model file for inputs of a size, and for up to that many pictures in
// a run where the graph allows it. Its error is the runtime's own, or has the code Invalid
// if the graph does not fit.
func newSession(m cutout.Model, v cutout.Variant, options *ort.SessionOptions, concurrency, most int) (*session, error) {
	s := &session{idle: make(chan buffers, concurrency)}
	if err := s.inspect(m, v); err != nil {
		return nil, err
	}
	if most > 1 {
		if s.alone = s.openForMany(v, options); s.alone == nil {
			s.most.Store(int64(most))
			return s, nil
		}
	}
	s.most.Store(1)
	var err error
	s.graph, err = ort.NewDynamicAdvancedSession(v.File, []string{s.input.Name}, []string{s.output.Name}, options)
	return s, err
}

// openForMany opens the file's graph for any number of pictures.
func (s *session) openForMany(v cutout.Variant, options *ort.SessionOptions) error {
	file, err := os.ReadFile(v.File)
	if err != nil {
		return err
	}
	graph, err := onnxgraph.Parse(file, s.input.Name, s.output.Name)
	if err != nil {
		return err
	}
	if graph, err = graph.Trimmed(); err != nil {
		return err
	}
	if graph, err = graph.AnyBatch(); err != nil {
		return err
	}
	content, err := graph.Bytes()
	if err != nil {
		return err
	}
	s.graph, err = ort.NewDynamicAdvancedSessionWithONNXData(content, []string{s.input.Name}, []string{s.output.Name}, options)
	return err
}

// infer computes the outputs of calls in one run, which ends early when no caller is left.
func (s *session) infer(calls []*call) error {
	ctx, stop := whileWanted(calls)
	defer stop()
	if len(calls) == 1 {
		return run(ctx, s.graph, calls[0].input.value, []ort.Value{calls[0].output.value})
	}
	if err := s.join(int64(len(calls))); err != nil {
		return err
	}
	for i, c := range calls {
		c.input.copyTo(s.joint.input, i)
	}
	if err := run(ctx, s.graph, s.joint.input.value, []ort.Value{s.joint.output.value}); err != nil {
		return err
	}
	for i, c := range calls {
		c.output.copyFrom(s.joint.output, i)
	}
	return nil
}

// join makes room for that many pictures, unless the last run had as many.
func (s *session) join(pictures int64) (err error) {
	if s.joint.input != nil && s.joint.input.value.GetShape()[0] == pictures {
		return nil
	}
	s.joint.destroy()
	s.joint, err = newBuffers(s.input, s.output, pictures)
	return err
}

// run computes a graph's outputs; when ctx ends, it stops after the current node.
func run(ctx context.Context, graph *ort.DynamicAdvancedSession, input ort.Value, outputs []ort.Value) error {
	options, err := ort.NewRunOptions() // new for each run: the terminate flag stays set
	if err != nil {
		return err
	}
	stopped := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		_ = options.Terminate()
		close(stopped)
	})
	err = graph.RunWithOptions([]ort.Value{input}, outputs, options)
	if !stop() {
		<-stopped // it may still hold options
	}
	_ = options.Destroy()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

func (s *session) take() (buffers, error) {
	select {
	case b := <-s.idle:
		return b, nil
	default:
	}
	return newBuffers(s.input, s.output, 1)
}

// newBuffers allocates tensors for some pictures; more than one are along the first
// dimension.
func newBuffers(in, out ort.InputOutputInfo, pictures int64) (b buffers, err error) {
	shape := func(one ort.Shape) ort.Shape {
		all := slices.Clone(one)
		if pictures > 1 {
			all[0] = pictures
		}
		return all
	}
	if b.input, err = newTensor(shape(in.Dimensions), in.DataType); err != nil {
		return buffers{}, err
	}
	if b.output, err = newTensor(shape(out.Dimensions), out.DataType); err != nil {
		b.input.destroy()
		return buffers{}, err
	}
	return b, nil
}

func (b buffers) destroy() {
	if b.input != nil {
		b.input.destroy()
		b.output.destroy()
	}
}

func (s *session) put(b buffers) {
	select {
	case s.idle <- b:
	default:
		b.destroy()
	}
}

// destroy frees everything; no run may be in progress.
func (s *session) destroy() {
	for {
		select {
		case b := <-s.idle:
			b.destroy()
			continue
		default:
		}
		break
	}
	s.joint.destroy()
	_ = s.graph.Destroy()
}

// inspect finds the shapes of the tensors that the model names.
func (s *session) inspect(m cutout.Model, v cutout.Variant) error {
	options, err := ort.NewSessionOptions()
	if err != nil {
		return err
	}
	defer func() { _ = options.Destroy() }()
	// Only the signature is wanted: skip what makes a session fast.
	if err := options.SetGraphOptimizationLevel(ort.GraphOptimizationLevelDisableAll); err != nil {
		return err
	}
	if err := options.AddSessionConfigEntry("session.disable_prepacking", "1"); err != nil {
		return err
	}
	inputs, outputs, err := ort.GetInputOutputInfoWithOptions(v.File, options)
	if err != nil {
		return err
	}
	size := int64(v.Size)
	if s.input, err = find(m, "input", m.Input, inputs, ort.Shape{1, 3, size, size}); err != nil {
		return err
	}
	classes := int64(1)
	if m.Post == cutout.PostArgmax {
		classes = -1
	}
	s.output, err = find(m, "output", m.Output, outputs, ort.Shape{1, classes, size, size})
	return err
}

// find returns the tensor of a name, or the first for none. Its shape must
// agree with want where both are known (-1: not known). A graph may leave out
// leading dimensions of 1.
func find(m cutout.Model, what, name string, list []ort.InputOutputInfo, want ort.Shape) (ort.InputOutputInfo, error) {
	invalid := func(format string, args ...any) (ort.InputOutputInfo, error) {
		return ort.InputOutputInfo{}, cutout.Errorf(cutout.Invalid, "model "+m.Name+": "+format, args...)
	}
	i := slices.IndexFunc(list, func(t ort.InputOutputInfo) bool { return name == "" || t.Name == name })
	if i < 0 {
		return invalid("the graph has no %s %q", what, name)
	}
	t := list[i]
	if t.DataType != ort.TensorElementDataTypeFloat && t.DataType != ort.TensorElementDataTypeFloat16 {
		return invalid("%s %q has the type %v; only float32 and float16 are supported", what, name, t.DataType)
	}
	known := slices.Clone(t.Dimensions)
	for len(want) > len(known) && want[0] == 1 {
		want = want[1:]
	}
	for d := range known {
		if len(known) != len(want) || known[d] > 0 && want[d] > 0 && known[d] != want[d] {
			return invalid("%s %q has the shape %v, which does not fit %v", what, name, t.Dimensions, want)
		}
		known[d] = max(known[d], want[d])
		if known[d] < 1 {
			return invalid("%s %q leaves dimension %d open", what, name, d)
		}
	}
	t.Dimensions = known
	return t, nil
}
