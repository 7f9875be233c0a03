//go:build soak

package main

import (
	"bytes"
	"fmt"
	"slices"
)

// curve draws what the process kept after each run as an SVG file that needs
// nothing else.
func curve(memory []uint64, growth float64) []byte {
	const width, height, left, top = 800, 320, 60, 40
	highest := float64(slices.Max(memory)) * 1.1
	x := func(run int) float64 { return left + float64(run)*width/float64(len(memory)) }
	y := func(bytes float64) float64 { return top + height*(1-bytes/highest) }

	var svg bytes.Buffer
	fmt.Fprintf(&svg, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12" fill="#333">
<title>Memory of onnx-cpu over %d runs</title>
<rect width="100%%" height="100%%" fill="#fff"/>
<text x="%d" y="22" font-size="15">Memory of onnx-cpu over %d runs of mixed models and sizes: %+.1f %% from the second to the last lap</text>
`, left+width+20, top+height+50, len(memory), left, len(memory), 100*(growth-1))
	for megabytes := 0.0; megabytes*1e6 < highest; megabytes += 100 {
		fmt.Fprintf(&svg, `<path d="M%d %.1fh%d" stroke="#ddd"/><text x="%d" y="%.1f" text-anchor="end">%.0f MB</text>
`, left, y(megabytes*1e6), width, left-6, y(megabytes*1e6)+4, megabytes)
	}
	for run := 0; run <= len(memory); run += lapRuns {
		fmt.Fprintf(&svg, `<path d="M%.1f %dv%d" stroke="#ddd"/><text x="%.1f" y="%d" text-anchor="middle">%d</text>
`, x(run), top, height, x(run), top+height+18, run)
	}
	fmt.Fprintf(&svg, `<text x="%d" y="%d" text-anchor="middle">runs; each lap of %d loads both models again</text>
<polyline fill="none" stroke="#06c" stroke-width="1.5" points="`, left+width/2, top+height+38, lapRuns)
	for run, n := range memory {
		fmt.Fprintf(&svg, "%.1f,%.1f ", x(run+1), y(float64(n)))
	}
	fmt.Fprintln(&svg, "\"/>\n</svg>")
	return svg.Bytes()
}
