// Package load_test measures a whole server from outside, over loopback.
package load_test

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const (
	rounds     = 5
	perSecond  = 1000 // rejected requests in the flood that must not hurt
	floodsFrom = "127.0.0.2"
	visitsFrom = "127.0.7.1"
)

// BenchmarkFlood cuts out the same photo in a calm, under 1,000 rejected
// requests a second from one network, and under as many as this machine can
// send, in turn. It needs bin/bgremover and an installed model (make setup).
// The generator runs on the same machine, so the ratios count its work too.
func BenchmarkFlood(b *testing.B) {
	// The flooder may send one photo; the visitor is not limited.
	s := start(b, "limits_device = \"1/1h\"\nlimits_overrides = \""+visitsFrom+"=off\"\n", "backend is ready")
	photo := read(b, photoFile)
	visitor := client(b, visitsFrom)
	s.cutout(b, visitor, photo)               // warms up
	s.cutout(b, client(b, floodsFrom), photo) // uses up the flooder's quota
	for b.Loop() {
		var calm, flood, storm []time.Duration
		var floods, storms load
		before := s.memory(b)
		for range rounds {
			calm = append(calm, s.cutout(b, visitor, photo))
			flood = append(flood, s.under(b, &floods, perSecond, func() time.Duration { return s.cutout(b, visitor, photo) }))
			storm = append(storm, s.under(b, &storms, 0, func() time.Duration { return s.cutout(b, visitor, photo) }))
		}
		b.ReportMetric(median(calm).Seconds()*1000, "calm-ms")
		b.ReportMetric(median(flood).Seconds()/median(calm).Seconds(), "flood-ratio")
		b.ReportMetric(median(storm).Seconds()/median(calm).Seconds(), "storm-ratio")
		b.ReportMetric(floods.rate(), "flood-refusals/s")
		b.ReportMetric(storms.rate(), "storm-refusals/s")
		b.ReportMetric(s.costOfRefusal(b), "server-µs/refusal")
		b.ReportMetric(float64(s.memory(b)-before)/1e6, "growth-MB")
		if floods.other+storms.other > 0 {
			b.Errorf("%d answers to the flood were no 429", floods.other+storms.other)
		}
	}
}

// load is what a generator did.
type load struct {
	refused, other int64
	took           time.Duration
}

func (l load) rate() float64 { return float64(l.refused) / l.took.Seconds() }

// under runs work while requests that the limits refuse come in: perSecond of
// them, or as many as the machine can send where that is 0.
func (s *server) under(b *testing.B, total *load, perSecond int, work func() time.Duration) time.Duration {
	ctx, cancel := context.WithCancel(b.Context())
	var refused, other atomic.Int64
	var senders sync.WaitGroup
	began := time.Now()
	const workers = 8
	for w := range workers {
		c := client(b, floodsFrom)
		senders.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				if perSecond > 0 {
					due := began.Add(time.Duration(n*workers+w) * time.Second / time.Duration(perSecond))
					select {
					case <-time.After(time.Until(due)):
					case <-ctx.Done():
						return
					}
				}
				status, err := s.post(ctx, c, []byte("x"))
				switch {
				case err != nil: // the end, or no port left for a moment
				case status == http.StatusTooManyRequests:
					refused.Add(1)
				default:
					other.Add(1)
				}
			}
		})
	}
	took := work()
	cancel()
	senders.Wait()
	total.refused += refused.Load()
	total.other += other.Load()
	total.took += time.Since(began)
	return took
}

// costOfRefusal is the processor time that the server itself spends on one.
func (s *server) costOfRefusal(b *testing.B) float64 {
	before := s.processorTime(b)
	var l load
	s.under(b, &l, 0, func() time.Duration { <-time.After(3 * time.Second); return 0 })
	return float64((s.processorTime(b) - before).Microseconds()) / float64(max(1, l.refused))
}

func median(all []time.Duration) time.Duration {
	return slices.Sorted(slices.Values(all))[len(all)/2]
}
