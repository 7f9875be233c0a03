package backend

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"bgremover.pro/core/cutout"
)

// Options configure a Manager; all but Specs and Models have useful defaults.
type Options struct {
	Specs []Spec
	// Active is the backend for requests that name none: Auto (also "") or a
	// name. A name never falls back to another backend.
	Active string
	// Models are those that may run, the default first.
	Models []cutout.Model
	Log    *slog.Logger
	// OnRun, if set, is called after every run; it must return at once.
	OnRun func(Observation)

	// RunDir is a folder for sockets; empty means the user's run-time folder
	// or the temporary one.
	RunDir string
	// Memory is what all backends together may use, in bytes; 0 means what
	// the machine has free.
	Memory int64
	// MaxModels is the number of models a process keeps loaded; 0 means 2.
	MaxModels int
	// IdleAfter is the time without work after which a process ends, to start
	// again with the next request; 0 means never.
	IdleAfter time.Duration
	// SkipWarmUp leaves out the inference that every new process does before
	// it serves, for programs that do one photo.
	SkipWarmUp bool

	LoadTimeout    time.Duration // of one model; 0 means 2 minutes
	RunTimeout     time.Duration // of one run, after which its process is killed; 0 means 1 minute
	DrainTimeout   time.Duration // for the runs of a process that is replaced; 0 means 1 minute
	StopTimeout    time.Duration // between asking a process to end and killing it; 0 means 5 seconds
	HealthInterval time.Duration // 0 means 5 seconds
	HealthTimeout  time.Duration // 0 means 10 seconds
	Restart        Restart
}

// Observation is one run, for metrics.
type Observation struct {
	Backend, Model string
	// Duration is that of the call, Inference that inside the plugin.
	Duration, Inference time.Duration
	Err                 error
}

// Restart says when a backend that failed is started again.
type Restart struct {
	// Min is the wait after the first failure, doubled with each further one
	// up to Max; 0 means 250 milliseconds and 30 seconds.
	Min, Max time.Duration
	// Failures in a row after which requests no longer wait for it and only
	// one attempt is made every Open, doubled each time up to 16 times Open;
	// 0 means 5 and 1 minute.
	Failures int
	Open     time.Duration
	// Stable is how long it must serve for its failures to be forgotten; 0
	// means 1 minute.
	Stable time.Duration
}

func (o *Options) setDefaults() {
	o.Active = cmp.Or(o.Active, Auto)
	o.Log = cmp.Or(o.Log, slog.Default())
	o.MaxModels = cmp.Or(o.MaxModels, 2)
	o.LoadTimeout = cmp.Or(o.LoadTimeout, 2*time.Minute)
	o.RunTimeout = cmp.Or(o.RunTimeout, time.Minute)
	o.DrainTimeout = cmp.Or(o.DrainTimeout, time.Minute)
	o.StopTimeout = cmp.Or(o.StopTimeout, 5*time.Second)
	o.HealthInterval = cmp.Or(o.HealthInterval, 5*time.Second)
	o.HealthTimeout = cmp.Or(o.HealthTimeout, 10*time.Second)
	r := &o.Restart
	r.Min, r.Max = cmp.Or(r.Min, 250*time.Millisecond), cmp.Or(r.Max, 30*time.Second)
	r.Failures, r.Open = cmp.Or(r.Failures, 5), cmp.Or(r.Open, time.Minute)
	r.Stable = cmp.Or(r.Stable, time.Minute)
}

func (o *Options) validate() error {
	problems := []error{checkSpecs(o.Specs, o.Models)}
	if len(o.Models) == 0 {
		problems = append(problems, errors.New("no model is installed"))
	}
	seen := map[string]bool{}
	for _, m := range o.Models {
		if seen[m.Name] {
			problems = append(problems, fmt.Errorf("model %q is listed twice", m.Name))
		}
		seen[m.Name] = true
	}
	return errors.Join(problems...)
}

// checkSpecs reports what is wrong with a list of backends.
func checkSpecs(specs []Spec, models []cutout.Model) error {
	var problems []error
	if len(specs) == 0 {
		problems = append(problems, errors.New("no backend is configured"))
	}
	seen := map[string]bool{}
	for _, s := range specs {
		problems = append(problems, s.Validate())
		if seen[s.Name] {
			problems = append(problems, fmt.Errorf("backend %q is configured twice", s.Name))
		}
		seen[s.Name] = true
		if _, ok := s.first(models); !ok && len(models) > 0 {
			problems = append(problems, fmt.Errorf("backend %q: none of its models is installed", s.Name))
		}
	}
	return errors.Join(problems...)
}
