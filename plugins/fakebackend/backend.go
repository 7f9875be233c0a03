package main

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"os"
	"slices"
	"sync"
	"syscall"
	"time"

	"bgremover.pro/core/cutout"
	"bgremover.pro/plugins/contract"
	"bgremover.pro/plugins/internal/process"
)

type backend struct {
	name, device, mask string
	fault, once        string
	delay, loadDelay   time.Duration
	log                *slog.Logger

	mu     sync.Mutex
	models map[string][]int
	leaked [][]byte
}

// strikes says whether a fault shows now.
func (b *backend) strikes(fault string) bool {
	if b.fault != fault {
		return false
	}
	return b.once == "" || os.Remove(b.once) == nil
}

func (b *backend) Describe(context.Context) (contract.Description, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return contract.Description{
		Name: b.name, Version: "1", Device: b.device, Provider: "arithmetic", Runtime: "none", MaxBatch: 1,
		Models: slices.Sorted(maps.Keys(b.models)), Memory: process.Memory(),
	}, nil
}

func (b *backend) Load(ctx context.Context, model cutout.Model) ([]int, error) {
	if err := wait(ctx, b.loadDelay); err != nil {
		return nil, err
	}
	if b.strikes(faultLoad) {
		return nil, cutout.Errorf(cutout.BackendUnavailable, "the fake device is out of memory, as asked")
	}
	for _, v := range model.Variants {
		if _, err := os.Stat(v.File); err != nil {
			return nil, cutout.Wrap(cutout.Invalid, err, "a file of the model is missing")
		}
	}
	if b.strikes(faultDieIdle) {
		time.AfterFunc(b.delay, func() { panic("fakebackend: dying idle, as asked") })
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.models[model.Name] = model.Sizes()
	b.log.Info("model loaded", "model", model.Name)
	return model.Sizes(), nil
}

func (b *backend) Unload(_ context.Context, name string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.models, name)
	return nil
}

func (b *backend) Segment(ctx context.Context, model string, input *cutout.Input) (*cutout.Mask, contract.Timing, error) {
	start := time.Now()
	b.mu.Lock()
	sizes, ok := b.models[model]
	b.mu.Unlock()
	if !ok {
		return nil, contract.Timing{}, contract.NotLoaded(model)
	}
	if input.Width != input.Height || !slices.Contains(sizes, input.Width) {
		return nil, contract.Timing{}, contract.SizeUnknown(model, input, sizes)
	}
	if err := b.beforeRun(); err != nil {
		return nil, contract.Timing{}, err
	}
	if err := wait(ctx, b.delay); err != nil {
		return nil, contract.Timing{}, err
	}
	mask := b.damage(draw(b.mask, input))
	return mask, contract.Timing{Inference: time.Since(start)}, nil
}

// beforeRun shows the faults of a run.
func (b *backend) beforeRun() error {
	switch {
	case b.strikes(faultDie):
		panic("fakebackend: dying in the middle of a call, as asked")
	case b.strikes(faultError):
		return cutout.Wrap(cutout.Internal, errors.New("the output is not a number, as asked"), "The model failed.")
	case b.strikes(faultHang):
		select {}
	case b.strikes(faultStop):
		err := syscall.Kill(os.Getpid(), syscall.SIGSTOP)
		time.Sleep(time.Second) // the signal takes effect meanwhile
		return err
	case b.strikes(faultLeak):
		kept := make([]byte, 64<<20)
		for i := 0; i < len(kept); i += 4096 {
			kept[i] = 1 // touched, so that it is resident
		}
		b.mu.Lock()
		b.leaked = append(b.leaked, kept)
		b.mu.Unlock()
	}
	return nil
}

// damage shows the faults of an answer.
func (b *backend) damage(m *cutout.Mask) *cutout.Mask {
	switch {
	case b.strikes(faultSize):
		return &cutout.Mask{Width: m.Width / 2, Height: m.Height / 2, Pix: m.Pix[:m.Width/2*(m.Height/2)]}
	case b.strikes(faultShort):
		m.Pix = m.Pix[:len(m.Pix)-1]
	case b.strikes(faultEmpty):
		return &cutout.Mask{}
	}
	return m
}

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}
