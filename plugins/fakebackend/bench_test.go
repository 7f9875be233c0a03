package main

import (
	"testing"
	"time"

	"bgremover.pro/core/cutout"
	"bgremover.pro/plugins/contracttest"
)

// What a call costs beyond the run itself, for a picture of 1024x1024: 3 MB
// there and 1 MB back between two processes.
func BenchmarkBoundary(b *testing.B) {
	for name, tls := range map[string]bool{"tls": true, "plain": false} {
		b.Run(name, func(b *testing.B) {
			p, err := contracttest.Command{Path: binary, TLS: tls}.Start(b.Context())
			if err != nil {
				b.Fatal(err)
			}
			defer p.Kill()
			m := cutout.Model{
				Name: "any", Input: "x", Output: "y", Scale: 255, Std: [3]float32{1, 1, 1}, Post: cutout.PostNone,
				Variants: []cutout.Variant{{Size: 1024, File: binary}},
			}
			if _, err := p.Client.Load(b.Context(), m); err != nil {
				b.Fatal(err)
			}
			input := &cutout.Input{Width: 1024, Height: 1024, Pix: make([]uint8, 3<<20)}
			var outside time.Duration
			for b.Loop() {
				start := time.Now()
				_, inside, err := p.Client.Segment(b.Context(), "any", input)
				if err != nil {
					b.Fatal(err)
				}
				outside += time.Since(start) - inside.Inference - inside.Queued
			}
			b.ReportMetric(float64(outside.Microseconds())/1000/float64(b.N), "ms-outside/op")
		})
	}
}
