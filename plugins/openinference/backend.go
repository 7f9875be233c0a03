package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"bgremover.pro/core/cutout"
	"bgremover.pro/plugins/contract"
	"bgremover.pro/plugins/internal/process"
	"bgremover.pro/plugins/openinference/oip"
)

// backend implements contract.Backend on remote servers.
type backend struct {
	servers *servers
	naming  string // with {model} and {size}
	mu      sync.Mutex
	models  map[string]*model
}

// model is a model that the servers have.
type model struct {
	spec  cutout.Model
	sizes map[int]remote
}

// remote is one size of a model as the servers name it, with its tensors.
type remote struct {
	name          string
	input, output string // tensors
	datatype      string // of the input
	reported      bool   // by the servers; else the names are those of the model
}

func newBackend(s *servers, naming string) *backend {
	return &backend{servers: s, naming: naming, models: map[string]*model{}}
}

// Describe implements contract.Backend: it asks every server whether it is
// ready. Code: BackendUnavailable if none is.
func (b *backend) Describe(ctx context.Context) (contract.Description, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	states := b.servers.check(ctx)
	down := slices.DeleteFunc(slices.Clone(states), func(s string) bool { return s == "" })
	if len(down) == len(states) {
		return contract.Description{}, cutout.Errorf(cutout.BackendUnavailable, "no server is ready: %s", strings.Join(down, "; "))
	}
	provider := fmt.Sprintf("%d of %d servers ready", len(states)-len(down), len(states))
	first := b.servers.list[slices.Index(states, "")]
	if about, err := first.client.ServerMetadata(ctx, &oip.ServerMetadataRequest{}); err == nil {
		provider = about.Name + " " + about.Version + ", " + provider
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return contract.Description{
		Name: "open-inference", Version: "1", Device: "remote", Provider: provider, Runtime: "Open Inference Protocol v2",
		MaxBatch: 1, Models: slices.Sorted(maps.Keys(b.models)), Memory: process.Memory(),
	}, nil
}

// Load implements contract.Backend. The servers have the files; of the model's sizes,
// those that they serve are ready. The largest of these runs once, since servers limit
// messages, and so does each whose tensors they do not report.
func (b *backend) Load(ctx context.Context, spec cutout.Model) ([]int, error) {
	m := &model{spec: spec, sizes: map[int]remote{}}
	var missing []error
	for _, size := range slices.Backward(spec.Sizes()) {
		at, err := b.find(ctx, spec, size)
		if err == nil && (len(m.sizes) == 0 || !at.reported) {
			grey := &cutout.Input{Width: size, Height: size, Pix: bytes.Repeat([]byte{128}, 3*size*size)}
			_, err = b.infer(ctx, m, at, grey)
		}
		switch code := cutout.CodeOf(err); {
		case err == nil:
			m.sizes[size] = at
		case code == cutout.Invalid, code == cutout.Internal && !at.reported && len(m.sizes) > 0:
			missing = append(missing, err)
		default:
			return nil, err
		}
	}
	if len(m.sizes) == 0 {
		return nil, errors.Join(missing...)
	}
	ready := slices.Sorted(maps.Keys(m.sizes))
	if len(missing) > 0 {
		b.servers.log.Info("the servers do not have all sizes of the model", "model", spec.Name, "sizes", ready)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.models[spec.Name] = m
	return ready, nil
}

// find asks the servers about one size of a model.
func (b *backend) find(ctx context.Context, spec cutout.Model, size int) (remote, error) {
	name := strings.NewReplacer("{model}", spec.Name, "{size}", strconv.Itoa(size)).Replace(b.naming)
	about, err := ask(ctx, b.servers, func(ctx context.Context, c oip.GRPCInferenceServiceClient) (*oip.ModelMetadataResponse, error) {
		return c.ModelMetadata(ctx, &oip.ModelMetadataRequest{Name: name})
	})
	if err != nil {
		return remote{}, err
	}
	return fits(spec, size, name, about)
}

// Unload implements contract.Backend. The servers keep their models.
func (b *backend) Unload(_ context.Context, name string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.models, name)
	return nil
}

// Segment implements contract.Backend.
func (b *backend) Segment(ctx context.Context, name string, input *cutout.Input) (*cutout.Mask, contract.Timing, error) {
	start := time.Now()
	b.mu.Lock()
	m := b.models[name]
	b.mu.Unlock()
	if m == nil {
		return nil, contract.Timing{}, contract.NotLoaded(name)
	}
	at, ok := m.sizes[input.Width]
	if !ok || input.Width != input.Height {
		return nil, contract.Timing{}, contract.SizeUnknown(name, input, slices.Sorted(maps.Keys(m.sizes)))
	}
	mask, err := b.infer(ctx, m, at, input)
	return mask, contract.Timing{Inference: time.Since(start)}, err
}

// infer has a picture's mask made by one server after the other, until one answers
// with a whole one.
func (b *backend) infer(ctx context.Context, m *model, at remote, input *cutout.Input) (*cutout.Mask, error) {
	request, pixels := m.encode(at, input), input.Width*input.Height
	return ask(ctx, b.servers, func(ctx context.Context, c oip.GRPCInferenceServiceClient) (*cutout.Mask, error) {
		answer, err := c.ModelInfer(ctx, request)
		if err != nil {
			return nil, err
		}
		values, err := m.decode(at, answer, pixels)
		if err != nil {
			return nil, err
		}
		pix, err := values.Mask(m.spec.Post, pixels, runtime.GOMAXPROCS(0))
		return &cutout.Mask{Width: input.Width, Height: input.Height, Pix: pix}, err
	})
}
