package backend

import "bgremover.pro/core/cutout"

// State and Status are in the vocabulary, because the operator's page shows them.
type (
	State  = cutout.BackendState
	Status = cutout.BackendStatus
)

// The states.
const (
	Off      State = "off"      // configured, without a process
	Starting State = "starting" // process and handshake
	Warming  State = "warming"  // loading its model and running it once
	Ready    State = "ready"
	Draining State = "draining" // finishes its runs, then ends
	Failed   State = "failed"   // Why is the reason, NextTry the time of the next attempt
	// Unavailable: its process lives but reports that it cannot serve, such as when
	// no remote server answers. Why is what it reports.
	Unavailable State = "unavailable"
)

// statusLines is the number of stderr lines that are shown.
const statusLines = 20

// status is called with the Manager's lock held.
func (s *supervisor) status() Status {
	st := Status{
		Name: s.name, State: s.state, Why: s.why, Since: s.since,
		Running: int(s.runs.Load()), Requests: s.requests.Load(), Failures: s.failures.Load(),
		Unchecked: s.spec.SHA256 == "", Restarts: s.restarts, LastError: s.lastErr, Stderr: s.stderr,
	}
	if s.state == Failed {
		st.NextTry = s.breaker.next
	}
	if p := s.proc; p != nil {
		st.Version, st.Device, st.Provider, st.Runtime = s.about.Version, s.about.Device, s.about.Provider, s.about.Runtime
		st.Models, st.Memory, st.PID = p.names(), int64(s.about.Memory), p.pid
		if s.stderr == nil {
			st.Stderr = p.stderr.last(statusLines)
		}
	}
	return st
}
