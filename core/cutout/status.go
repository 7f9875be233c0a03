package cutout

import "time"

// The types in this file are what the operator sees, on the page, in JSON and on the
// command line.

// BackendState is what a backend is doing; core/backend has the states.
type BackendState string

// BackendStatus is the current state of one backend.
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

// ModelStatus is one model, or one build of the runtime.
type ModelStatus struct {
	Name    string `json:"name"`
	About   string `json:"about"`
	Licence string `json:"licence,omitempty"`
	Runtime bool   `json:"runtime,omitempty"` // a build of ONNX Runtime
	Own     bool   `json:"own,omitempty"`     // put there by the operator
	// Bytes is the size of the installed file, else that of the download, if known.
	Installed bool  `json:"installed"`
	Bytes     int64 `json:"bytes,omitempty"`
	// Default: requests that name no model get it.
	Default bool     `json:"default,omitempty"`
	Loaded  []string `json:"loaded,omitempty"` // by these backends
	// Graphs says what was derived from it for this machine; empty: nothing was tried.
	Graphs string `json:"graphs,omitempty"`
}

// Trial is the outcome of a test photo.
type Trial struct {
	Backend string  `json:"backend"`
	Device  string  `json:"device"`
	Model   string  `json:"model"`
	Mode    Mode    `json:"mode"`
	Sizes   []int   `json:"sizes"`
	Subject Subject `json:"subject"`

	// Times are milliseconds. Total includes what Stages does not: waiting, and starting
	// the backend and loading the model where that was needed.
	Stages    []TrialStage `json:"stages"`
	Inference float64      `json:"inference_ms"`
	Total     float64      `json:"total_ms"`
	// Memory is what the backend's process then holds; 0 if unknown.
	Memory int64 `json:"memory_bytes,omitempty"`

	Width     int    `json:"width"`
	Height    int    `json:"height"`
	MediaType string `json:"media_type"`
	Picture   []byte `json:"picture"`
}

// TrialStage is the time of one stage.
type TrialStage struct {
	Name  Stage   `json:"name"`
	Times float64 `json:"ms"`
}

// LogSettings are those of the access log; they may change while it runs.
type LogSettings struct {
	Format string // "combined" or "json"
	IP     string // "full", "truncated" (IPv4 /24, IPv6 /48) or "none"
	// Days, 1 to 30, is the age that no line reaches: today's file and those of the Days-1
	// days before it are kept.
	Days int
	Gzip bool // compress the files of past days
	// DayBytes bounds the lines of one day (UTC) together; further ones are
	// dropped and counted. 0 means no bound.
	DayBytes int64
}

// LogStatus is the state of the access log.
type LogStatus struct {
	LogSettings
	Mode    string
	Dir     string
	Written int64 // lines since the start
	Dropped int64 // could not be written
	// Flooded and Overfull are lines dropped on purpose: of floods from one
	// address, and beyond a day's bytes.
	Flooded, Overfull int64
	Files             int
	Bytes             int64
	Oldest            time.Time // the day of the oldest file; zero without files
	Swept             time.Time
	Err               error // why the last sweep was incomplete
}
