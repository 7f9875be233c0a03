package backend

import (
	"context"
	"strings"
	"time"

	"bgremover.pro/core/cutout"
	"bgremover.pro/plugins/contract"
)

// crashGrace is the time within which the end of a process becomes known once
// its connection has broken.
const crashGrace = time.Second

// launch starts a process and makes it ready to serve: handshake, health, model,
// and one inference to prove that all of it works.
func (s *supervisor) launch(ctx context.Context, spec Spec) (*process, error) {
	s.set(Starting, "")
	if spec.SHA256 == "" {
		s.log.Warn("starting a backend whose file is not checked, because no checksum is known; "+
			"for a bundled backend put SHA256SUMS next to it (make build writes it), for others set sha256", "command", spec.Command)
	}
	p, err := start(ctx, spec, &s.m.options, s.log)
	if err != nil {
		return nil, err
	}
	s.set(Warming, "")
	about, err := s.ready(ctx, p)
	if err != nil {
		err = p.blame(err)
		p.kill(err)
		p.stop()
		return nil, err
	}
	p.about = about
	return p, nil
}

func (s *supervisor) ready(ctx context.Context, p *process) (contract.Description, error) {
	about, err := p.examine(ctx, s.m.options.HealthTimeout)
	if err != nil {
		return about, err
	}
	s.m.mu.Lock()
	model, ok := p.spec.first(s.m.models)
	s.m.mu.Unlock()
	if !ok {
		return about, cutout.Errorf(cutout.Invalid, "none of its models is installed")
	}
	p.first = model.Name
	loaded, err := p.pin(ctx, model, s.m.options.MaxModels, s.m.options.LoadTimeout)
	if err != nil {
		return about, err
	}
	defer p.unpin(model.Name)
	if !s.m.options.SkipWarmUp {
		err = p.warmUp(ctx, loaded, s.m.options.RunTimeout)
	}
	return about, err
}

// warmUp runs a model once on a grey picture of its smallest size. With onnx-cpu
// the first run of a size takes only a tenth longer than the next: warming up the
// larger sizes too would delay a start by several times what it could save.
func (p *process) warmUp(ctx context.Context, model cutout.Model, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	size := model.Sizes()[0]
	grey := &cutout.Input{Width: size, Height: size, Pix: make([]uint8, 3*size*size)}
	for i := range grey.Pix {
		grey.Pix[i] = 128
	}
	_, _, err := p.Segment(ctx, model.Name, grey)
	return err
}

// examine checks a process's health and asks for its description.
func (p *process) examine(ctx context.Context, limit time.Duration) (contract.Description, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, &DownError{Reason: "it did not answer within " + limit.String()})
	defer cancel()
	err := p.Health(ctx)
	var about contract.Description
	if err == nil {
		about, err = p.Describe(ctx)
	}
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return about, err
}

// blame returns the reason why the process ended if that explains the error of a
// call, else the error itself.
func (p *process) blame(err error) error {
	if strings.Contains(err.Error(), "authentication handshake failed") && !p.lives(context.Background()) {
		return &DownError{Reason: "it does not support mutual TLS; if its language cannot, set tls = false for it", Permanent: true, Err: err}
	}
	if cutout.CodeOf(err) != cutout.BackendUnavailable || p.lives(context.Background()) {
		return err
	}
	select {
	case <-p.gone:
		if p.exit != nil {
			return p.exit
		}
	default:
	}
	return err
}

// lives reports whether a process still answers after a failed call. For one that
// does not, it waits a moment until its exit is known.
func (p *process) lives(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, crashGrace)
	defer cancel()
	if !p.ending() && p.Health(ctx) == nil && !p.ending() {
		return true
	}
	select {
	case <-p.gone:
	case <-ctx.Done():
	}
	return false
}
