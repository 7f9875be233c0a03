package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"time"

	"bgremover.pro/core/cutout"
	"bgremover.pro/plugins/contract"
	"bgremover.pro/plugins/internal/onnxgraph"
	"bgremover.pro/plugins/internal/ort"
)

// How far a graph's mask may be from the one it must agree with: the mean
// difference (0 to 1) at most, the intersection over union at least.
type tolerance struct{ difference, overlap float64 }

var (
	sameNumbers  = tolerance{0.004, 0.99} // another type of numbers, in full precision
	fewerBits    = tolerance{0.02, 0.95}  // integers
	otherSize    = tolerance{0.06, 0.80}  // a smaller input sees less
	runsPerTrial = 2
)

// gain is how much faster than the installed graph another must be to replace
// it: less is within the noise.
const gain = 0.95

type task struct {
	contract.DeriveRequest
	backend  *ort.Backend
	pictures []*cutout.Input
	answer   contract.DeriveAnswer
	single   bool // the installed model is all in float32
}

// trial is one graph that was tried.
type trial struct {
	variant cutout.Variant
	mask    *cutout.Mask
	took    time.Duration
}

func (t *task) derive(ctx context.Context) (contract.DeriveAnswer, error) {
	native := t.Model.Variants[0]
	i := slices.Index(t.Sizes, native.Size)
	if i < 0 {
		return t.answer, fmt.Errorf("the sizes do not include the model's own, %d", native.Size)
	}
	graph, err := t.float32s()
	if err != nil {
		return t.answer, err
	}
	installed, err := t.run(ctx, native, t.pictures[i])
	if err != nil {
		return t.answer, fmt.Errorf("the installed model does not run: %w", err)
	}
	t.record(installed, installed.mask, "")
	for i, size := range t.Sizes {
		best, err := t.trySize(ctx, graph, size, t.pictures[i], installed)
		if err != nil {
			return t.answer, err
		}
		if best != nil {
			t.answer.Variants = append(t.answer.Variants, best.variant)
		}
	}
	return t.answer, nil
}

// float32s reads the installed model and brings it to float32.
func (t *task) float32s() (*onnxgraph.Graph, error) {
	native := t.Model.Variants[0]
	file, err := os.ReadFile(native.File)
	if err != nil {
		return nil, err
	}
	graph, err := onnxgraph.Parse(file, t.Model.Input, t.Model.Output)
	if err != nil {
		return nil, err
	}
	if height, width := graph.Size(); height != 0 && height != native.Size || width != height {
		return nil, &onnxgraph.UnsupportedError{Reason: fmt.Sprintf(
			"the graph takes %d x %d pixels, but its description says %d", width, height, native.Size)}
	}
	t.Model.Input, t.Model.Output = graph.Input(), graph.Output()
	t.single = !graph.Halves()
	return graph.Float32()
}

// trySize tries the float32 and the integer graph of a size and returns the
// fastest that agrees with the installed model, nil if none does. Only a disk
// error or the end of ctx is an error.
func (t *task) trySize(ctx context.Context, graph *onnxgraph.Graph, size int, picture *cutout.Input, installed *trial) (*trial, error) {
	sized, err := graph.Resized(size)
	if err != nil {
		t.reject(size, "fp32", err)
		return nil, nil
	}
	near := otherSize
	var best, single *trial
	if size == installed.variant.Size {
		near, best = sameNumbers, installed
	}
	if best != nil && t.single {
		single = installed // it has nothing that float32 would change
	} else {
		if single, err = t.try(ctx, sized, size, "fp32", picture, installed, near); err != nil {
			return nil, err
		}
		best = t.faster(best, single)
	}
	if len(t.Ranges) == 0 || single == nil {
		return best, nil
	}
	integer, err := sized.Quantized(ranges(t.Ranges))
	if err != nil {
		t.reject(size, "int8", err)
		return best, nil
	}
	if err := integer.ForDevices(); err != nil {
		t.answer.DeviceUnfit = err.Error()
	}
	whole, err := t.try(ctx, integer, size, "int8", picture, single, fewerBits)
	if err != nil {
		return nil, err
	}
	return t.faster(best, whole), nil
}

func ranges(measured map[string][2]float32) onnxgraph.Ranges {
	out := onnxgraph.Ranges{}
	for name, r := range measured {
		out[name] = onnxgraph.Range{Min: r[0], Max: r[1]}
	}
	return out
}

// faster returns the faster of two trials and removes the other's file, unless
// it is the installed one.
func (t *task) faster(a, b *trial) *trial {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	case float64(b.took) < gain*float64(a.took):
		t.remove(a)
		return b
	}
	t.remove(b)
	return a
}

func (t *task) remove(loser *trial) {
	if loser.variant.File != t.Model.Variants[0].File {
		_ = os.Remove(loser.variant.File)
	}
}

// try writes a graph, runs it and compares its mask with that of another. It
// returns nil if the graph does not run or does not agree.
func (t *task) try(ctx context.Context, graph *onnxgraph.Graph, size int, precision string,
	picture *cutout.Input, like *trial, near tolerance) (*trial, error) {
	content, err := graph.Bytes()
	if err != nil {
		return nil, err
	}
	variant := cutout.Variant{Size: size, Precision: precision,
		File: filepath.Join(t.Dir, precision+"-"+strconv.Itoa(size)+".onnx")}
	if err := writeSynced(variant.File, content); err != nil {
		return nil, err
	}
	done, err := t.run(ctx, variant, picture)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		_ = os.Remove(variant.File)
		t.reject(size, precision, err)
		return nil, nil
	}
	difference, overlap := compare(done.mask, like.mask)
	if difference > near.difference || overlap < near.overlap {
		_ = os.Remove(variant.File)
		t.record(done, like.mask, "its mask differs too much")
		return nil, nil
	}
	t.record(done, like.mask, "")
	return done, nil
}

// run loads a variant, runs it a few times and returns the mask and the
// shortest time.
func (t *task) run(ctx context.Context, v cutout.Variant, picture *cutout.Input) (*trial, error) {
	debug.FreeOSMemory() // the runtime needs it now
	m := t.Model
	m.Variants = []cutout.Variant{v}
	if _, err := t.backend.Load(ctx, m); err != nil {
		return nil, err
	}
	defer func() { _ = t.backend.Unload(context.WithoutCancel(ctx), m.Name) }()
	done := &trial{variant: v}
	for i := range runsPerTrial + 1 {
		mask, timing, err := t.backend.Segment(ctx, m.Name, picture)
		if err != nil {
			return nil, err
		}
		done.mask = mask
		if i == 1 || i > 1 && timing.Inference < done.took { // the first one warms up
			done.took = timing.Inference
		}
	}
	return done, nil
}

func (t *task) reject(size int, precision string, err error) {
	t.answer.Trials = append(t.answer.Trials, contract.DeriveTrial{Size: size, Precision: precision, Rejected: cutoutMessage(err)})
}

func (t *task) record(done *trial, like *cutout.Mask, rejected string) {
	difference, overlap := compare(done.mask, like)
	t.answer.Trials = append(t.answer.Trials, contract.DeriveTrial{
		Size: done.variant.Size, Precision: done.variant.Precision, Milliseconds: done.took.Seconds() * 1000,
		Difference: difference, Overlap: overlap, Rejected: rejected,
	})
}

func writeSynced(path string, content []byte) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o644) //nolint:gosec // models are no secret
	if err != nil {
		return err
	}
	defer file.Close()
	if _, err := file.Write(content); err != nil {
		return err
	}
	return file.Sync()
}
