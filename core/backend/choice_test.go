package backend

import (
	"strings"
	"testing"

	"bgremover.pro/core/cutout"
)

// TestUnknown: an unknown model or backend is the caller's mistake, and the message
// lists the choices.
func TestUnknown(t *testing.T) {
	only := fake("two")
	only.Models = []string{"second"}
	m := started(t, patient(t, fake("one"), only))
	tests := map[string]struct{ backend, model, choices string }{
		"backend":               {"three", "", "backend is one of: auto, one, two"},
		"model":                 {"", "third", "model is one of: first, second"},
		"model on that backend": {"two", "first", "model is one of: second"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := m.Acquire(soon(t), test.backend, test.model)
			if cutout.CodeOf(err) != cutout.Invalid || cutout.MessageOf(err) != test.choices {
				t.Errorf("%v; want %q", err, test.choices)
			}
		})
	}
	if _, _, err := segment(soon(t), m, "", "first", picture(48)); cutout.CodeOf(err) != cutout.Invalid {
		t.Errorf("a size that the model does not have: %v", err)
	}
}

// TestChosen: a request's backend and model do the work, also for "auto".
func TestChosen(t *testing.T) {
	only := fake("two")
	only.Models = []string{"second"}
	o := patient(t, fake("one"), only)
	o.Active = "one"
	m := started(t, o)
	tests := []struct{ backend, model, byBackend, byModel string }{
		{"", "", "one", "first"}, {"", "second", "one", "second"}, {"one", "second", "one", "second"},
		{"two", "", "two", "second"}, {"auto", "first", "one", "first"},
	}
	for _, test := range tests {
		_, run, err := segment(soon(t), m, test.backend, test.model, picture(32))
		if err != nil || run.Backend != test.byBackend || run.Model != test.byModel {
			t.Errorf("%q, %q: %+v, %v", test.backend, test.model, run, err)
		}
	}
}

// TestModelsMakeRoom: of the models that a process has loaded, the least recently
// used one is evicted for another, but never the default one.
func TestModelsMakeRoom(t *testing.T) {
	o := patient(t, fake("one"))
	o.Models = append(o.Models, testModel(t, "third", 32))
	m := started(t, o)
	for _, step := range []struct{ model, loaded string }{
		{"first", "first"}, {"second", "first second"}, {"first", "first second"},
		{"third", "first third"}, {"third", "first third"}, {"second", "first second"},
	} {
		if was := strings.Contains(strings.Join(statusOf(m, "one").Models, " "), step.model); m.Loaded("", step.model) != was || m.Loaded("one", step.model) != was {
			t.Errorf("loaded %s: %t, want %t", step.model, !was, was)
		}
		if _, _, err := segment(soon(t), m, "", step.model, picture(32)); err != nil {
			t.Fatal(err)
		}
		if loaded := strings.Join(statusOf(m, "one").Models, " "); loaded != step.loaded {
			t.Errorf("after %s these are loaded: %s; want %s", step.model, loaded, step.loaded)
		}
	}
}

func TestModelsUnderLoad(t *testing.T) {
	spec := fake("one", "-delay", "1ms")
	spec.Concurrency = 2
	o := patient(t, spec)
	o.MaxModels = 1
	o.Models = append(o.Models, testModel(t, "third", 32))
	m := started(t, o)
	done := make(chan error)
	for i := range 12 {
		go func() {
			_, _, err := segment(soon(t), m, "", []string{"first", "second", "third"}[i%3], picture(32))
			done <- err
		}()
	}
	for range 12 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	model := testModel(t, "first", 32)
	none := fake("one")
	none.Models = []string{"other"}
	tests := map[string]struct {
		o    Options
		want string
	}{
		"nothing":        {Options{}, "no backend is configured"},
		"no model":       {Options{Specs: []Spec{fake("one")}}, "no model is installed"},
		"twice":          {Options{Specs: []Spec{fake("one"), fake("one")}, Models: []cutout.Model{model}}, "configured twice"},
		"unknown active": {Options{Specs: []Spec{fake("one")}, Models: []cutout.Model{model}, Active: "two"}, "backend is one of: auto, one"},
		"bad checksum":   {Options{Specs: []Spec{{Name: "one", Command: "x", SHA256: "12"}}, Models: []cutout.Model{model}}, "64 hex digits"},
		"bad variable":   {Options{Specs: []Spec{{Name: "one", Command: "x", Env: []string{"=1"}}}, Models: []cutout.Model{model}}, "names no environment variable"},
		"no command":     {Options{Specs: []Spec{{Name: "one"}}, Models: []cutout.Model{model}}, "no command"},
		"model missing":  {Options{Specs: []Spec{none}, Models: []cutout.Model{model}}, "none of its models is installed"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if _, err := New(test.o); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v; want %q", err, test.want)
			}
		})
	}
}
