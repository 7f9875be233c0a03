//go:build js && wasm

package main

import (
	"context"
	"errors"
	"math"
	"slices"
	"syscall/js"

	"bgremover.pro/core/compose"
	"bgremover.pro/core/correct"
	"bgremover.pro/core/cutout"
)

// session is the correction in hand.
var session *correct.Session

var errClosed = errors.New("no photo is open")

// open starts a correction: open(width, height, pixels, levels), the photo as RGBA
// and its matte as one byte a pixel.
func open(args []js.Value) (any, error) {
	session = nil // its memory serves the next
	width, height := args[0].Int(), args[1].Int()
	pixels, err := bytesIn(args[2], 4*width*height)
	if err != nil {
		return nil, err
	}
	levels, err := bytesIn(args[3], width*height)
	if err != nil {
		return nil, err
	}
	photo := &cutout.Photo{Width: width, Height: height, Pix: pixels, Opaque: opaque(pixels)}
	session, err = correct.Open(context.Background(), photo, &cutout.Mask{Width: width, Height: height, Pix: levels})
	return nil, err
}

func opaque(pixels []uint8) bool {
	for i := 3; i < len(pixels); i += 4 {
		if pixels[i] != 255 {
			return false
		}
	}
	return true
}

// preview returns the matte after strokes, at the size for looking at it:
// preview([{ keep, literal, points }, ...]), points being a Float32Array of x, y and
// radius in shares of the photo's longer side.
func preview(args []js.Value) (any, error) {
	if session == nil {
		return nil, errClosed
	}
	m, err := session.Preview(context.Background(), strokes(args[0]))
	if err != nil {
		return nil, err
	}
	return mask(m), nil
}

// finish returns the cut-out after strokes, at full size: finish(strokes).
func finish(args []js.Value) (any, error) {
	if session == nil {
		return nil, errClosed
	}
	alpha, err := session.Finish(context.Background(), strokes(args[0]))
	if err != nil {
		return nil, err
	}
	photo := *session.Photo()
	photo.Pix = slices.Clone(photo.Pix)
	if !photo.Opaque {
		// The matte that the session began with includes the photo's own alpha.
		alpha.Pix = slices.Clone(alpha.Pix)
		for i, level := range alpha.Pix {
			alpha.Pix[i] = min(level, photo.Pix[4*i+3])
			photo.Pix[4*i+3] = 255
		}
		photo.Opaque = true
	}
	if err := compose.Cutout(context.Background(), &photo, alpha, true); err != nil {
		return nil, err
	}
	return picture(&photo), nil
}

func strokes(list js.Value) []correct.Stroke {
	all := make([]correct.Stroke, list.Length())
	for i := range all {
		v := list.Index(i)
		all[i] = correct.Stroke{Keep: v.Get("keep").Bool(), Literal: v.Get("literal").Bool(), Points: points(v.Get("points"))}
	}
	return all
}

// points reads a Float32Array of three numbers a point.
func points(v js.Value) []correct.Point {
	raw := make([]uint8, v.Get("byteLength").Int())
	js.CopyBytesToGo(raw, js.Global().Get("Uint8Array").New(v.Get("buffer"), v.Get("byteOffset"), v.Get("byteLength")))
	all := make([]correct.Point, len(raw)/12)
	number := func(i int) float32 {
		return math.Float32frombits(uint32(raw[i]) | uint32(raw[i+1])<<8 | uint32(raw[i+2])<<16 | uint32(raw[i+3])<<24)
	}
	for i := range all {
		all[i] = correct.Point{X: number(12 * i), Y: number(12*i + 4), Radius: number(12*i + 8)}
	}
	return all
}
