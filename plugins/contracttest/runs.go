package contracttest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"bgremover.pro/core/cutout"
)

// telling is how long a run must take for its end to show whether it was stopped:
// for a shorter one, the checks below only require an answer.
const telling = 500 * time.Millisecond

// retried gives a check three attempts, since a machine that is busy with other
// things may keep a good backend waiting. One that is wrong fails them all.
func retried(check func() error) (err error) {
	for range 3 {
		if err = check(); err == nil {
			return nil
		}
	}
	return err
}

func (s *suite) concurrent(ctx context.Context) error {
	if s.mask == nil {
		return errNoMask
	}
	other, err := s.segment(ctx, negative(disc(s.size())))
	if err != nil {
		return err
	}
	pictures := []*cutout.Input{disc(s.size()), negative(disc(s.size())), disc(s.size())}
	masks := []*cutout.Mask{s.mask, other, s.mask}
	failures := make(chan error, len(pictures))
	for i, picture := range pictures {
		go func() {
			mask, err := s.segment(ctx, picture)
			if err == nil {
				err = near(mask, masks[i])
			}
			failures <- err
		}()
	}
	var all []error
	for range pictures {
		all = append(all, <-failures)
	}
	return errors.Join(all...)
}

// near allows a backend that runs pictures together to round differently then.
func near(a, b *cutout.Mask) error {
	const levels = 2
	for i := range a.Pix {
		if max(a.Pix[i], b.Pix[i])-min(a.Pix[i], b.Pix[i]) > levels {
			return fmt.Errorf("two masks of one picture differ by more than %d levels", levels)
		}
	}
	return nil
}

// queued checks the slowest of three concurrent calls: its reported waiting and
// running times must make up most of its duration.
func (s *suite) queued(ctx context.Context) error {
	type call struct {
		inside, outside time.Duration
		err             error
	}
	return retried(func() error {
		const together = 3
		calls := make(chan call, together)
		for range together {
			go func() {
				start := time.Now()
				_, timing, err := s.process.Client.Segment(ctx, s.model.Name, disc(s.largest()))
				calls <- call{timing.Queued + timing.Inference, time.Since(start), err}
			}()
		}
		var slowest call
		var problems []error
		for range together {
			c := <-calls
			problems = append(problems, c.err)
			if c.outside > slowest.outside {
				slowest = c
			}
		}
		if s.took >= telling && slowest.inside < slowest.outside/2 {
			problems = append(problems, fmt.Errorf("a call took %v, of which the backend accounts for %v", slowest.outside, slowest.inside))
		}
		return errors.Join(problems...)
	})
}

// busy makes other calls for as long as a run lasts.
func (s *suite) busy(ctx context.Context) error {
	return retried(func() error {
		answered := make(chan error, 1)
		go func() {
			_, err := s.segment(ctx, disc(s.largest()))
			answered <- err
		}()
		var longest time.Duration
		for {
			start := time.Now()
			_, err := s.process.Client.Describe(ctx)
			if err = errors.Join(err, s.process.Client.Health(ctx)); err != nil {
				return errors.Join(err, <-answered)
			}
			longest = max(longest, time.Since(start))
			select {
			case err = <-answered:
				if err == nil && s.took >= telling && longest > s.took/2 {
					err = fmt.Errorf("an answer took %v; a run takes %v", longest, s.took)
				}
				return err
			default:
			}
		}
	})
}

func (s *suite) deadline(ctx context.Context) error {
	return s.stops(cutout.Timeout, func() (context.Context, context.CancelFunc) {
		return context.WithTimeout(ctx, s.took/2)
	}, func(limited context.Context, _ context.CancelFunc) time.Time {
		<-limited.Done()
		end, _ := limited.Deadline()
		return end
	})
}

func (s *suite) cancel(ctx context.Context) error {
	return s.stops(cutout.Canceled, func() (context.Context, context.CancelFunc) {
		return context.WithCancel(ctx)
	}, func(_ context.Context, cancel context.CancelFunc) time.Time {
		defer cancel()
		return time.Now()
	})
}

// stops begins a run, ends its call, and measures how long the backend then reports
// it as running. The client's own end of the call proves nothing.
func (s *suite) stops(code cutout.Code, begin func() (context.Context, context.CancelFunc), end func(context.Context, context.CancelFunc) time.Time) error {
	return retried(func() error {
		limited, cancel := begin()
		defer cancel()
		answered := make(chan error, 1)
		var took time.Duration
		go func() {
			start := time.Now()
			_, err := s.segment(limited, disc(s.largest()))
			took = time.Since(start)
			answered <- err
		}()
		ctx, stop := context.WithTimeout(context.Background(), Timeout)
		defer stop()
		seen, err := s.awaitRunning(ctx, true, answered)
		ended := end(limited, cancel)
		first := <-answered
		if first == nil { // it was finished, perhaps on a machine that is no longer as busy
			s.took = min(s.took, took)
		}
		if err != nil || first == nil && s.took < telling {
			return err // it was finished before it could be stopped
		}
		if !seen && s.took >= telling {
			return errors.New("during a run, Describe reports that nothing is running: set running")
		}
		if got := cutout.CodeOf(first); first == nil || got != code {
			return fmt.Errorf("the call should have ended with the code %s, not with %w", code, first)
		}
		if _, err := s.awaitRunning(ctx, false, nil); err != nil {
			return err
		}
		if after := time.Since(ended); s.took >= telling && after > s.took/3 {
			return fmt.Errorf("the run continued for %v after its call had ended; a complete one takes %v", after, s.took)
		}
		return s.answers(ctx)
	})
}

// awaitRunning asks the backend until something is running, or nothing; it
// gives up when the call is answered.
func (s *suite) awaitRunning(ctx context.Context, running bool, answered chan error) (seen bool, err error) {
	for {
		d, err := s.process.Client.Describe(ctx)
		if err != nil || (d.Running > 0) == running {
			return err == nil, err
		}
		if len(answered) > 0 {
			return false, nil
		}
	}
}
