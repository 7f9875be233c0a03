package bench

import (
	"context"
	"errors"
	"math"
	"os"
	"runtime/debug"
	"time"

	"bgremover.pro/core/cutout"
)

// round measures one photo.
type round struct {
	options  *Options
	variants []variant
	samples  *samples
	uploads  [][]byte // of the photos that could be read, where clients want them
}

// outcome is one request.
type outcome struct {
	file    []byte
	whole   time.Duration
	timings []cutout.Timing
	sizes   []int
	memory  int64 // most above what the process held before; 0 where unknown
}

// photo measures one photo in all variants. The first request of each is not
// timed: it warms up, and shows memory and quality.
func (r *round) photo(ctx context.Context, file string) PhotoReport {
	subject, err := load(ctx, file, r.options.Pixels)
	if err != nil {
		return PhotoReport{Name: photoName(file), Error: sentence(err)}
	}
	report := PhotoReport{Name: subject.name, Group: subject.group(), Width: subject.photo.Width, Height: subject.photo.Height, Before: subject.before()}
	if len(r.options.Clients) > 0 {
		r.uploads = append(r.uploads, subject.upload)
	}
	album := newAlbum(subject)
	for _, v := range r.variants {
		result := Result{Variant: v.name}
		var shown *pixels
		if out, err := v.request(ctx, r.options, subject, true); err != nil {
			result.Error = sentence(err)
		} else {
			result.Sizes, result.Memory = out.sizes, out.memory
			if shown, err = readPixels(out.file); err != nil {
				result.Error = err.Error()
			} else {
				result.judge(subject, shown)
			}
		}
		album.add(v.name, shown)
		report.Results = append(report.Results, result)
	}
	album.fill(report.Results)
	report.Close = closeUps(picture(subject.photo), album.near)
	r.times(ctx, subject, &report)
	return report
}

// times measures the requests that went well, in turns with the model.
func (r *round) times(ctx context.Context, subject *subject, report *PhotoReport) {
	whole := make([][]float64, len(r.variants))
	over := make([][]float64, len(r.variants))
	var bare []float64
	if len(r.samples.bare) == 0 {
		r.model(ctx, subject, report) // its first run is slower
	}
	for range r.options.Rounds {
		for i, v := range r.variants {
			if ctx.Err() != nil || report.Results[i].Error != "" {
				continue
			}
			model := math.NaN()
			if v.peer == nil {
				model = r.model(ctx, subject, report)
				bare = append(bare, model)
			}
			out, err := v.request(ctx, r.options, subject, false)
			if err != nil {
				report.Results[i].Error = sentence(err)
				continue
			}
			took := milliseconds(out.whole)
			whole[i], over[i] = append(whole[i], took), append(over[i], took/model)
			r.samples.add(v.name, out)
		}
	}
	r.samples.bare = append(r.samples.bare, bare...)
	report.Model = NewSpread(bare)
	for i := range report.Results {
		report.Results[i].Requests = NewSpread(whole[i])
		report.Results[i].OverModel = Figure(NewSpread(over[i]).P50)
	}
	report.comparePeers(r.variants)
}

// judge measures the quality of a cut-out.
func (r *Result) judge(s *subject, cut *pixels) {
	r.Empty = cut.empty()
	if s.truth != nil {
		q := Compare(s.truth, s.colours, cut)
		r.Quality = &q
	}
}

// model runs the bare model once and returns the milliseconds it took, NaN
// where there is none or it failed.
func (r *round) model(ctx context.Context, subject *subject, report *PhotoReport) float64 {
	if r.options.Model == nil {
		return math.NaN()
	}
	took, err := r.options.Model.Run(ctx, subject.photo)
	if err != nil {
		report.Error = "the bare model: " + sentence(err)
		return math.NaN()
	}
	return milliseconds(took)
}

// request cuts the photo out once.
func (v variant) request(ctx context.Context, o *Options, s *subject, watchMemory bool) (outcome, error) {
	if v.peer != nil {
		file, took, err := v.peer.Remove(ctx, s.upload)
		return outcome{file: file, whole: took}, err
	}
	before := memory{}
	if watchMemory {
		debug.FreeOSMemory()
		before = resetPeak()
	}
	began := time.Now()
	result, err := o.Pipeline.Remove(ctx, cutout.Job{Upload: s.upload, Options: v.wants()})
	took := time.Since(began)
	if err != nil {
		return outcome{}, err
	}
	out := outcome{file: result.File, whole: took, timings: result.Timings, sizes: result.Run.Sizes}
	if before.now > 0 {
		if after, err := readMemory(os.Getpid()); err == nil {
			out.memory = max(0, after.peak-before.now)
		}
	}
	return out, nil
}

// wants are the options of a request to the pipeline: the API's defaults, so that a
// result that the API would leave empty counts as empty.
func (v variant) wants() cutout.Options {
	return cutout.Options{Mode: v.mode, Edges: v.edges, Format: cutout.PNG}
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// sentence is the message of an error, or the peer's own.
func sentence(err error) string {
	var known *cutout.Error
	if errors.As(err, &known) {
		return known.Message
	}
	return err.Error()
}
