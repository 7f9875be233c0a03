// Package cutout defines the types that all stages of the pipeline share: the
// photo, the model's input, the mask, the lease, the job and its result, and the
// errors. It imports only the standard library and has no behaviour beyond parsing
// and checking its own values and walking a picture's rows.
package cutout

import (
	"context"
	"time"
)

// Photo is a decoded picture: upright, in sRGB, with straight (not
// premultiplied) alpha, rows without padding.
type Photo struct {
	Width, Height int
	// Pix holds R, G, B, A of each pixel, 0 to 255; 4*Width*Height bytes.
	Pix []uint8
	// Deep holds the same samples as 0 to 65535 where the source had more
	// than eight bits a channel and the caller asked to keep them; else nil.
	Deep []uint16
	// Opaque means that alpha is 255 everywhere.
	Opaque bool
}

// Input is what a model sees: the photo scaled to the model's size.
type Input struct {
	Width, Height int
	// Pix holds R, G, B of each pixel, 0 to 255; 3*Width*Height bytes.
	Pix []uint8
}

// Mask says how much of each pixel belongs to the subject. At the model's size
// it is the backend's result; at the photo's size it is the alpha matte.
type Mask struct {
	Width, Height int
	// Pix holds one sample a pixel, 0 (background) to 255 (subject).
	Pix []uint8
	// Deep holds the same as 0 to 65535 for a photo that has Deep; else nil.
	Deep []uint16
}

// Lease is one backend and one model for all runs of a photo. It is for one
// goroutine at a time.
type Lease interface {
	// Sizes lists the model's input sizes, smallest first.
	Sizes() []int
	// Segment runs the model at the input's size. Codes: Invalid,
	// BackendUnavailable, Timeout, Canceled, Internal.
	Segment(ctx context.Context, input *Input) (*Mask, Run, error)
	// Release gives the backend back.
	Release()
}

// Job is one photo to be cut out.
type Job struct {
	// Upload is the file as it came, of any supported format.
	Upload  []byte
	Options Options
	// Owner identifies whose job it is, for fair shares; it is only compared. Jobs
	// without one are not limited by shares.
	Owner string
	// Hold means that the caller will call the result's Release.
	Hold bool
	// Observe, if set, is called at each step; it must return at once.
	Observe func(Progress)
	// Show, if set, is given the finished picture before it is encoded. The picture
	// must not be changed or kept.
	Show func(*Photo)
}

// Progress is one step of a job.
type Progress struct {
	Stage Stage
	// Ahead is the number of jobs ahead while Stage is Waiting.
	Ahead int
}

// Stage names a step of the pipeline.
type Stage string

// The stages, in the order a job passes them.
const (
	Waiting Stage = "waiting"
	Decode  Stage = "decode"
	Infer   Stage = "infer"
	Refine  Stage = "refine"
	Compose Stage = "compose"
	Encode  Stage = "encode"
)

// Result is the answer to a job.
type Result struct {
	// File is the encoded picture, of MediaType.
	File          []byte
	MediaType     string
	Width, Height int
	Subject       Subject
	// Placed is set for a job with a layout.
	Placed *Placed
	Run    Run
	// Timings lists how long each stage took.
	Timings []Timing
	// Release, set for a job with Hold, is called once File is sent: until then
	// it counts against the memory of all jobs, and against its owner's share.
	Release func()
}

// Subject is how certain it is that a subject was found.
type Subject string

// The degrees of certainty. Without a subject the file is empty (fully transparent,
// or all background), which is a result, not an error.
const (
	SubjectFound  Subject = "found"
	SubjectUnsure Subject = "unsure" // the result may be wrong and should be checked
	SubjectNone   Subject = "none"   // sky or texture
)

// Run describes what actually did the inference.
type Run struct {
	Backend string // name of the backend, such as "onnx-cpu"
	Device  string // such as "cpu" or "cuda:0"
	Model   string // name in the catalogue, such as "isnet"
	Mode    Mode
	// Sizes lists the input sizes that ran, in pixels a side, in order.
	Sizes []int
	// Inference is the time inside the plugin, over all sizes.
	Inference time.Duration
}

// Timing is the time that one stage took.
type Timing struct {
	Stage    Stage
	Duration time.Duration
}

// Model is an installed model, ready to be loaded by a backend.
type Model struct {
	Name string
	// Input and Output are tensor names in the graph; empty means its first.
	Input, Output string
	// A sample x (0 to 255) enters the network as (x/Scale - Mean) / Std, per
	// channel in the order R, G, B. Scale 0 stands for the picture's own
	// brightest sample.
	Scale     float32
	Mean, Std [3]float32
	Post      Post
	// Variants are equivalent graphs, by size, smallest first; of those with the
	// same size, a backend takes the first that suits its device.
	Variants []Variant
}

// Variant is one file of a model, for one square input size.
type Variant struct {
	Size      int    // pixels a side
	File      string // absolute path
	SHA256    string // in hex; empty if the file was derived on this machine
	Precision string // "fp16", "fp32" or "int8"
}

// Post names the function that maps a network's output to 0..1.
type Post string

// The kinds of output that catalogued models have.
const (
	PostNone          Post = "none"           // already 0..1
	PostSigmoid       Post = "sigmoid"        // logits
	PostMinMax        Post = "minmax"         // stretched: minimum 0, maximum 1
	PostSigmoidMinMax Post = "sigmoid-minmax" // logits, then stretched
	PostArgmax        Post = "argmax"         // class scores; class 0 is the background
)

// Sizes lists the input sizes of the model's variants, smallest first.
func (m Model) Sizes() []int {
	var sizes []int
	for _, v := range m.Variants {
		if len(sizes) == 0 || sizes[len(sizes)-1] != v.Size {
			sizes = append(sizes, v.Size)
		}
	}
	return sizes
}
