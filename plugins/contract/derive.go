package contract

import "bgremover.pro/core/cutout"

// DeriveRequest is what a deriving process reads from its standard input, as
// one line of JSON. The pictures follow: of each the R, G, B of every
// pixel, rows from the top. The process ends when its input does.
type DeriveRequest struct {
	// Model is installed, with one file (but see Serve); its size is the native one.
	Model cutout.Model `json:"model"`
	// Calibrate measures the ranges of the model's tensors on pictures of the
	// native size. Otherwise graphs are derived.
	Calibrate bool `json:"calibrate,omitempty"`
	Pictures  int  `json:"pictures,omitempty"`
	// Serve makes the graphs for other servers from the model's variants, of which there
	// may then be several, each at its size: see ServedGraph.
	Serve bool `json:"serve,omitempty"`
	// Sizes are the input sizes to derive graphs for; one picture of each size
	// follows, all of the same scene, to check the graphs on.
	Sizes []int `json:"sizes,omitempty"`
	// Ranges are those measured, by tensor: least, greatest. Without them, no
	// integer graphs are derived.
	Ranges map[string][2]float32 `json:"ranges,omitempty"`
	// Dir is the folder for the graphs.
	Dir string `json:"dir,omitempty"`
}

// DeriveAnswer is what the process prints, as one line of JSON.
type DeriveAnswer struct {
	// Error says why nothing could be done; Lasting means that another attempt
	// would fail the same way.
	Error   string `json:"error,omitempty"`
	Lasting bool   `json:"lasting,omitempty"`
	// Variants are the graphs to use, one for each size where there is one.
	Variants []cutout.Variant `json:"variants,omitempty"`
	// DeviceUnfit says why visitors' devices cannot run the integer graphs; empty if they can.
	DeviceUnfit string `json:"deviceUnfit,omitempty"`
	// Trials are the results of all graphs, including those not used.
	Trials []DeriveTrial         `json:"trials,omitempty"`
	Served []ServedGraph         `json:"served,omitempty"`
	Ranges map[string][2]float32 `json:"ranges,omitempty"`
}

// DeriveTrial is the result of one graph on the check picture.
type DeriveTrial struct {
	Size         int     `json:"size"`
	Precision    string  `json:"precision"`
	Milliseconds float64 `json:"milliseconds,omitempty"`
	// Difference is the mean difference from the mask it was compared with,
	// and Overlap their intersection over union, both from 0 to 1.
	Difference float64 `json:"difference"`
	Overlap    float64 `json:"overlap"`
	// Rejected says why the graph is not used; empty if it can be.
	Rejected string `json:"rejected,omitempty"`
}

// ServedGraph is a graph for a server that knows nothing of the model: it takes the
// samples of pictures in bytes, as planes of R, G and B.
type ServedGraph struct {
	Size       int    `json:"size"`
	File       string `json:"file"`
	Input      string `json:"input"`
	Output     string `json:"output"`
	OutputType string `json:"outputType"` // FP32 or FP16
	// OutputShape is that of one picture's output: planes, height, width; -1 is open.
	OutputShape []int64 `json:"outputShape"`
	// Batch: it takes any number of pictures at once; else one, and Single says why.
	Batch  bool   `json:"batch,omitempty"`
	Single string `json:"single,omitempty"`
}
