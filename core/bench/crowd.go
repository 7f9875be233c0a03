package bench

import (
	"context"
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"bgremover.pro/core/cutout"
)

// each is how often each of the most clients sends a photo in one round.
const each = 3

// Crowd is the outcome for a number of clients that send photos at once, each the
// next one as soon as it has its answer.
type Crowd struct {
	Variant string `json:"variant"`
	Clients int    `json:"clients"`
	// Requests is the time of whole requests, the wait in the queue included.
	Requests Spread `json:"requests_ms"`
	// Rate counts answers a second, in the median round; OverFirst is the
	// median, over the rounds, of that rate over the one of the first number
	// of clients in the same round.
	Rate      Figure `json:"requests_per_second"`
	OverFirst Figure `json:"over_first"`
	// Memory is the most that the server's process held above what it held
	// before the round.
	Memory   int64  `json:"memory,omitempty"`
	Failures int    `json:"failures,omitempty"`
	Error    string `json:"error,omitempty"` // the first failure's
}

// Tail is the 99th percentile of the times over their median.
func (c Crowd) Tail() Figure { return ratio(c.Requests.P99, c.Requests.P50) }

// rush is one round with one number of clients.
type rush struct {
	times  []float64 // milliseconds
	rate   float64   // answers a second
	memory int64
	errs   []error
}

// crowds measures each variant of the pipeline with each number of clients, in
// turns, all on the same photos in the same order.
func (o *Options) crowds(ctx context.Context, uploads [][]byte) (all []Crowd) {
	if len(o.Clients) == 0 || len(uploads) == 0 {
		return nil
	}
	requests := each * slices.Max(o.Clients)
	for _, v := range o.variants() {
		if v.peer != nil {
			continue
		}
		rushes := make([][]rush, len(o.Clients))
		for round := range o.Rounds {
			for i, clients := range o.Clients {
				if o.Progress != nil {
					o.Progress(fmt.Sprintf("%s, clients: %d, round %d of %d", v.name, clients, round+1, o.Rounds))
				}
				rushes[i] = append(rushes[i], v.rush(ctx, o, uploads, clients, requests))
			}
		}
		for i, clients := range o.Clients {
			all = append(all, newCrowd(v.name, clients, rushes[i], rushes[0]))
		}
	}
	return all
}

func newCrowd(variant string, clients int, rushes, first []rush) Crowd {
	c := Crowd{Variant: variant, Clients: clients}
	var times, rates, over []float64
	for i, r := range rushes {
		times, rates = append(times, r.times...), append(rates, r.rate)
		over = append(over, float64(ratio(Figure(r.rate), Figure(first[i].rate))))
		c.Memory = max(c.Memory, r.memory)
		c.Failures += len(r.errs)
		if c.Error == "" && len(r.errs) > 0 {
			c.Error = sentence(r.errs[0])
		}
	}
	c.Requests, c.Rate, c.OverFirst = NewSpread(times), NewSpread(rates).P50, NewSpread(over).P50
	return c
}

// rush sends so many requests from so many clients.
func (v variant) rush(ctx context.Context, o *Options, uploads [][]byte, clients, requests int) rush {
	todo := make(chan []byte, requests)
	for n := range requests {
		todo <- uploads[n%len(uploads)]
	}
	close(todo)

	debug.FreeOSMemory()
	before := resetPeak()
	var r rush
	var mu sync.Mutex
	var all sync.WaitGroup
	began := time.Now()
	for range clients {
		all.Go(func() {
			for upload := range todo {
				sent := time.Now()
				_, err := o.Pipeline.Remove(ctx, cutout.Job{Upload: upload, Options: v.wants()})
				took := milliseconds(time.Since(sent))
				mu.Lock()
				if err != nil {
					r.errs = append(r.errs, err)
				} else {
					r.times = append(r.times, took)
				}
				mu.Unlock()
			}
		})
	}
	all.Wait()
	r.rate = float64(len(r.times)) / time.Since(began).Seconds()
	if after, err := readMemory(os.Getpid()); err == nil && before.now > 0 {
		r.memory = max(0, after.peak-before.now)
	}
	return r
}
