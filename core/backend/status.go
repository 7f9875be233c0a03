package backend

import "time"

// State is what a backend is doing.
type State string

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

// Status is the current state of one backend.
type Status struct {
	Name  string    `json:"name"`
	State State     `json:"state"`
	Why   string    `json:"why,omitempty"`
	Since time.Time `json:"since"`
	// Active: it is the chosen backend, or one that Auto may choose. Serving:
	// requests that name no backend go to it now.
	Active  bool `json:"active"`
	Serving bool `json:"serving"`
	// Unchecked: no checksum of its file is known.
	Unchecked bool `json:"unchecked,omitempty"`

	// As the process reports; empty while there is none.
	Version  string   `json:"version,omitempty"`
	Device   string   `json:"device,omitempty"`
	Provider string   `json:"provider,omitempty"`
	Runtime  string   `json:"runtime,omitempty"`
	Models   []string `json:"models,omitempty"`
	Memory   uint64   `json:"memory_bytes,omitempty"`
	PID      int      `json:"pid,omitempty"`

	Running  int    `json:"running"`
	Requests uint64 `json:"requests"`
	Failures uint64 `json:"failures"`
	// Restarts counts the processes after the first.
	Restarts  int       `json:"restarts"`
	LastError string    `json:"last_error,omitempty"`
	Stderr    []string  `json:"stderr,omitempty"`
	NextTry   time.Time `json:"next_try,omitzero"`
}

// status is called with the Manager's lock held.
func (s *supervisor) status() Status {
	st := Status{
		Name: s.name, State: s.state, Why: s.why, Since: s.since,
		Running: int(s.runs.Load()), Requests: s.requests.Load(), Failures: s.failures.Load(),
		Unchecked: s.spec.SHA256 == "", Restarts: max(0, s.started-1), LastError: s.lastErr, Stderr: s.stderr,
	}
	if s.state == Failed {
		st.NextTry = s.breaker.next
	}
	if p := s.proc; p != nil {
		st.Version, st.Device, st.Provider, st.Runtime = s.about.Version, s.about.Device, s.about.Provider, s.about.Runtime
		st.Models, st.Memory, st.PID = p.names(), s.about.Memory, p.pid
		if s.stderr == nil {
			st.Stderr = p.stderr.last(statusLines)
		}
	}
	return st
}
