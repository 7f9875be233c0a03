package backend

import (
	"context"
	"syscall"
	"testing"

	"bgremover.pro/core/cutout"
)

// acquired leases a backend until the test releases it, or ends.
func acquired(t testing.TB, m *Manager, backend string) cutout.Lease {
	t.Helper()
	lease, err := m.Acquire(soon(t), backend, "")
	if err != nil {
		t.Fatalf("acquire: %v", err)
	}
	t.Cleanup(lease.Release)
	return lease
}

// runs makes a lease run one size, and returns the backend that did.
func runs(t testing.TB, lease cutout.Lease, size int) cutout.Run {
	t.Helper()
	mask, run, err := lease.Segment(soon(t), picture(size))
	if err != nil {
		t.Fatalf("size %d: %v", size, err)
	}
	if mask.Width != size {
		t.Fatalf("size %d: a mask of %d", size, mask.Width)
	}
	return run
}

// kill ends a backend's process as the kernel does when memory runs out.
func kill(t testing.TB, m *Manager, name string) {
	t.Helper()
	st := awaitState(t, m, name, Ready)
	if err := syscall.Kill(st.PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	awaitStatus(t, m, name, "restarted", func(s Status) bool { return s.Restarts > st.Restarts && s.State == Ready })
}

// TestSwapBetweenSizes: whatever is changed between two sizes of a photo, both
// run on the same process, which waits for the lease; the next photo runs on the
// result of the change.
func TestSwapBetweenSizes(t *testing.T) {
	other := fake("one", "-device", "other")
	for name, test := range map[string]struct {
		change   func(context.Context, *Manager) error
		next     string // serves the next photo
		replaced bool   // the process ends
	}{
		"switch":      {func(ctx context.Context, m *Manager) error { return m.Switch(ctx, "two") }, "two cpu", true},
		"restart":     {func(ctx context.Context, m *Manager) error { return m.Restart(ctx, "one") }, "one cpu", true},
		"reconfigure": {func(ctx context.Context, m *Manager) error { return m.Reconfigure(ctx, []Spec{other}, "one") }, "one other", true},
		"remove":      {func(ctx context.Context, m *Manager) error { return m.Reconfigure(ctx, []Spec{fake("two")}, "two") }, "two cpu", true},
		"update the model": {func(ctx context.Context, m *Manager) error {
			return m.UpdateModel(ctx, testModel(t, "first", 16, 32, 64))
		}, "one cpu", false},
	} {
		t.Run(name, func(t *testing.T) {
			o := patient(t, fake("one"), fake("two"))
			o.Active = "one"
			m := started(t, o)
			process := m.supervisors[0].proc
			lease := acquired(t, m, "")
			first := runs(t, lease, 32)
			if err := test.change(soon(t), m); err != nil {
				t.Fatal(err)
			}
			next := works(t, m, "")
			if by := next.Backend + " " + next.Device; by != test.next {
				t.Errorf("the next photo ran on %s; want %s", by, test.next)
			}
			second := runs(t, lease, 64)
			if lease.(*Lease).process != process || first.Backend != "one" || second.Backend != "one" || second.Device != first.Device {
				t.Errorf("the sizes ran on %+v and %+v", first, second)
			}
			lease.Release()
			if test.replaced {
				<-process.gone
			}
		})
	}
}

// TestHandOverWaitsForLeases: where two backends do not fit together, the next
// starts when the photo in progress is done.
func TestHandOverWaitsForLeases(t *testing.T) {
	o := tight(patient(t, fake("one"), fake("two")))
	o.Active = "one"
	m := started(t, o)
	lease := acquired(t, m, "")
	runs(t, lease, 32)
	switched := make(chan error)
	go func() { switched <- m.Switch(soon(t), "two") }()
	awaitState(t, m, "one", Draining)
	if run := runs(t, lease, 64); run.Backend != "one" {
		t.Errorf("the second size ran on %s", run.Backend)
	}
	select {
	case err := <-switched:
		t.Errorf("switched before the lease was released: %v", err)
	default:
	}
	lease.Release()
	if err := <-switched; err != nil {
		t.Error(err)
	}
}

// TestKilledBetweenSizes: the lease moves once, to the next backend that the
// name stands for or to the same after its restart, and stays there.
func TestKilledBetweenSizes(t *testing.T) {
	t.Run("restarted", func(t *testing.T) {
		m := started(t, patient(t, fake("one"), fake("two")))
		lease := acquired(t, m, "one")
		runs(t, lease, 32)
		kill(t, m, "one")
		if run := runs(t, lease, 64); run.Backend != "one" {
			t.Errorf("a named backend fell back to %s", run.Backend)
		}
		kill(t, m, "one")
		if _, _, err := lease.Segment(soon(t), picture(32)); cutout.CodeOf(err) != cutout.BackendUnavailable {
			t.Errorf("after it moved once: %v", err)
		}
	})
	t.Run("on the next", func(t *testing.T) {
		o := patient(t, fake("one"), fake("two"))
		o.Restart.Open, o.Restart.Failures = o.HealthTimeout*100, 1
		m := started(t, o)
		works(t, m, "two") // starts it
		lease := acquired(t, m, "")
		runs(t, lease, 32)
		if err := syscall.Kill(statusOf(m, "one").PID, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		if run := runs(t, lease, 64); run.Backend != "two" {
			t.Errorf("the second size ran on %s", run.Backend)
		}
		if err := m.Restart(soon(t), "one"); err != nil {
			t.Fatal(err)
		}
		if run := runs(t, lease, 32); run.Backend != "two" {
			t.Errorf("the third size ran on %s", run.Backend)
		}
	})
}

// TestRefusedByOne: a lease that a living backend refuses moves to the next.
func TestRefusedByOne(t *testing.T) {
	flags, arm := showsOnce(t, "load")
	m := started(t, patient(t, fake("one", flags...), fake("two")))
	works(t, m, "two") // starts it
	arm()
	_, run, err := segment(soon(t), m, "", "second", picture(32))
	if err != nil || run.Backend != "two" {
		t.Errorf("%+v, %v", run, err)
	}
	if st := statusOf(m, "one"); st.Restarts != 0 || st.State != Ready {
		t.Errorf("status: %+v", st)
	}
}

// TestMasksOfOneModel: if the next backend would run another model, the rest
// of a photo waits for the one that began it.
func TestMasksOfOneModel(t *testing.T) {
	other := fake("two")
	other.Models = []string{"second"}
	m := started(t, patient(t, fake("one"), other))
	works(t, m, "two") // starts it
	lease := acquired(t, m, "")
	if run := runs(t, lease, 32); run.Model != "first" {
		t.Fatalf("the first size ran on %+v", run)
	}
	if err := syscall.Kill(statusOf(m, "one").PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if run := runs(t, lease, 32); run.Backend != "one" || run.Model != "first" {
		t.Errorf("the second size ran on %+v", run)
	}
}

// TestReleasedTwice: a second release does not free what others hold.
func TestReleasedTwice(t *testing.T) {
	m := started(t, patient(t, fake("one")))
	lease, held := acquired(t, m, ""), acquired(t, m, "")
	lease.Release()
	lease.Release()
	if held.(*Lease).process.count != 1 {
		t.Errorf("%d leases are left, not 1", held.(*Lease).process.count)
	}
}
