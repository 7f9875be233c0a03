// Package bench measures the line on photos: how long a request and each of
// its stages take, how much memory they need, how near the results come to the
// truth where it is known, and how all that compares with one bare run of the
// model and with other programs that use the same weights.
//
// What is compared is measured in turns, so that whatever else the machine
// does meanwhile falls on all alike.
package bench

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"time"

	"bgremover.pro/core/cutout"
)

// Remover is the line that is measured.
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
	// Rounds is how often each request is timed, after one that is not.
	Rounds int
	// Clients, where set, are numbers of clients who send photos at once; the
	// first is what the others are compared with.
	Clients []int
	// Pixels, where not 0, is the number that smaller photos are enlarged to;
	// nothing is compared with the truth then.
	Pixels int

	Line Remover
	// Model, where set, runs once before each request.
	Model Model
	// Peers cut out the same photos in the same run.
	Peers []*Peer
	// Processes lists processes whose memory is told: names and process ids.
	Processes func() map[string]int
	// Progress, where set, is told which photo comes next.
	Progress func(string)
}

// mostClients is far beyond what any queue admits.
const mostClients = 1000

// variant is one way to get a photo cut out.
type variant struct {
	name  string
	mode  cutout.Mode
	edges cutout.Edges
	peer  *Peer // nil: the line
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

// Run measures. A photo or a request that fails is part of the report; the
// error says that there was nothing to measure or that ctx ended. Codes:
// Invalid, Canceled, Timeout.
func Run(ctx context.Context, o Options) (*Report, error) {
	photos, err := Collect(o.Photos)
	if err != nil {
		return nil, err
	}
	variants := o.variants()
	if slices.ContainsFunc(o.Clients, func(n int) bool { return n < 1 || n > mostClients }) {
		return nil, cutout.Errorf(cutout.Invalid, "Numbers of clients are from 1 to %d.", mostClients)
	}
	if len(variants) == 0 || o.Rounds < 1 {
		return nil, cutout.Errorf(cutout.Invalid, "There is nothing to measure: ask for at least one mode, one kind of edges and one round.")
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
