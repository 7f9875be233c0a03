package admin_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"bgremover.pro/core/admin"
	"bgremover.pro/core/cutout"
)

// workshop is a data folder with two models, in which a third can be installed.
type workshop struct {
	mu       sync.Mutex
	models   []cutout.ModelStatus
	gate     chan struct{} // where set, a download or a check waits for it
	refreshs int
}

func newWorkshop() *workshop {
	return &workshop{models: []cutout.ModelStatus{
		{Name: "runtime cpu", Runtime: true, Installed: true, Licence: "MIT", Bytes: 20 << 20},
		{Name: "isnet", About: "the usual one", Licence: "Apache-2.0", Installed: true, Default: true, Bytes: 84 << 20, Loaded: []string{"onnx-cpu"}, Graphs: "int8 at 512, int8 at 1024"},
		{Name: "portrait", About: "for people", Installed: true, Bytes: 40 << 20},
		{Name: "u2net", About: "an older one", Licence: "Apache-2.0", Bytes: 168 << 20},
	}}
}

func (w *workshop) Models() []cutout.ModelStatus {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.models)
}

func (w *workshop) change(name string, f func(*cutout.ModelStatus)) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	f(&w.models[slices.IndexFunc(w.models, func(m cutout.ModelStatus) bool { return m.Name == name })])
	return nil
}

func (w *workshop) wait(ctx context.Context) error {
	if w.gate == nil {
		return nil
	}
	select {
	case <-w.gate:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (w *workshop) Pull(ctx context.Context, name string, progress func(string, int64, int64)) error {
	progress(name, 42<<20, 168<<20)
	if err := w.wait(ctx); err != nil {
		return err
	}
	return w.change(name, func(m *cutout.ModelStatus) { m.Installed = true })
}

func (w *workshop) Remove(_ context.Context, name string) error {
	return w.change(name, func(m *cutout.ModelStatus) { m.Installed = false })
}

func (w *workshop) Derive(_ context.Context, name string) (string, error) {
	const graphs = "fp16 at 512"
	return graphs, w.change(name, func(m *cutout.ModelStatus) { m.Graphs = graphs })
}

func (w *workshop) Use(_ context.Context, name string) error {
	if name == "u2net" {
		return cutout.Wrap(cutout.BackendUnavailable, errors.New("its graph is broken"), "u2net cannot be loaded.")
	}
	_ = w.change("isnet", func(m *cutout.ModelStatus) { m.Default = false })
	return w.change(name, func(m *cutout.ModelStatus) { m.Default = true })
}

func (w *workshop) Refresh(context.Context) error { w.refreshs++; return nil }

// pixel is a WebP of one pixel.
const pixel = "RIFF\x1a\x00\x00\x00WEBPVP8L\r\x00\x00\x00/\x00\x00\x00\x10\x07\x10\x11\x11\x88\x88\xfe\x07\x00"

func (w *workshop) Try(_ context.Context, backend, model string) (cutout.Trial, error) {
	if backend == "onnx-cuda" {
		return cutout.Trial{}, cutout.Wrap(cutout.BackendUnavailable, errors.New("onnx-cuda: no CUDA device is there"), "The server cannot process photos at the moment.")
	}
	if model == "" {
		model = "isnet"
	}
	return cutout.Trial{Backend: "onnx-cpu", Device: "cpu", Model: model, Mode: "auto", Sizes: []int{512, 1024}, Subject: "found", Inference: 321, Total: 654,
		Stages: []cutout.TrialStage{{Name: cutout.Decode, Times: 12}, {Name: cutout.Infer, Times: 345}}, Memory: 511 << 20,
		Width: 1, Height: 1, MediaType: "image/webp", Picture: []byte(pixel)}, nil
}

func (w *workshop) Check(ctx context.Context, backend string, say func(string)) error {
	say("ok     starts and completes the handshake (12ms)")
	if err := w.wait(ctx); err != nil {
		return err
	}
	if backend == "other" {
		say("FAILED describes itself (1ms)")
		return errors.New("the program does not implement the backend contract")
	}
	return nil
}

// A script does with models what the page does, and waits for the outcome.
func TestModelsForScripts(t *testing.T) {
	o := start(t, admin.Access{})
	model := func(name string) (found cutout.ModelStatus) {
		t.Helper()
		var all []cutout.ModelStatus
		if err := json.Unmarshal([]byte(o.ask("GET", "/models.json", nil).body), &all); err != nil {
			t.Fatal(err)
		}
		for _, m := range all {
			if m.Name == name {
				found = m
			}
		}
		return found
	}
	post := func(action, name string) answer { return o.ask("POST", "/models/"+action, url.Values{"name": {name}}) }
	for _, step := range []struct {
		action, name string
		status       int
		holds        func() bool
	}{
		{"pull", "u2net", 200, func() bool { return model("u2net").Installed }},
		{"use", "u2net", 422, func() bool { return model("isnet").Default }},
		{"derive", "portrait", 200, func() bool { return model("portrait").Graphs == "fp16 at 512" }},
		{"use", "portrait", 200, func() bool { return model("portrait").Default && !model("isnet").Default }},
		{"remove", "u2net", 200, func() bool { return !model("u2net").Installed }},
		{"remove", "nothing", 400, func() bool { return true }},
		{"praise", "isnet", 404, func() bool { return true }},
		{"refresh", "", 200, func() bool { return o.workshop.refreshs == 1 }},
	} {
		if got := post(step.action, step.name); got.status != step.status || !step.holds() {
			t.Errorf("%s %s: %d %s", step.action, step.name, got.status, got.body)
		}
	}
	if got := post("use", "u2net"); !strings.Contains(got.body, `"detail":"u2net cannot be loaded. (its graph is broken)"`) {
		t.Errorf("%+v", got)
	}
}

// One long action at a time; the page shows its progress, and can stop it.
func TestOneActionAtATime(t *testing.T) {
	o := start(t, admin.Access{})
	o.workshop.gate = make(chan struct{})
	pull := url.Values{"name": {"u2net"}}
	if got := o.ask("POST", "/models/pull", pull, htmx); got.status != 200 || !strings.Contains(got.body, "every 1s") {
		t.Errorf("%d %s", got.status, got.body)
	}
	o.await("/part/models", "42 MB of 168 MB")
	if got := o.ask("POST", "/models/remove", url.Values{"name": {"portrait"}}); got.status != 422 || !strings.Contains(got.body, "in progress") {
		t.Errorf("meanwhile: %d %s", got.status, got.body)
	}
	o.ask("POST", "/models/dismiss", nil, htmx)
	o.await("/part/models", "Stopped.")
	if got := o.ask("GET", "/models.json", nil); strings.Contains(got.body, `"name":"u2net","about":"an older one","licence":"Apache-2.0","installed":true`) {
		t.Error("what was stopped is installed")
	}
	o.ask("POST", "/models/dismiss", nil, htmx)
	if got := o.ask("GET", "/part/models", nil); strings.Contains(got.body, "Stopped.") {
		t.Error("the notice was not dismissed")
	}
	// An action that nobody stops ends with the server: the test would report a leak.
	o.ask("POST", "/models/pull", pull, htmx)
}

func TestTry(t *testing.T) {
	o := start(t, admin.Access{})
	post := func(backend, model string, edit ...func(*http.Request)) answer {
		return o.ask("POST", "/try", url.Values{"backend": {backend}, "model": {model}}, edit...)
	}
	var trial cutout.Trial
	if got := post("", "portrait"); got.status != 200 || json.Unmarshal([]byte(got.body), &trial) != nil || trial.Model != "portrait" || string(trial.Picture) != pixel || trial.Inference != 321 {
		t.Errorf("%+v", got)
	}
	if got := post("onnx-cuda", ""); got.status != 503 || !strings.Contains(got.body, "no CUDA device is there") {
		t.Errorf("%+v", got)
	}
	if got := post("onnx-cuda", "", htmx); got.status != 503 || !strings.Contains(got.body, `role="alert"`) || !strings.Contains(got.body, "no CUDA device is there") {
		t.Errorf("%+v", got)
	}
	got := post("onnx-cpu", "portrait", browser)
	for _, says := range []string{"<html", `src="data:image/webp;base64,`, "321 ms", "decode 12 ms, infer 345 ms", "511 MB", "512, 1024 pixels", "<option selected>portrait</option>"} {
		if got.status != 200 || !strings.Contains(got.body, says) {
			t.Errorf("%d, and the page does not say %q", got.status, says)
		}
	}
}

func TestCheckOfABackend(t *testing.T) {
	o := start(t, admin.Access{})
	post := func(name string, edit ...func(*http.Request)) answer {
		return o.ask("POST", "/backends/check", url.Values{"backend": {name}}, edit...)
	}
	if got := post("onnx-cpu"); got.status != 200 {
		t.Errorf("%+v", got)
	}
	if got := post("other"); got.status != 422 || !strings.Contains(got.body, "does not implement") {
		t.Errorf("%+v", got)
	}
	if got := o.ask("GET", "/part/check", nil); !strings.Contains(got.body, "FAILED describes itself") || !strings.Contains(got.body, "does not implement") {
		t.Errorf("%+v", got)
	}
	if got := post(""); got.status != 400 {
		t.Errorf("%+v", got)
	}
	if got := o.ask("GET", "/part/events", nil); !strings.Contains(got.body, "check of backend other") {
		t.Error("the check is not among the operator's actions")
	}
}

// A choice made on the page ends with the next start; the page says so, shows the line
// that keeps it, and writes it into the settings file.
func TestChoicesAreKept(t *testing.T) {
	o := start(t, admin.Access{})
	for key, c := range map[string]struct{ choice, panel, keep string }{
		"backend": {"other", "/part/backends", `id="keep-backend"`},
		"model":   {"portrait", "/part/models", `id="keep-model"`},
	} {
		shown := func() string { return o.ask("GET", c.panel, nil).body }
		if strings.Contains(shown(), c.keep) {
			t.Errorf("%s: there is nothing to keep yet", key)
		}
		if r := o.live.Apply(map[string]string{key: c.choice}, false); r.Err != nil {
			t.Fatal(r.Err)
		}
		if got := shown(); !strings.Contains(got, c.keep) || !strings.Contains(got, key+" = &#34;"+c.choice+"&#34;") {
			t.Errorf("%s: %s", key, got)
		}
		got := o.ask("POST", "/config/keep", url.Values{"key": {key}}, htmx)
		if got.status != 200 || strings.Contains(got.body, c.keep) || !strings.Contains(got.body, key+" is saved in the settings file.") {
			t.Errorf("%s: %d %s", key, got.status, got.body)
		}
		if text, err := os.ReadFile(o.file); err != nil || !strings.Contains(string(text), key+` = "`+c.choice+`"`) {
			t.Errorf("%s: %v, %s", key, err, text)
		}
		if got := o.ask("POST", "/config/keep", url.Values{"key": {key}}); got.status != 422 {
			t.Errorf("%s, once more: %+v", key, got)
		}
	}
}
