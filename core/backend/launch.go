package backend

import (
	"context"
	"strings"
	"time"

	"bgremover.pro/core/cutout"
	"bgremover.pro/plugins/contract"
)

// crashGrace is the time within which the end of a process becomes known after
// its connection broke.
const crashGrace = time.Second

// launch starts a process and brings it to where it can serve: handshake,
// health, model, and one inference to show that all of it works.
func (s *supervisor) launch(ctx context.Context, spec Spec) (*process, error) {
	s.set(Starting, "")
	if spec.SHA256 == "" {
		s.log.Warn("the backend's file is not checked before it is started: no checksum of it is known; "+
			"for those that come with the server it is in SHA256SUMS beside them (make build), for others in sha256", "command", spec.Command)
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
	loaded, err := p.take(ctx, model, s.m.options.MaxModels, s.m.options.LoadTimeout)
	if err != nil {
		return about, err
	}
	defer p.letGo(model.Name)
	if !s.m.options.SkipWarmUp {
		err = p.warmUp(ctx, loaded, s.m.options.RunTimeout)
	}
	return about, err
}

// warmUp runs a model once on a grey picture of its smallest size. With onnx-cpu
// the first run of a size takes but a tenth more than the next: trying the
// larger ones too would keep a start waiting several times as long as it would
// ever save.
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

// examine asks a process whether it is well and what it is.
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

// blame returns the reason why the process ended where that explains an error
// of a call, else the error.
func (p *process) blame(err error) error {
	if strings.Contains(err.Error(), "authentication handshake failed") {
		return &DownError{Reason: "it does no mutual TLS; if its language cannot, configure it with tls = false", Permanent: true, Err: err}
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

// lives says whether a process answers after a call failed. One that does not
// is given a moment to be known as gone.
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
