package backend

import (
	"context"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"bgremover.pro/core/cutout"
)

// load keeps clients sending requests until stopped, and returns how many were
// answered and the longest that one took.
type load struct {
	stop    context.CancelFunc
	clients sync.WaitGroup
	served  atomic.Int64
	longest atomic.Int64
}

func underLoad(t testing.TB, m *Manager, clients int) *load {
	ctx, stop := context.WithCancel(context.Background())
	l := &load{stop: stop}
	for range clients {
		l.clients.Go(func() {
			for ctx.Err() == nil {
				start := time.Now()
				// Not under ctx: a request begun is a request to be answered.
				if _, _, err := segment(context.WithoutCancel(ctx), m, "", "", picture(32)); err != nil {
					t.Errorf("a request was lost: %v", err)
					return
				}
				l.served.Add(1)
				for took := int64(time.Since(start)); ; {
					old := l.longest.Load()
					if took <= old || l.longest.CompareAndSwap(old, took) {
						break
					}
				}
			}
		})
	}
	return l
}

func (l *load) end() (served int64, longest time.Duration) {
	l.stop()
	l.clients.Wait()
	return l.served.Load(), time.Duration(l.longest.Load())
}

// TestSwapUnderLoad: no way of changing the serving backend loses a request.
func TestSwapUnderLoad(t *testing.T) {
	one := fake("one", "-delay", "2ms")
	one.Concurrency = 2
	o := patient(t, one, fake("two", "-delay", "2ms"))
	o.Active = "one"
	m := started(t, o)
	l := underLoad(t, m, 8)
	ctx := soon(t)
	steps := map[string]func() error{
		"switch to two":    func() error { return m.Switch(ctx, "two") },
		"restart two":      func() error { return m.Restart(ctx, "two") },
		"switch to auto":   func() error { return m.Switch(ctx, Auto) },
		"update the model": func() error { return m.UpdateModel(ctx, testModel(t, "first", 32, 64, 128)) },
		"reconfigure": func() error {
			spec := fake("one", "-delay", "1ms")
			return m.Reconfigure(ctx, []Spec{spec, fake("two", "-delay", "2ms")}, "")
		},
		"switch to one": func() error { return m.Switch(ctx, "one") },
	}
	for name, step := range steps {
		before := l.served.Load()
		if err := step(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if after := l.served.Load(); after == before {
			t.Logf("%s: no request was served meanwhile", name)
		}
	}
	served, longest := l.end()
	t.Logf("%d requests, the longest took %v", served, longest)
	if served == 0 {
		t.Error("nothing was served")
	}
}

// TestSwitchRollsBack: the old backend stays if the new one does not work.
func TestSwitchRollsBack(t *testing.T) {
	o := patient(t, fake("one"), fake("bad", shows("size")...))
	o.Active = "one"
	m := started(t, o)
	pid := statusOf(m, "one").PID
	l := underLoad(t, m, 2)
	err := m.Switch(soon(t), "bad")
	l.end()
	if cutout.CodeOf(err) != cutout.BackendUnavailable || !strings.Contains(err.Error(), "mask of 16x16") {
		t.Errorf("switch: %v", err)
	}
	if m.Active() != "one" || statusOf(m, "one").PID != pid {
		t.Errorf("%s is active, %+v", m.Active(), statusOf(m, "one"))
	}
	if st := awaitState(t, m, "bad", Off); !strings.Contains(st.LastError, "mask of 16x16") {
		t.Errorf("status: %+v", st)
	}
	if err := m.Switch(soon(t), "none"); cutout.CodeOf(err) != cutout.Invalid || !strings.Contains(err.Error(), "auto, one, bad") {
		t.Errorf("switch to an unknown one: %v", err)
	}
}

// tight is a memory budget that one fake backend fits into and two do not.
func tight(o Options) Options {
	o.Memory = 1 << 30
	for i := range o.Specs {
		o.Specs[i].Memory = 1<<30 - 1
	}
	return o
}

// TestHandOver: two that do not fit together are swapped one after the other;
// requests wait and none is lost, even if the switch fails.
func TestHandOver(t *testing.T) {
	o := tight(patient(t, fake("one"), fake("two"), fake("bad", shows("load")...)))
	o.Active = "one"
	m := started(t, o)
	l := underLoad(t, m, 4)
	if err := m.Switch(soon(t), "two"); err != nil {
		t.Errorf("switch: %v", err)
	}
	if st := statusOf(m, "one"); st.State != Off {
		t.Errorf("beside the new one, the old one is %s", st.State)
	}
	if err := m.Switch(soon(t), "bad"); cutout.CodeOf(err) != cutout.BackendUnavailable {
		t.Errorf("switch to bad: %v", err)
	}
	if m.Active() != "two" {
		t.Errorf("%s is active", m.Active())
	}
	if err := m.Restart(soon(t), "two"); err != nil {
		t.Errorf("restart: %v", err)
	}
	if served, longest := l.end(); served == 0 {
		t.Error("nothing was served")
	} else {
		t.Logf("%d requests, the longest took %v", served, longest)
	}
	if _, _, err := segment(soon(t), m, "one", "", picture(32)); cutout.CodeOf(err) != cutout.BackendUnavailable {
		t.Errorf("a request for one that does not fit: %v", err)
	}
}

// TestReplacementFails: the working process stays.
func TestReplacementFails(t *testing.T) {
	m := started(t, patient(t, fake("one")))
	pid := statusOf(m, "one").PID
	err := m.Reconfigure(soon(t), []Spec{fake("one", shows("exit")...)}, "")
	if cutout.CodeOf(err) != cutout.BackendUnavailable || !strings.Contains(err.Error(), "status 3") {
		t.Errorf("reconfigure: %v", err)
	}
	if st := statusOf(m, "one"); st.PID != pid || st.State != Ready || !strings.Contains(st.LastError, "status 3") {
		t.Errorf("status: %+v", st)
	}
	works(t, m, "")
}

func TestReconfigure(t *testing.T) {
	o := patient(t, fake("one"), fake("two"))
	m := started(t, o)
	for name, specs := range map[string][]Spec{
		"none": {}, "twice": {fake("one"), fake("one")}, "bad name": {fake("One")}, "auto": {fake(Auto)},
	} {
		if err := m.Reconfigure(soon(t), specs, ""); cutout.CodeOf(err) != cutout.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, step := range []struct {
		specs                 []Spec
		active, by, have, err string
	}{
		{[]Spec{fake("two"), fake("three")}, "", "two", "two three", ""},
		{[]Spec{fake("four")}, "four", "four", "four", ""},
		{[]Spec{fake("five", shows("exit")...)}, "five", "four", "five four", "status 3"},
		{[]Spec{fake("six")}, Auto, "six", "six", ""},
		{[]Spec{fake("seven")}, "eight", "six", "six", "not configured"},
	} {
		err := m.Reconfigure(soon(t), step.specs, step.active)
		if (err == nil) != (step.err == "") || err != nil && !strings.Contains(err.Error(), step.err) {
			t.Errorf("to %q: %v", step.active, err)
		}
		var names []string
		for _, s := range m.Snapshot() {
			names = append(names, s.Name)
		}
		if have := strings.Join(names, " "); have != step.have {
			t.Errorf("to %q: there are %s; want %s", step.active, have, step.have)
		}
		if run := works(t, m, ""); run.Backend != step.by {
			t.Errorf("to %q: served by %s; want %s", step.active, run.Backend, step.by)
		}
	}
}

// TestReconfigureModels: the first of the new models serves requests that name none,
// and is loaded before they come; one that does not load changes nothing.
func TestReconfigureModels(t *testing.T) {
	o := patient(t, fake("one"))
	m := started(t, o)
	broken := testModel(t, "third", 32)
	broken.Variants[0].File += ".missing"
	if err := m.Reconfigure(soon(t), o.Specs, "", broken, o.Models[0]); cutout.CodeOf(err) != cutout.Invalid {
		t.Errorf("to a model that does not load: %v", err)
	}
	if run := works(t, m, ""); run.Model != "first" {
		t.Errorf("then %s ran", run.Model)
	}
	if err := m.Reconfigure(soon(t), o.Specs, "", o.Models[1], o.Models[0]); err != nil {
		t.Fatal(err)
	}
	if loaded := statusOf(m, "one").Models; !slices.Contains(loaded, "second") {
		t.Errorf("loaded before any request: %v", loaded)
	}
	if run := works(t, m, ""); run.Model != "second" {
		t.Errorf("then %s ran", run.Model)
	}
}

// TestIdle: a process without work ends, and the next request starts it.
func TestIdle(t *testing.T) {
	o := patient(t, fake("one"))
	o.IdleAfter = 50 * time.Millisecond
	m := started(t, o)
	awaitState(t, m, "one", Off)
	if err := m.Ready(); err != nil {
		t.Errorf("ready while asleep: %v", err)
	}
	works(t, m, "")
	awaitState(t, m, "one", Off)
}

// TestUpdateModel: requests see the new sizes once they are ready, and not
// before.
func TestUpdateModel(t *testing.T) {
	m := started(t, patient(t, fake("one")))
	if sizes := acquired(t, m, "").Sizes(); !slices.Equal(sizes, []int{32, 64}) {
		t.Fatalf("sizes: %v", sizes)
	}
	broken := testModel(t, "first", 16)
	broken.Variants[0].File += ".missing"
	if err := m.UpdateModel(soon(t), broken); cutout.CodeOf(err) != cutout.Invalid {
		t.Errorf("update with a missing file: %v", err)
	}
	works(t, m, "")
	if err := m.UpdateModel(soon(t), testModel(t, "first", 16, 32, 64)); err != nil {
		t.Fatal(err)
	}
	if sizes := acquired(t, m, "").Sizes(); !slices.Equal(sizes, []int{16, 32, 64}) {
		t.Fatalf("sizes: %v", sizes)
	}
	if _, _, err := segment(soon(t), m, "", "", picture(16)); err != nil {
		t.Errorf("segment: %v", err)
	}
}

// BenchmarkSwapUnderLoad prints the longest pause that a client among eight
// sees while backends are swapped.
func BenchmarkSwapUnderLoad(b *testing.B) {
	o := patient(b, fake("one", "-delay", "2ms"), fake("two", "-delay", "2ms"))
	o.Active = "one"
	m := started(b, o)
	l := underLoad(b, m, 8)
	names := []string{"two", "one"}
	b.ResetTimer()
	for i := range b.N {
		if err := m.Switch(soon(b), names[i%2]); err != nil {
			b.Fatal(err)
		}
	}
	b.StopTimer()
	served, longest := l.end()
	b.ReportMetric(float64(longest.Microseconds())/1000, "ms-longest-pause")
	b.ReportMetric(float64(served)/float64(b.N), "requests/swap")
}
