package ort

import (
	"context"
	"errors"

	ort "github.com/yalue/onnxruntime_go"

	"bgremover.pro/core/cutout"
)

// Observe runs a graph on pictures and passes every value of the named tensors to
// see; the tensors must be outputs of the graph. Codes: Invalid, Canceled,
// Timeout, BackendUnavailable.
func (b *Backend) Observe(ctx context.Context, spec cutout.Model, graph []byte, tensors []string,
	pictures []*cutout.Input, see func(tensor string, values []float32)) error {
	if err := b.await(ctx); err != nil {
		return err
	}
	options, err := b.sessionOptions()
	if err != nil {
		return err
	}
	defer func() { _ = options.Destroy() }()
	session, err := ort.NewDynamicAdvancedSessionWithONNXData(graph, []string{spec.Input}, tensors, options)
	if err != nil {
		return cutout.Errorf(cutout.Invalid, "model %s: %s cannot load the graph: %w", spec.Name, b.runtime, err)
	}
	defer func() { _ = session.Destroy() }()
	for _, picture := range pictures {
		if err := b.observe(ctx, session, spec, picture, tensors, see); err != nil {
			return err
		}
	}
	return nil
}

func (b *Backend) observe(ctx context.Context, session *ort.DynamicAdvancedSession, spec cutout.Model,
	picture *cutout.Input, tensors []string, see func(string, []float32)) error {
	input, err := newTensor(ort.NewShape(1, 3, int64(picture.Height), int64(picture.Width)), ort.TensorElementDataTypeFloat)
	if err != nil {
		return err
	}
	defer input.destroy()
	input.Fill(picture.Pix, spec, b.options.Threads)
	outputs := make([]ort.Value, len(tensors))
	if err := run(ctx, session, input.value, outputs); err != nil {
		return err
	}
	for i, name := range tensors {
		values, ok := outputs[i].(*ort.Tensor[float32])
		if !ok {
			err = errors.Join(err, cutout.Errorf(cutout.Invalid, "tensor %s holds no float32 values", name))
		} else {
			see(name, values.GetData())
		}
		_ = outputs[i].Destroy()
	}
	return err
}
