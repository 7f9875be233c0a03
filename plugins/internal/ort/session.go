package ort

import (
	"context"
	"slices"

	ort "github.com/yalue/onnxruntime_go"

	"bgremover.pro/core/cutout"
)

// session is one variant of a model, ready to run. Its tensors are allocated
// once and reused.
type session struct {
	graph         *ort.DynamicAdvancedSession
	input, output ort.InputOutputInfo // with every dimension known
	idle          chan buffers
}

type buffers struct{ input, output *tensor }

// newSession opens a model file for inputs of a size. Its error is the runtime's
// own, or has the code Invalid if the graph does not fit.
func newSession(m cutout.Model, v cutout.Variant, options *ort.SessionOptions, concurrency int) (*session, error) {
	s := &session{idle: make(chan buffers, concurrency)}
	if err := s.inspect(m, v); err != nil {
		return nil, err
	}
	graph, err := ort.NewDynamicAdvancedSession(v.File, []string{s.input.Name}, []string{s.output.Name}, options)
	if err != nil {
		return nil, err
	}
	s.graph = graph
	return s, nil
}

// run puts pixels through the network and returns the mask's samples.
func (s *session) run(ctx context.Context, pix []uint8, m *model, threads int) ([]uint8, error) {
	b, err := s.take()
	if err != nil {
		return nil, err
	}
	defer s.put(b)
	b.input.Fill(pix, m.spec, threads)
	if err := s.infer(ctx, b); err != nil {
		return nil, err
	}
	return b.output.Mask(m.spec.Post, len(pix)/3, threads)
}

func (s *session) infer(ctx context.Context, b buffers) error {
	return run(ctx, s.graph, b.input.value, []ort.Value{b.output.value})
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
	input, err := newTensor(s.input.Dimensions, s.input.DataType)
	if err != nil {
		return buffers{}, err
	}
	output, err := newTensor(s.output.Dimensions, s.output.DataType)
	if err != nil {
		input.destroy()
		return buffers{}, err
	}
	return buffers{input, output}, nil
}

func (s *session) put(b buffers) {
	select {
	case s.idle <- b:
	default:
		b.input.destroy()
		b.output.destroy()
	}
}

// destroy frees everything; no run may be in progress.
func (s *session) destroy() {
	for {
		select {
		case b := <-s.idle:
			b.input.destroy()
			b.output.destroy()
			continue
		default:
		}
		break
	}
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
