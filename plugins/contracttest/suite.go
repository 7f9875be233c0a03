package contracttest

import (
	"context"
	"time"

	"bgremover.pro/core/cutout"
)

// Result is the outcome of one check.
type Result struct {
	Name string // what the backend must do, as a sentence without an end
	Err  error  // nil: it does
	Took time.Duration
}

// Run starts a backend, checks it with a model that it must be able to load,
// and reports each check as it is done. A backend that does not start is
// reported by the first result, which is then the only one. Run returns
// whether every check passed.
func Run(ctx context.Context, c Command, model cutout.Model, report func(Result)) bool {
	passed := true
	check := func(name string, f func(context.Context) error) bool {
		limited, cancel := context.WithTimeout(ctx, Timeout)
		defer cancel()
		start := time.Now()
		err := f(limited)
		report(Result{Name: name, Err: err, Took: time.Since(start)})
		passed = passed && err == nil
		return err == nil
	}
	s := &suite{command: c, model: model}
	started := check("starts and completes the handshake", func(context.Context) (err error) {
		s.process, err = c.Start(ctx) // not the check's context: the process outlives the check
		return err
	})
	if !started {
		return false
	}
	defer s.process.Kill()
	for _, step := range s.steps() {
		check(step.name, step.run)
	}
	return passed
}

// suite holds what the checks share: they run in order, all but the last ones on one
// process.
type suite struct {
	command Command
	process *Process
	model   cutout.Model
	mask    *cutout.Mask  // the first mask of the smallest size
	took    time.Duration // by a run of the largest
	ready   []int         // sizes of the model that Load last reported
}

type step struct {
	name string
	run  func(context.Context) error
}

func (s *suite) steps() []step {
	return []step{
		{"answers the health service", s.health},
		{"describes itself", s.describes},
		{"refuses a picture before a model is loaded", s.refusesUnloaded},
		{"refuses a model without a name or files", s.refusesNameless},
		{"refuses a model whose files are missing, or needs none", s.missingFiles},
		{"loads the model", s.loads},
		{"answers each size with a mask of that size", s.sizes},
		{"refuses sizes that the model does not have, even large ones", s.refusesSizes},
		{"marks the subject light and the background dark", s.polarity},
		{"answers calls at the same time, each picture with its own mask", s.concurrent},
		{"reports how long a call waited for its turn", s.queued},
		{"answers the health service and Describe during a run", s.busy},
		{"stops a run at its deadline", s.deadline},
		{"stops a cancelled run", s.cancel},
		{"still answers after a model that does not load", s.survivesBadModel},
		{"replaces a loaded model of the same name", s.replaces},
		{"unloads the model, and accepts unknown names", s.unloads},
		{"keeps running when TERM and INT are sent to every process", s.survivesSignals},
		{"ends when the host is gone", s.endsWithHost},
		{"ends within two seconds of being asked to", s.endsWhenAsked},
		{"writes one line to standard output, the handshake", s.quiet},
		{"does not start without the host's cookie", s.needsCookie},
	}
}
