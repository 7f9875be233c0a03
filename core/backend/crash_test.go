package backend

import (
	"context"
	"errors"
	"strings"
	"syscall"
	"testing"
	"time"

	"bgremover.pro/core/cutout"
)

func asError(err error, e **cutout.Error) bool { return errors.As(err, e) }

// TestDiesMidCall: a request whose backend dies is answered after the restart.
func TestDiesMidCall(t *testing.T) {
	flags, arm := showsOnce(t, "die")
	m := started(t, patient(t, fake("one", flags...)))
	arm()
	works(t, m, "")
	st := awaitStatus(t, m, "one", "restarted", func(s Status) bool { return s.Restarts == 1 && s.State == Ready })
	if !strings.Contains(st.LastError, "status 2: panic: fakebackend: dying in the middle") || !strings.HasPrefix(st.Stderr[0], "panic: ") {
		t.Errorf("the end is not told: %+v", st)
	}
}

// TestDiesAtEveryCall: the request is tried twice, not for ever, and then the
// backend rests.
func TestDiesAtEveryCall(t *testing.T) {
	o := patient(t, fake("one", shows("die")...))
	o.SkipWarmUp = true
	o.Restart.Open = time.Hour
	m := started(t, o)
	_, _, err := segment(soon(t), m, "", "", picture(32))
	if cutout.CodeOf(err) != cutout.BackendUnavailable {
		t.Errorf("segment: %v", err)
	}
	_, _, _ = segment(soon(t), m, "", "", picture(32))
	st := awaitState(t, m, "one", Failed)
	if st.Requests != 3 {
		t.Errorf("%d runs, want 3: the third failure opens the circuit", st.Requests)
	}
	_, _, err = segment(soon(t), m, "", "", picture(32))
	var e *cutout.Error
	if !asError(err, &e) || e.RetryAfter < 30*time.Minute {
		t.Errorf("while it rests: %v", err)
	}
}

// TestRecovers: a backend that failed too often is tried again after a while.
func TestRecovers(t *testing.T) {
	flags, arm := showsOnce(t, "exit")
	arm()
	o := patient(t, fake("one", flags...))
	o.Restart.Failures = 1
	m := newManager(t, o)
	if err := m.Start(soon(t)); err == nil {
		t.Fatal("it started")
	}
	awaitState(t, m, "one", Ready)
	works(t, m, "")
}

// TestRestartsAreCounted: those of a backend that dies before it is ready too, or a
// crash loop would show as none; not a switch, nor attempts of one that lacks something.
func TestRestartsAreCounted(t *testing.T) {
	o := patient(t, fake("dies", shows("exit")...), fake("good"), Spec{Name: "missing", Command: "/no/such/backend"})
	o.Active = "dies"
	m := newManager(t, o)
	if err := m.Start(soon(t)); err == nil {
		t.Fatal("it started")
	}
	awaitStatus(t, m, "dies", "restarted several times", func(s Status) bool { return s.Restarts >= 3 })
	for range 2 {
		if err := m.Switch(soon(t), "good"); err != nil {
			t.Fatal(err)
		}
		_ = m.Switch(soon(t), "missing")
		awaitState(t, m, "good", Ready)
	}
	if good, missing := statusOf(m, "good"), statusOf(m, "missing"); good.Restarts != 0 || missing.Restarts != 0 {
		t.Errorf("good: %+v, missing: %+v", good, missing)
	}
}

func TestDiesIdle(t *testing.T) {
	flags, arm := showsOnce(t, "die-idle", "-delay", "100ms")
	arm()
	o := patient(t, fake("one", flags...))
	o.SkipWarmUp = true
	m := newManager(t, o)
	_ = m.Start(soon(t)) // on a slow machine it dies before it serves
	awaitStatus(t, m, "one", "restarted", func(s Status) bool {
		return s.State == Ready && strings.Contains(s.LastError, "dying idle")
	})
	works(t, m, "")
}

// TestKilledFromOutside: what the kernel does when memory runs out.
func TestKilledFromOutside(t *testing.T) {
	m := started(t, patient(t, fake("one")))
	if err := syscall.Kill(statusOf(m, "one").PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	works(t, m, "")
	if st := statusOf(m, "one"); !strings.Contains(st.LastError, "SIGKILL") || st.Restarts != 1 {
		t.Errorf("status: %+v", st)
	}
}

// TestStopped: a process that is stopped while idle is noticed, killed and
// replaced.
func TestStopped(t *testing.T) {
	o := patient(t, fake("one"))
	o.HealthTimeout = 2 * time.Second
	m := started(t, o)
	if err := syscall.Kill(statusOf(m, "one").PID, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	st := awaitStatus(t, m, "one", "restarted", func(s Status) bool { return s.Restarts == 1 })
	if !strings.Contains(st.LastError, "did not answer within 2s") {
		t.Errorf("status: %+v", st)
	}
	works(t, m, "")
}

// TestStopsMidCall: the same during a request.
func TestStopsMidCall(t *testing.T) {
	flags, arm := showsOnce(t, "stop")
	o := patient(t, fake("one", flags...))
	o.HealthTimeout = 2 * time.Second
	m := started(t, o)
	arm()
	works(t, m, "")
}

// TestHangs: a process whose run does not end is killed, and the next process
// answers the request.
func TestHangs(t *testing.T) {
	flags, arm := showsOnce(t, "hang")
	o := patient(t, fake("one", flags...))
	o.RunTimeout = 3 * time.Second
	m := started(t, o)
	arm()
	works(t, m, "")
	if st := statusOf(m, "one"); !strings.Contains(st.LastError, "a run did not end within") {
		t.Errorf("status: %+v", st)
	}
}

// TestHangsUntilDeadline: a backend that hangs is detected after a few requests,
// even if callers give up before its own time limit.
func TestHangsUntilDeadline(t *testing.T) {
	o := patient(t, fake("one", shows("hang")...))
	o.SkipWarmUp = true
	m := started(t, o)
	for range strikes {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second) // it reaches the backend, on a slow machine too
		if _, _, err := segment(ctx, m, "", "", picture(32)); cutout.CodeOf(err) != cutout.Timeout {
			t.Errorf("segment: %v", err)
		}
		cancel()
	}
	awaitStatus(t, m, "one", "restarted", func(s Status) bool { return s.Restarts == 1 && s.State == Ready })
}

// TestIgnoresShutdown: ended by force, within the time allowed (newManager
// checks that nothing is left).
func TestIgnoresShutdown(t *testing.T) {
	t.Run("stays", func(t *testing.T) {
		started(t, patient(t, fake("one", shows("stay")...)))
	})
	t.Run("stopped", func(t *testing.T) {
		m := started(t, patient(t, fake("one")))
		if err := syscall.Kill(statusOf(m, "one").PID, syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
	})
}

// TestLeaks: a process that grows is replaced in time, and no request is lost.
func TestLeaks(t *testing.T) {
	spec := fake("one", shows("leak")...)
	spec.MaxMemory = 200 << 20
	m := started(t, patient(t, spec))
	for statusOf(m, "one").Restarts == 0 {
		works(t, m, "")
	}
	st := awaitState(t, m, "one", Ready)
	if !strings.Contains(st.LastError, "it grew to") {
		t.Errorf("status: %+v", st)
	}
}

// TestOutOfMemory: a process that gets no more memory dies; the next one answers the
// requests.
func TestOutOfMemory(t *testing.T) {
	spec := fake("one")
	spec.Command, spec.Args = "sh", []string{"-c", "ulimit -v 3000000; exec " + fakebackend + " -fault leak"}
	m := started(t, patient(t, spec))
	for statusOf(m, "one").Restarts == 0 {
		works(t, m, "")
	}
	// On a slow machine it is killed while it still writes down its goroutines.
	if st := statusOf(m, "one"); !strings.Contains(st.LastError+strings.Join(st.Stderr, "\n"), "memory") {
		t.Errorf("status: %+v", st)
	}
}

// TestKeepsFailing: some device errors last until the process ends.
func TestKeepsFailing(t *testing.T) {
	o := patient(t, fake("one", shows("error")...))
	o.SkipWarmUp = true
	m := started(t, o)
	for range strikes {
		if _, _, err := segment(soon(t), m, "", "", picture(32)); cutout.CodeOf(err) != cutout.Internal {
			t.Errorf("segment: %v", err)
		}
	}
	st := awaitStatus(t, m, "one", "restarted", func(s Status) bool { return s.Restarts == 1 })
	if !strings.Contains(st.LastError, "3 runs in a row failed") || st.Failures != strikes {
		t.Errorf("status: %+v", st)
	}
}

// TestAutoFallsBack: Auto takes the CPU where CUDA does not work, says so, and
// returns to CUDA once that works.
func TestAutoFallsBack(t *testing.T) {
	flags, arm := showsOnce(t, "exit")
	arm()
	cuda := fake("fast", append(flags, "-device", "cuda:0")...)
	cuda.Device = "cuda"
	o := patient(t, fake("slow"), cuda)
	o.Restart.Failures, o.Restart.Open = 1, time.Hour
	m := started(t, o)
	st := statusOf(m, "slow")
	if !st.Serving || !strings.Contains(st.Why, "in place of fast: it exited with status 3") {
		t.Errorf("status: %+v", st)
	}
	if run := works(t, m, ""); run.Backend != "slow" {
		t.Errorf("served by %s", run.Backend)
	}
	if err := m.Restart(soon(t), "fast"); err != nil {
		t.Errorf("restart: %v", err)
	}
	if run := works(t, m, ""); run.Backend != "fast" || run.Device != "cuda:0" {
		t.Errorf("served by %+v", run)
	}
	awaitState(t, m, "slow", Off)
}

// TestNamedNeverFallsBack: neither for a request that names a backend nor where
// the operator named one.
func TestNamedNeverFallsBack(t *testing.T) {
	o := patient(t, fake("good"), fake("bad", shows("exit")...))
	m := started(t, o)
	if _, _, err := segment(soon(t), m, "bad", "", picture(32)); cutout.CodeOf(err) != cutout.BackendUnavailable {
		t.Errorf("segment on bad: %v", err)
	}
	if err := m.Switch(soon(t), "bad"); cutout.CodeOf(err) != cutout.BackendUnavailable {
		t.Errorf("switch to bad: %v", err)
	}
	if run := works(t, m, ""); run.Backend != "good" || m.Active() != Auto {
		t.Errorf("after a failed switch %s serves, %s is active", run.Backend, m.Active())
	}
}

// TestNextUsable: a request whose backend dies goes to the next one that is
// ready, without waiting for the restart.
func TestNextUsable(t *testing.T) {
	flags, arm := showsOnce(t, "die")
	o := patient(t, fake("one", flags...), fake("two"))
	o.Restart.Min, o.Restart.Max = time.Hour, time.Hour
	m := started(t, o)
	works(t, m, "two") // starts it
	arm()
	if run := works(t, m, ""); run.Backend != "two" {
		t.Errorf("served by %s", run.Backend)
	}
}

// TestLeavingClient: a request whose client has left frees the backend.
func TestLeavingClient(t *testing.T) {
	o := patient(t, fake("one", "-delay", "1h"))
	o.SkipWarmUp = true
	m := started(t, o)
	ctx, leave := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() {
		_, _, err := segment(ctx, m, "", "", picture(32))
		ended <- err
	}()
	awaitStatus(t, m, "one", "running", func(s Status) bool { return s.Running == 1 })
	leave()
	if err := <-ended; cutout.CodeOf(err) != cutout.Canceled {
		t.Errorf("segment: %v", err)
	}
	if st := statusOf(m, "one"); st.Running != 0 || st.Restarts != 0 || st.Failures != 0 {
		t.Errorf("status: %+v", st)
	}
}
