// Package bench measures the pipeline on photos: how long a request and each of its
// stages take, how much memory they need, how close the results are to the ground
// truth where it is known, and how all that compares with one bare run of the model
// and with other programs that use the same weights.
//
// Whatever is compared is measured alternately, so that other load on the machine
// affects all alike.
package bench

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"time"

	"bgremover.pro/core/cutout"
)

// Remover is the pipeline to measure.
type Remover interface {
	Remove(ctx context.Context, job cutout.Job) (*cutout.Result, error)
}

// Model runs the installed model, as published, once on a photo and returns
// the time inside the runtime.
type Model interface {
	Run(ctx context.Context, photo *cutout.Photo) (time.Duration, error)
}

// Options say what to measure.
type Options struct {
	// Photos are files and folders of photos; see Collect.
	Photos []string
	Modes  []cutout.Mode
	Edges  []cutout.Edges
	// Rounds is the number of timed requests of each kind, after one warm-up.
	Rounds int
	// Clients, if set, are numbers of clients that send photos at once; the others
	// are compared with the first.
	Clients []int
	// Pixels, if not 0, is the size to which smaller photos are enlarged; quality
	// is then not measured.
	Pixels int

	Pipeline Remover
	// Model, where set, runs once before each request.
	Model Model
	// Peers cut out the same photos in the same run.
	Peers []*Peer
	// Processes lists the processes whose memory is reported, by name.
	Processes func() map[string]int
	// Progress, if set, is called with the photo that comes next.
	Progress func(string)
}

// mostClients is far beyond what any queue admits.
const mostClients = 1000

// variant is one way to get a photo cut out.
type variant struct {
	name  string
	mode  cutout.Mode
	edges cutout.Edges
	peer  *Peer // nil: the pipeline
}

func (o *Options) variants() []variant {
	var all []variant
	for _, mode := range o.Modes {
		for _, edges := range o.Edges {
			all = append(all, variant{name: fmt.Sprintf("%s %s", mode, edges), mode: mode, edges: edges})
		}
	}
	for _, peer := range o.Peers {
		all = append(all, variant{name: peer.program.name, peer: peer})
	}
	return all
}

// Run measures. Failed photos and requests are part of the report; it returns an
// error if there is nothing to measure or if ctx ends. Codes:
// Invalid, Canceled, Timeout.
func Run(ctx context.Context, o Options) (*Report, error) {
	photos, err := Collect(o.Photos)
	if err != nil {
		return nil, err
	}
	variants := o.variants()
	if slices.ContainsFunc(o.Clients, func(n int) bool { return n < 1 || n > mostClients }) {
		return nil, cutout.Errorf(cutout.Invalid, "The number of clients is from 1 to %d.", mostClients)
	}
	if len(variants) == 0 || o.Rounds < 1 {
		return nil, cutout.Errorf(cutout.Invalid, "Nothing to measure: choose at least one mode, one kind of edges and one round.")
	}
	report := &Report{Peers: o.programs(), Began: time.Now().UTC(), Machine: thisMachine(), Rounds: o.Rounds, Pixels: o.Pixels}
	r := &round{options: &o, variants: variants, samples: newSamples()}
	for i, file := range photos {
		if o.Progress != nil {
			o.Progress(fmt.Sprintf("%d of %d: %s", i+1, len(photos), file))
		}
		report.Photos = append(report.Photos, r.photo(ctx, file))
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	report.summarise(variants, r.samples)
	report.Crowds = o.crowds(ctx, r.uploads)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	report.Processes = o.processes()
	return report, nil
}

func (o *Options) programs() (all []Program) {
	for _, peer := range o.Peers {
		all = append(all, Program{Name: peer.program.name, Title: peer.program.title})
	}
	return all
}

func (o *Options) processes() (all []Process) {
	pids := map[string]int{}
	if o.Processes != nil {
		pids = o.Processes()
	}
	for _, peer := range o.Peers {
		pids[peer.program.name] = peer.pid()
	}
	for name, pid := range pids {
		if m, err := readMemory(pid); err == nil {
			all = append(all, Process{Name: name, Peak: m.peak})
		}
	}
	sortProcesses(all)
	return all
}

func thisMachine() Machine {
	return Machine{System: runtime.GOOS + "/" + runtime.GOARCH, Processor: processorName(), Processors: runtime.GOMAXPROCS(0), Go: runtime.Version()}
}
