package cutout

import "time"

// BackendState is what a backend is doing; core/backend has the states.
type BackendState string

// BackendStatus is the current state of one backend, as the operator sees it on the
// page, in JSON and on the command line.
type BackendStatus struct {
	Name  string       `json:"name"`
	State BackendState `json:"state"`
	Why   string       `json:"why,omitempty"`
	Since time.Time    `json:"since"`
	// Active: it is the chosen backend, or one that auto may choose. Serving:
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
	Memory   int64    `json:"memory_bytes,omitempty"`
	PID      int      `json:"pid,omitempty"`

	Running  int    `json:"running"`
	Requests uint64 `json:"requests"`
	Failures uint64 `json:"failures"`
	// Restarts counts the processes started in place of another: of one that served,
	// or of one that crashed before it could.
	Restarts  int       `json:"restarts"`
	LastError string    `json:"last_error,omitempty"`
	Stderr    []string  `json:"stderr,omitempty"`
	NextTry   time.Time `json:"next_try,omitzero"`
}
