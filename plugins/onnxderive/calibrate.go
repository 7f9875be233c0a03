package main

import (
	"context"
	"errors"
	"slices"

	"bgremover.pro/plugins/contract"
	"bgremover.pro/plugins/internal/onnxgraph"
)

// outside is the share of a tensor's values left outside its range at either
// end. Some tensors of ISNet have single values 60 times beyond all others; a
// range that holds them leaves too few steps for the rest.
const outside = 0.0001

// atOnce is how many tensors are measured in one run: all of them together would
// take gigabytes.
const atOnce = 24

// calibrate measures the value ranges of the model's tensors on the pictures.
func (t *task) calibrate(ctx context.Context) (contract.DeriveAnswer, error) {
	if len(t.pictures) == 0 {
		return t.answer, errors.New("there are no pictures to calibrate with")
	}
	graph, err := t.float32s()
	if err != nil {
		return t.answer, err
	}
	input, tensors := graph.Input(), graph.Activations()
	t.answer.Ranges = map[string][2]float32{input: t.inputRange()}
	tensors = slices.DeleteFunc(tensors, func(name string) bool { return name == input })
	for group := range slices.Chunk(tensors, atOnce) {
		content, err := graph.Exposed(group).Bytes()
		if err != nil {
			return t.answer, err
		}
		seen := map[string]*onnxgraph.Histogram{}
		for _, name := range group {
			seen[name] = &onnxgraph.Histogram{}
		}
		err = t.backend.Observe(ctx, t.Model, content, group, t.pictures, func(name string, values []float32) {
			seen[name].Add(values)
		})
		if err != nil {
			return t.answer, err
		}
		for name, histogram := range seen {
			r := histogram.Range(outside)
			t.answer.Ranges[name] = [2]float32{r.Min, r.Max}
		}
	}
	return t.answer, nil
}

// inputRange is the range of the input for samples from 0 to 255.
func (t *task) inputRange() [2]float32 {
	scale := t.Model.Scale
	if scale == 0 {
		scale = 255
	}
	var r [2]float32
	for c := range 3 {
		r[0] = min(r[0], -t.Model.Mean[c]/t.Model.Std[c])
		r[1] = max(r[1], (255/scale-t.Model.Mean[c])/t.Model.Std[c])
	}
	return r
}
