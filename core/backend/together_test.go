package backend

import (
	"context"
	"sync"
	"testing"
	"time"

	"bgremover.pro/core/cutout"
)

// TestDiesUnderSeveral: when a request kills a process, its other requests are not
// lost.
func TestDiesUnderSeveral(t *testing.T) {
	flags, arm := showsOnce(t, "die", "-delay", "200ms")
	spec := fake("one", flags...)
	spec.Concurrency = 4
	m := started(t, patient(t, spec))
	var requests sync.WaitGroup
	ctx := soon(t)
	request := func() {
		if _, _, err := segment(ctx, m, "", "", picture(32)); err != nil {
			t.Errorf("a request was lost: %v", err)
		}
	}
	for range 3 {
		requests.Go(request)
	}
	awaitStatus(t, m, "one", "running three", func(s Status) bool { return s.Running == 3 || s.Requests >= 3 })
	arm()
	for range 5 {
		requests.Go(request)
	}
	requests.Wait()
	awaitStatus(t, m, "one", "restarted", func(s Status) bool { return s.Restarts == 1 && s.State == Ready })
}

// TestCrashLoopHarmsNobody: while one backend dies at every request, those for
// another one are served normally.
func TestCrashLoopHarmsNobody(t *testing.T) {
	o := patient(t, fake("bad", shows("die")...), fake("good"))
	o.Active, o.SkipWarmUp = "bad", true
	m := started(t, o)
	pid := func() int { return statusOf(m, "good").PID }
	works(t, m, "good")
	before := pid()
	ctx, stop := context.WithCancel(soon(t))
	var visitors sync.WaitGroup
	visitors.Go(func() {
		for ctx.Err() == nil {
			if _, _, err := segment(ctx, m, "bad", "", picture(32)); err == nil {
				t.Error("bad answered")
			}
		}
	})
	for {
		works(t, m, "good")
		if st := statusOf(m, "bad"); st.State == Failed && st.NextTry.After(time.Now()) && st.Requests >= 3 {
			break
		}
	}
	stop()
	visitors.Wait()
	if pid() != before {
		t.Error("good was restarted")
	}
	if _, _, err := segment(soon(t), m, "bad", "", picture(32)); cutout.CodeOf(err) != cutout.BackendUnavailable {
		t.Errorf("bad: %v", err)
	}
}
