package main

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"os"
	"os/signal"
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
	fault, once, lost  string
	delay, loadDelay   time.Duration
	slow               int
	stdout             *os.File // as it was before go-plugin replaced it
	log                *slog.Logger
	oneRun             sync.Mutex

	mu     sync.Mutex
	models map[string][]int
	leaked [][]byte
	newest *cutout.Input // of the runs in progress
	calls  byte
}

// strikes reports whether a fault shows now.
func (b *backend) strikes(fault string) bool {
	if b.fault != fault {
		return false
	}
	return b.once == "" || os.Remove(b.once) == nil
}

func (b *backend) Describe(context.Context) (contract.Description, error) {
	if err := b.reach(); err != nil {
		return contract.Description{}, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	d := contract.Description{
		Name: b.name, Version: "1", Device: b.device, Provider: "arithmetic", Runtime: "none", MaxBatch: 1,
		Models: slices.Sorted(maps.Keys(b.models)), Memory: process.Memory(),
	}
	switch {
	case b.strikes(faultVague):
		d.Device = ""
	case b.strikes(faultUnlisted):
		d.Models = nil
	}
	return d, nil
}

// reach is an error while the device is lost.
func (b *backend) reach() error {
	if b.lost != "" {
		if why, err := os.ReadFile(b.lost); err == nil {
			return cutout.Errorf(cutout.BackendUnavailable, "%s", why)
		}
	}
	return nil
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
			if b.strikes(faultForget) {
				clear(b.models)
			}
			return nil, cutout.Wrap(cutout.Invalid, err, "a file of the model is missing")
		}
	}
	if b.strikes(faultDieIdle) {
		time.AfterFunc(b.delay, func() { panic("fakebackend: dying idle, as asked") })
	}
	b.onceLoaded()
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.models[model.Name] == nil || !b.strikes(faultKeep) {
		b.models[model.Name] = b.ready(model)
	}
	b.log.Info("model loaded", "model", model.Name)
	return b.ready(model), nil
}

// ready is the sizes of a model that are reported to be ready.
func (b *backend) ready(model cutout.Model) []int {
	sizes := model.Sizes()
	switch {
	case b.strikes(faultSubset):
		return sizes[len(sizes)-1:]
	case b.strikes(faultExtra):
		return append(sizes, 4096)
	}
	return sizes
}

// onceLoaded shows the faults that wait until a model is loaded.
func (b *backend) onceLoaded() {
	switch {
	case b.strikes(faultTerm):
		endAt(syscall.SIGTERM)
	case b.strikes(faultInt):
		endAt(syscall.SIGINT)
	case b.strikes(faultChatty):
		_, _ = b.stdout.WriteString("A model was loaded.\n")
	}
}

func endAt(s os.Signal) {
	came := make(chan os.Signal, 1)
	signal.Notify(came, s)
	go func() {
		<-came
		os.Exit(0)
	}()
}

func (b *backend) Unload(_ context.Context, name string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.strikes(faultUnload):
		return nil
	case b.models[name] == nil && b.strikes(faultStrict):
		return contract.NotLoaded(name)
	}
	delete(b.models, name)
	return nil
}

func (b *backend) Segment(ctx context.Context, model string, input *cutout.Input) (*cutout.Mask, contract.Timing, error) {
	start := time.Now()
	b.mu.Lock()
	sizes, ok := b.models[model]
	b.newest = input
	b.mu.Unlock()
	if !ok && !b.strikes(faultAnyway) {
		return nil, contract.Timing{}, contract.NotLoaded(model)
	}
	if ok && !b.strikes(faultAnySize) && (input.Width != input.Height || !slices.Contains(sizes, input.Width)) {
		return nil, contract.Timing{}, contract.SizeUnknown(model, input, sizes)
	}
	if err := b.beforeRun(); err != nil {
		return nil, contract.Timing{}, err
	}
	if b.strikes(faultUnqueued) {
		b.oneRun.Lock()
		defer b.oneRun.Unlock()
		start = time.Now()
	}
	if b.slow == 0 || b.slow == input.Width {
		if err := wait(b.listening(ctx), b.delay); err != nil {
			return nil, contract.Timing{}, err
		}
	}
	mask := b.damage(draw(b.mask, b.shown(input)))
	return mask, contract.Timing{Inference: b.reported(time.Since(start))}, nil
}

// listening is the context that a run obeys.
func (b *backend) listening(ctx context.Context) context.Context {
	if !b.strikes(faultDeaf) && !b.strikes(faultLate) {
		return ctx
	}
	deaf, end := context.WithCancel(context.WithoutCancel(ctx))
	context.AfterFunc(ctx, func() {
		// At its deadline the client also cancels, perhaps before we notice.
		deadline, _ := ctx.Deadline()
		if late := time.Until(deadline) < time.Second; late != b.strikes(faultLate) {
			end()
		}
	})
	return deaf
}

// shown is the picture that a mask is made of.
func (b *backend) shown(input *cutout.Input) *cutout.Input {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.newest.Width == input.Width && b.strikes(faultMixed) {
		return b.newest
	}
	return input
}

// reported is the time that a run is reported to have taken.
func (b *backend) reported(took time.Duration) time.Duration {
	switch {
	case b.strikes(faultUntimed):
		return 0
	case b.strikes(faultBoast):
		return took + time.Hour
	}
	return took
}

// beforeRun shows the faults of a run.
func (b *backend) beforeRun() error {
	if err := b.reach(); err != nil {
		return err
	}
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
	case b.strikes(faultRandom):
		b.mu.Lock()
		b.calls++
		m.Pix[0] = b.calls
		b.mu.Unlock()
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
