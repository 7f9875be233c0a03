package app

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/procfs"

	"bgremover.pro/core/backend"
	"bgremover.pro/core/config"
	"bgremover.pro/core/cutout"
	"bgremover.pro/core/model"
	"bgremover.pro/plugins/contracttest"
	"bgremover.pro/static"
)

// runtimePrefix begins the names of the builds of ONNX Runtime in a list of models.
const runtimePrefix = "runtime "

// Models lists the known models and runtimes, and the mistakes in the descriptions of
// the operator's own.
func Models(store *model.Store, byDefault string) ([]cutout.ModelStatus, []error) {
	listed, problems := store.List()
	var all []cutout.ModelStatus
	for _, l := range listed {
		m := cutout.ModelStatus{Name: l.Name, About: l.About, Licence: l.Licence, Own: l.Own, Installed: l.Installed, Bytes: l.Bytes,
			Runtime: strings.HasPrefix(l.Name, runtimePrefix), Default: l.Name == byDefault}
		if l.Installed && !m.Runtime {
			m.Graphs = graphs(store, l.Name)
		}
		all = append(all, m)
	}
	return all, problems
}

// graphs says which graphs were derived from a model.
func graphs(store *model.Store, name string) string {
	d, err := store.Derived(name)
	switch {
	case err != nil:
		return ""
	case d.Reason != "":
		return "as published: " + d.Reason
	}
	var all []string
	for _, g := range d.Graphs {
		all = append(all, g.Precision+" at "+strconv.Itoa(g.Size))
	}
	return strings.Join(all, ", ")
}

// workshop is what the operator does with models and backends while the server runs.
type workshop struct{ *App }

func (w workshop) Models() []cutout.ModelStatus {
	all, problems := Models(w.engine.Store, w.live.Current().Inference.Model)
	for _, problem := range problems {
		w.log.Warn("the description of a model cannot be used", "error", problem)
	}
	for _, b := range w.engine.Backends.Snapshot() {
		for i, m := range all {
			if slices.Contains(b.Models, m.Name) {
				all[i].Loaded = append(all[i].Loaded, b.Name)
			}
		}
	}
	return all
}

// Pull installs a model, or a build of the runtime, and offers it.
func (w workshop) Pull(ctx context.Context, name string, progress func(what string, done, total int64)) error {
	wanted := model.Wanted{Models: []string{name}}
	if build, isRuntime := strings.CutPrefix(name, runtimePrefix); isRuntime {
		wanted = model.Wanted{Runtime: build}
	}
	if err := w.engine.Store.Pull(ctx, wanted, func(e model.Event) {
		if e.State == model.Fetching {
			progress(e.What, e.Done, e.Total)
		}
	}); err != nil {
		return err
	}
	return w.Refresh(ctx)
}

// Refresh offers what the data folder holds now.
func (w workshop) Refresh(ctx context.Context) error { return w.offer(ctx, w.live.Current()) }

// Remove deletes a model that is not the default.
func (w workshop) Remove(ctx context.Context, name string) error {
	if name == w.live.Current().Inference.Model {
		return cutout.Errorf(cutout.Invalid, "%s is the default model; make another one the default first.", name)
	}
	if err := w.engine.Store.Remove(ctx, name); err != nil {
		return err
	}
	return w.Refresh(ctx)
}

// Derive makes faster graphs from a model; they serve at once.
func (w workshop) Derive(ctx context.Context, name string) (string, error) {
	derived, err := w.deriveModel(ctx, name)
	if err != nil {
		return "", err
	}
	if name == w.live.Current().Inference.Model {
		w.offerDevice(ctx)
	}
	return cmp.Or(derived.Reason, graphs(w.engine.Store, name)), nil
}

// Use makes a model the default, until the next start. The serving backend loads it
// first, so that a model that cannot run changes nothing.
func (w workshop) Use(ctx context.Context, name string) error {
	lease, err := w.engine.Backends.Acquire(ctx, "", name)
	if err != nil {
		return err
	}
	lease.Release()
	if err := w.live.Apply(map[string]string{"model": name}, false).Err; err != nil {
		return err
	}
	w.offerDevice(ctx)
	return nil
}

// testPhoto is the one that trials cut out: a person, of those on the page.
const testPhoto = "samples/astronaut.jpg"

// Try cuts out the test photo, on a backend and with a model; empty names mean those
// that serve.
func (w workshop) Try(ctx context.Context, name, model string) (cutout.Trial, error) {
	photo, _, _ := static.Open(static.Path(testPhoto))
	began := time.Now()
	result, err := w.engine.Pipeline.Remove(ctx, cutout.Job{Upload: bytes.Clone(photo.Content),
		Options: cutout.Options{Backend: name, Model: model, Format: cutout.WebP}})
	if err != nil {
		return cutout.Trial{}, err
	}
	run := result.Run
	t := cutout.Trial{Backend: run.Backend, Device: run.Device, Model: run.Model, Mode: run.Mode, Sizes: run.Sizes, Subject: result.Subject,
		Inference: milliseconds(run.Inference), Total: milliseconds(time.Since(began)), Memory: w.memoryOf(run.Backend),
		Width: result.Width, Height: result.Height, MediaType: result.MediaType, Picture: result.File}
	for _, s := range result.Timings {
		t.Stages = append(t.Stages, cutout.TrialStage{Name: s.Stage, Times: milliseconds(s.Duration)})
	}
	return t, nil
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// memoryOf is what a backend's process holds now; what it last reported may be seconds
// old.
func (w workshop) memoryOf(name string) int64 {
	for _, b := range w.engine.Backends.Snapshot() {
		if b.Name != name {
			continue
		}
		if p, err := procfs.NewProc(b.PID); err == nil {
			if stat, err := p.Stat(); err == nil {
				return int64(stat.ResidentMemory())
			}
		}
		return b.Memory
	}
	return 0
}

// Check runs the conformance suite on a second process of a backend and says how each
// rule went.
func (w workshop) Check(ctx context.Context, name string, say func(line string)) error {
	return CheckBackend(ctx, w.live.Current(), w.engine.Store, name, say)
}

// CheckBackend runs the conformance suite on a configured backend with the default
// model, and says how each rule went.
func CheckBackend(ctx context.Context, c *config.Config, store *model.Store, name string, say func(line string)) error {
	specs, err := backendSpecs(c, store)
	if err != nil {
		return err
	}
	for _, spec := range specs {
		if spec.Name != name {
			continue
		}
		m, err := store.Installed(c.Inference.Model)
		if err != nil {
			return err
		}
		path, err := spec.Path()
		if err != nil {
			return err
		}
		return Conform(ctx, contracttest.Command{Path: path, Args: spec.Args, Env: spec.Environment(os.Environ()), TLS: !spec.NoTLS}, m, say)
	}
	return cutout.Errorf(cutout.Invalid, "There is no backend %q.", name)
}

// HasBackend reports whether a backend of that name is bundled or configured.
func HasBackend(c *config.Config, store *model.Store, name string) bool {
	specs, err := backendSpecs(c, store)
	return err == nil && slices.ContainsFunc(specs, func(s backend.Spec) bool { return s.Name == name })
}

// Conform runs the conformance suite on a program and says how each rule went.
func Conform(ctx context.Context, program contracttest.Command, m cutout.Model, say func(line string)) error {
	if contracttest.Run(ctx, program, m, func(r contracttest.Result) {
		verdict := "ok    "
		if r.Err != nil {
			verdict = "FAILED"
		}
		say(fmt.Sprintf("%s %s (%v)", verdict, r.Name, r.Took.Round(time.Millisecond)))
		if r.Err != nil {
			say("       " + r.Err.Error())
		}
	}) {
		return nil
	}
	return cutout.Errorf(cutout.Invalid, "The program does not implement the backend contract.")
}
