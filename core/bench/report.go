package bench

import (
	"encoding/json"
	"io"
	"time"

	"bgremover.pro/core/cutout"
)

// Report is what was measured. Times are in milliseconds, memory in bytes.
type Report struct {
	Version string    `json:"version"`
	Began   time.Time `json:"began"`
	Machine Machine   `json:"machine"`
	Rounds  int       `json:"rounds"`
	Pixels  int       `json:"pixels,omitempty"` // what photos were enlarged to
	Peers   []Program `json:"peers,omitempty"`
	// Model is one bare run of the installed model, inside the runtime.
	Model     Spread        `json:"model_ms"`
	Variants  []Variant     `json:"variants"`
	Edges     []EdgeRatio   `json:"edges,omitempty"`
	Contests  []Contest     `json:"contests,omitempty"`
	Crowds    []Crowd       `json:"crowds,omitempty"`
	Processes []Process     `json:"processes,omitempty"`
	Photos    []PhotoReport `json:"photos"`
}

// Program is one that the pipeline was compared with: the name of its variant and
// what it is.
type Program struct {
	Name  string `json:"name"`
	Title string `json:"title"`
}

// Machine is where it was measured.
type Machine struct {
	System     string `json:"system"`
	Processor  string `json:"processor,omitempty"`
	Processors int    `json:"processors"`
	Go         string `json:"go"`
}

// Variant sums up one way to get photos cut out, over all photos.
type Variant struct {
	Name  string       `json:"name"`
	Mode  cutout.Mode  `json:"mode,omitempty"` // "" for a peer
	Edges cutout.Edges `json:"edges,omitempty"`
	// Requests is the time of whole requests, in memory from file to file.
	Requests Spread  `json:"requests_ms"`
	Stages   []Stage `json:"stages,omitempty"`
	// OverModel has for each photo the median, over the rounds, of a request's
	// time over that of the model's bare run just before it; PeersOver, for
	// each peer and each photo, the peer's median time over this one's.
	OverModel Spread   `json:"over_model"`
	PeersOver []Spread `json:"peers_over,omitempty"` // none for a peer
	// Memory is the most that the server's process held above what it held
	// before a request.
	Memory   int64   `json:"memory,omitempty"`
	Groups   []Group `json:"quality,omitempty"`
	Empty    int     `json:"empty"` // photos that came back empty
	Failures int     `json:"failures,omitempty"`
}

// Stage is the time of one stage of the pipeline.
type Stage struct {
	Stage cutout.Stage `json:"stage"`
	Time  Spread       `json:"time_ms"`
}

// Group is the mean quality over photos of one kind, then over each half of
// the photos, so that what was tuned on one can be checked on the other; the
// last is of all.
type Group struct {
	Name   string `json:"name"`
	Photos int    `json:"photos"`
	Empty  int    `json:"empty"`
	Quality
}

// EdgeRatio says by how much refined edges are nearer to the truth than raw
// ones, in one mode: both errors' ratios, under 1 where they are.
type EdgeRatio struct {
	Mode       cutout.Mode `json:"mode"`
	Group      string      `json:"group"`
	Edge       Figure      `json:"edge"`
	Foreground Figure      `json:"fg"`
	Time       Figure      `json:"time"`
}

// Process is the most memory that a process has held.
type Process struct {
	Name string `json:"name"`
	Peak int64  `json:"peak"`
}

// PhotoReport is one photo in all variants.
type PhotoReport struct {
	Name    string   `json:"name"`
	Group   string   `json:"group,omitempty"`
	Half    string   `json:"half"` // "a" and "b" in turns, by name
	Width   int      `json:"width"`
	Height  int      `json:"height"`
	Error   string   `json:"error,omitempty"`
	Model   Spread   `json:"model_ms"`
	Before  JPEG     `json:"-"`
	Close   []JPEG   `json:"-"` // the photo itself where the results are shown closer
	Results []Result `json:"results"`
}

// Result is one photo in one variant.
type Result struct {
	Variant   string   `json:"variant"`
	Error     string   `json:"error,omitempty"`
	Sizes     []int    `json:"sizes,omitempty"` // input sizes that ran
	Requests  Spread   `json:"requests_ms"`
	OverModel Figure   `json:"over_model"`
	PeersOver []Figure `json:"peers_over,omitempty"`
	Memory    int64    `json:"memory,omitempty"`
	Empty     bool     `json:"empty,omitempty"` // nothing is more than half opaque
	Quality   *Quality `json:"quality,omitempty"`
	// Best names the figures in which no other variant is better, and some are
	// worse; told where there are peers.
	Best []string `json:"best,omitempty"`
	// After is the cut-out on a chequered ground, Difference what its alpha
	// has too much (red) or too little (blue) against the truth or, where that
	// is not known, against the variant Against.
	After      JPEG   `json:"-"`
	Difference JPEG   `json:"-"`
	Against    string `json:"-"`
	// Close has the places with most half-transparent pixels, enlarged, on blue.
	Close []JPEG `json:"-"`
}

// WriteJSON writes the figures, without the pictures.
func (r *Report) WriteJSON(w io.Writer) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(r)
}

// ReadJSON reads what WriteJSON wrote.
func ReadJSON(from io.Reader) (*Report, error) {
	var r Report
	if err := json.NewDecoder(from).Decode(&r); err != nil {
		return nil, err
	}
	return &r, nil
}

// Failed counts the requests of the pipeline, and the photos, that failed.
func (r *Report) Failed() (n int) {
	for _, p := range r.Photos {
		if p.Error != "" {
			n++
		}
	}
	for _, v := range r.Variants {
		if v.Mode != "" {
			n += v.Failures
		}
	}
	for _, c := range r.Crowds {
		n += c.Failures
	}
	return n
}
