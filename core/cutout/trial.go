package cutout

// ModelStatus is one model, or one build of the runtime, as the operator sees it on the
// page, in JSON and on the command line.
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

// Trial is how a test photo went through the pipeline.
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
