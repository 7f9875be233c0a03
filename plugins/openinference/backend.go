package main

import (
	"context"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc/status"

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
}

func newBackend(s *servers, naming string) *backend {
	return &backend{servers: s, naming: naming, models: map[string]*model{}}
}

// Describe implements contract.Backend: it asks every server whether it is
// ready. Code: BackendUnavailable if none is.
func (b *backend) Describe(ctx context.Context) (contract.Description, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	states := make([]string, len(b.servers.list)) // empty: ready
	var group sync.WaitGroup
	for i, e := range b.servers.list {
		group.Go(func() {
			answer, err := e.client.ServerReady(ctx, &oip.ServerReadyRequest{})
			switch {
			case err != nil:
				states[i] = e.name + ": " + status.Convert(err).Message()
			case !answer.Ready:
				states[i] = e.name + ": it is not ready"
			}
		})
	}
	group.Wait()
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

// Load implements contract.Backend. The servers have the files: only the model's
// name, sizes and tensors are checked.
func (b *backend) Load(ctx context.Context, spec cutout.Model) ([]int, error) {
	m := &model{spec: spec, sizes: map[int]remote{}}
	for _, size := range spec.Sizes() {
		name := strings.NewReplacer("{model}", spec.Name, "{size}", strconv.Itoa(size)).Replace(b.naming)
		about, err := ask(ctx, b.servers, func(ctx context.Context, c oip.GRPCInferenceServiceClient) (*oip.ModelMetadataResponse, error) {
			return c.ModelMetadata(ctx, &oip.ModelMetadataRequest{Name: name})
		})
		if err != nil {
			return nil, err
		}
		if m.sizes[size], err = fits(spec, size, name, about); err != nil {
			return nil, err
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.models[spec.Name] = m
	return spec.Sizes(), nil
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
		return nil, contract.Timing{}, contract.SizeUnknown(name, input, m.spec.Sizes())
	}
	request := m.encode(at, input)
	answer, err := ask(ctx, b.servers, func(ctx context.Context, c oip.GRPCInferenceServiceClient) (*oip.ModelInferResponse, error) {
		return c.ModelInfer(ctx, request)
	})
	if err != nil {
		return nil, contract.Timing{}, err
	}
	values, err := m.decode(at, answer, input.Width*input.Height)
	if err != nil {
		return nil, contract.Timing{}, err
	}
	pix, err := values.Mask(m.spec.Post, input.Width*input.Height, runtime.GOMAXPROCS(0))
	if err != nil {
		return nil, contract.Timing{}, err
	}
	mask := &cutout.Mask{Width: input.Width, Height: input.Height, Pix: pix}
	return mask, contract.Timing{Inference: time.Since(start)}, nil
}
