package contracttest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"bgremover.pro/core/cutout"
	"bgremover.pro/plugins/contract"
)

func (s *suite) health(ctx context.Context) error { return s.process.Client.Health(ctx) }

func (s *suite) describes(ctx context.Context) error {
	d, err := s.process.Client.Describe(ctx)
	if err != nil {
		return err
	}
	if d.Name == "" || d.Version == "" || d.Device == "" || d.Provider == "" {
		return fmt.Errorf("name, version, device and provider must be told, got %+v", d)
	}
	return nil
}

func (s *suite) segment(ctx context.Context, input *cutout.Input) (*cutout.Mask, error) {
	mask, timing, err := s.process.Client.Segment(ctx, s.model.Name, input)
	if err == nil && timing.Inference <= 0 {
		return nil, fmt.Errorf("the time of the run is missing")
	}
	return mask, err
}

func (s *suite) refusesUnloaded(ctx context.Context) error {
	_, err := s.segment(ctx, disc(s.size()))
	if err == nil || !errors.Is(err, contract.ErrNotFound) {
		return fmt.Errorf("expected the status NOT_FOUND, got %w", err)
	}
	return nil
}

func (s *suite) refusesNameless(ctx context.Context) error {
	_, err := s.process.Client.Load(ctx, cutout.Model{Scale: 1, Std: [3]float32{1, 1, 1}, Post: cutout.PostNone})
	return expect("Load of nothing", err, cutout.Invalid)
}

func (s *suite) withoutFiles() cutout.Model {
	model := s.model
	model.Variants = slices.Clone(model.Variants)
	for i := range model.Variants {
		model.Variants[i].File = filepath.Join(filepath.Dir(model.Variants[i].File), "no-such-file.onnx")
	}
	return model
}

func (s *suite) missingFiles(ctx context.Context) error {
	if _, err := s.process.Client.Load(ctx, s.withoutFiles()); err != nil {
		return expect("Load", err, cutout.Invalid)
	}
	return s.process.Client.Unload(ctx, s.model.Name)
}

func (s *suite) loads(ctx context.Context) error {
	sizes, err := s.process.Client.Load(ctx, s.model)
	if err != nil {
		return err
	}
	if !slices.Equal(sizes, s.model.Sizes()) {
		return fmt.Errorf("the model has the sizes %v, the backend says %v", s.model.Sizes(), sizes)
	}
	d, err := s.process.Client.Describe(ctx)
	if err != nil {
		return err
	}
	if !slices.Contains(d.Models, s.model.Name) {
		return fmt.Errorf("the description does not list the loaded model %q, but %q", s.model.Name, d.Models)
	}
	return nil
}

func (s *suite) sizes(ctx context.Context) error {
	for _, size := range s.model.Sizes() {
		mask, err := s.segment(ctx, disc(size)) // the client checks the mask's shape
		if err != nil {
			return fmt.Errorf("size %d: %w", size, err)
		}
		if size == s.size() {
			s.mask = mask
		}
	}
	return nil
}

func (s *suite) refusesSizes(ctx context.Context) error {
	// The large one exceeds gRPC's default limit of 4 MiB a message.
	for _, side := range [][2]int{{3, 5}, {1, 1}, {s.size(), s.size() + 1}, {2048, 1999}} {
		_, err := s.segment(ctx, &cutout.Input{Width: side[0], Height: side[1], Pix: make([]uint8, 3*side[0]*side[1])})
		if err := expect(fmt.Sprintf("a picture of %dx%d", side[0], side[1]), err, cutout.Invalid); err != nil {
			return err
		}
	}
	return nil
}

func (s *suite) polarity(context.Context) error {
	if s.mask == nil {
		return errNoMask
	}
	subject, background := means(s.mask)
	if subject <= background {
		return fmt.Errorf("a light disc on dark ground got a mean of %.0f in the disc and %.0f around it", subject, background)
	}
	return nil
}

func (s *suite) concurrent(ctx context.Context) error {
	const calls = 3
	if s.mask == nil {
		return errNoMask
	}
	failures := make(chan error, calls)
	for range calls {
		go func() {
			mask, err := s.segment(ctx, disc(s.size()))
			if err == nil && !bytes.Equal(mask.Pix, s.mask.Pix) {
				err = errors.New("two masks of one picture differ")
			}
			failures <- err
		}()
	}
	var all []error
	for range calls {
		all = append(all, <-failures)
	}
	return errors.Join(all...)
}

func (s *suite) deadline(ctx context.Context) error {
	limited, cancel := context.WithDeadline(ctx, time.Now())
	defer cancel()
	_, err := s.segment(limited, disc(s.size()))
	return expect("a call past its deadline", err, cutout.Timeout)
}

func (s *suite) cancel(ctx context.Context) error {
	limited, cancel := context.WithCancel(ctx)
	cancelled := make(chan error, 1)
	go func() {
		_, err := s.segment(limited, disc(s.size()))
		cancelled <- err
	}()
	// The answer to another call says that the backend has had time to take
	// up the first.
	_, err := s.process.Client.Describe(ctx)
	cancel()
	if first := <-cancelled; first != nil { // it may just have been done
		err = errors.Join(err, expect("a cancelled call", first, cutout.Canceled))
	}
	if err != nil {
		return err
	}
	_, err = s.segment(ctx, disc(s.size()))
	return err
}

func (s *suite) survivesBadModel(ctx context.Context) error {
	bad := s.withoutFiles()
	bad.Name += "-missing"
	if _, err := s.process.Client.Load(ctx, bad); err != nil {
		if err := expect("Load", err, cutout.Invalid); err != nil {
			return err
		}
	}
	_, err := s.segment(ctx, disc(s.size()))
	return err
}

func (s *suite) unloads(ctx context.Context) error {
	for _, name := range []string{s.model.Name, s.model.Name, "no-such-model"} {
		if err := s.process.Client.Unload(ctx, name); err != nil {
			return fmt.Errorf("unloading %q: %w", name, err)
		}
	}
	return s.refusesUnloaded(ctx)
}

func (s *suite) survivesTerm(ctx context.Context) error {
	if err := syscall.Kill(s.process.ID(), syscall.SIGTERM); err != nil {
		return err
	}
	// A process that dies of the signal does so before it can load a model.
	if err := s.loads(ctx); err != nil {
		return err
	}
	return s.process.Client.Health(ctx)
}

func (s *suite) endsWithHost(ctx context.Context) error {
	limited, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if err := s.process.Abandon(limited); err != nil {
		return fmt.Errorf("it still ran 10 seconds after the pipe %s was closed", contract.EnvHostPipe)
	}
	return nil
}

var errNoMask = errors.New("there is no mask to look at: the size failed")

// size is the smallest input of the model: the quickest to run.
func (s *suite) size() int { return s.model.Sizes()[0] }
