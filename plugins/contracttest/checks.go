package contracttest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"google.golang.org/grpc/codes"

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
		return fmt.Errorf("name, version, device and provider must be set, got %+v", d)
	}
	return nil
}

func (s *suite) segment(ctx context.Context, input *cutout.Input) (*cutout.Mask, error) {
	mask, _, err := s.timed(ctx, input)
	return mask, err
}

// timed also returns the backend's own measure of the run.
func (s *suite) timed(ctx context.Context, input *cutout.Input) (*cutout.Mask, time.Duration, error) {
	start := time.Now()
	mask, timing, err := s.process.Client.Segment(ctx, s.model.Name, input)
	if err == nil {
		err = checkTiming(timing, time.Since(start))
	}
	return mask, timing.Inference, err
}

func checkTiming(inside contract.Timing, outside time.Duration) error {
	switch {
	case inside.Inference <= 0:
		return errors.New("the time of the run is missing")
	case inside.Queued+inside.Inference > outside:
		return fmt.Errorf("the run took %v after waiting for %v, and the whole call only %v", inside.Inference, inside.Queued, outside)
	}
	return nil
}

func (s *suite) refusesUnloaded(ctx context.Context) error {
	_, err := s.segment(ctx, disc(s.size()))
	return refused("Segment", err, codes.NotFound)
}

func (s *suite) refusesNameless(ctx context.Context) error {
	nameless, empty := s.model, s.model
	nameless.Name, empty.Variants = "", nil
	var problems []error
	for what, model := range map[string]cutout.Model{"a model without a name": nameless, "a model without files": empty} {
		_, err := s.process.Client.Load(ctx, model)
		problems = append(problems, refused(what, err, codes.InvalidArgument))
	}
	return errors.Join(problems...)
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
		return refused("Load", err, codes.NotFound)
	}
	return s.process.Client.Unload(ctx, s.model.Name)
}

func (s *suite) loads(ctx context.Context) error { return s.load(ctx, s.model) }

func (s *suite) load(ctx context.Context, model cutout.Model) error {
	sizes, err := s.process.Client.Load(ctx, model)
	if err != nil {
		return err
	}
	if !within(sizes, model.Sizes()) {
		return fmt.Errorf("the model has the sizes %v, but the backend reports %v", model.Sizes(), sizes)
	}
	s.ready = sizes
	return s.lists(ctx, true)
}

// within reports whether sizes are some of all, in their order.
func within(sizes, all []int) bool {
	for _, size := range all {
		if len(sizes) > 0 && sizes[0] == size {
			sizes = sizes[1:]
			if len(sizes) == 0 {
				return true
			}
		}
	}
	return false
}

// lists checks whether the description lists the model.
func (s *suite) lists(ctx context.Context, listed bool) error {
	d, err := s.process.Client.Describe(ctx)
	if err == nil && slices.Contains(d.Models, s.model.Name) != listed {
		err = fmt.Errorf("model %q is loaded: %v; the description lists %q", s.model.Name, listed, d.Models)
	}
	return err
}

func (s *suite) sizes(ctx context.Context) error {
	for _, size := range s.sizesReady() {
		mask, took, err := s.timed(ctx, disc(size)) // the client checks the mask's shape
		if err != nil {
			return fmt.Errorf("size %d: %w", size, err)
		}
		s.took = took
		if s.mask == nil {
			s.mask = mask
		}
	}
	return nil
}

func (s *suite) refusesSizes(ctx context.Context) error {
	// The last one is nearly as large as a message may be.
	sides := [][2]int{{3, 5}, {1, 1}, {s.size(), s.size() + 1}, {contract.MaxSize, contract.MaxSize - 1}}
	for _, size := range s.model.Sizes() {
		if !slices.Contains(s.sizesReady(), size) {
			sides = append(sides, [2]int{size, size})
		}
	}
	for _, side := range sides {
		_, err := s.segment(ctx, &cutout.Input{Width: side[0], Height: side[1], Pix: make([]uint8, 3*side[0]*side[1])})
		if err := refused(fmt.Sprintf("a picture of %dx%d", side[0], side[1]), err, codes.InvalidArgument); err != nil {
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

func (s *suite) survivesBadModel(ctx context.Context) error {
	bad := s.withoutFiles()
	bad.Name += "-missing"
	if _, err := s.process.Client.Load(ctx, bad); err != nil {
		if err := refused("Load", err, codes.NotFound); err != nil {
			return err
		}
	}
	return s.answers(ctx)
}

// answers checks that the smallest size gets the same mask as before.
func (s *suite) answers(ctx context.Context) error {
	if s.mask == nil {
		return errNoMask
	}
	mask, err := s.segment(ctx, disc(s.size()))
	if err == nil && !bytes.Equal(mask.Pix, s.mask.Pix) {
		err = errors.New("two masks of one picture differ")
	}
	return err
}

func (s *suite) replaces(ctx context.Context) error {
	if len(s.sizesReady()) > 1 {
		less, gone := s.model, s.largest()
		less.Variants = slices.DeleteFunc(slices.Clone(less.Variants), func(v cutout.Variant) bool { return v.Size != s.size() })
		if err := s.load(ctx, less); err != nil {
			return err
		}
		_, err := s.segment(ctx, disc(gone))
		if err := refused("a size that the model no longer has", err, codes.InvalidArgument); err != nil {
			return err
		}
	}
	return errors.Join(s.loads(ctx), s.answers(ctx))
}

func (s *suite) unloads(ctx context.Context) error {
	for _, name := range []string{s.model.Name, s.model.Name, "no-such-model"} {
		if err := s.process.Client.Unload(ctx, name); err != nil {
			return fmt.Errorf("unloading %q: %w", name, err)
		}
	}
	return errors.Join(s.lists(ctx, false), s.refusesUnloaded(ctx))
}

// refused checks that err is a refusal with a status and a sentence.
func refused(what string, err error, want codes.Code) error {
	if err == nil {
		return fmt.Errorf("%s: succeeded; expected the status %v", what, want)
	}
	if cutout.CodeOf(err) != cutout.Invalid || errors.Is(err, contract.ErrNotFound) != (want == codes.NotFound) {
		return fmt.Errorf("%s: expected the status %v, got %w", what, want, err)
	}
	if cutout.MessageOf(err) == "" {
		return fmt.Errorf("%s: the status %v has no message that says what to do", what, want)
	}
	return nil
}

var errNoMask = errors.New("there is no mask to compare with: the check of the sizes failed")

// size is the smallest input that is ready, the quickest to run.
func (s *suite) size() int { return s.sizesReady()[0] }

func (s *suite) largest() int { return slices.Max(s.sizesReady()) }

// sizesReady are those that Load last reported, or else those that the model has.
func (s *suite) sizesReady() []int {
	if len(s.ready) == 0 {
		return s.model.Sizes()
	}
	return s.ready
}
