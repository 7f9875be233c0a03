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
	"bgremover.pro/core/decode"
)

// correction is the one in progress.
var correction struct {
	photo   *cutout.Photo
	alpha   *cutout.Mask
	session *correct.Session // from the first preview on
	done    *cutout.Photo    // the cut-out that result reads
}

var errRows = errors.New("rows outside the photo")

// mostMemory is what decoding a photo for a correction may take.
const mostMemory = 700 << 20

// decodePhoto decodes a photo that the browser itself cannot: decode(file) is a promise
// of { width, height, pixels }, RGBA for ImageData.
func decodePhoto(args []js.Value) (any, error) {
	file := make([]byte, args[0].Get("length").Int())
	js.CopyBytesToGo(file, args[0])
	return promised(func() (any, error) {
		photo, err := decode.Decode(context.Background(), file, decode.Limits{MaxMemory: mostMemory, Timeout: timeout}, false)
		if err != nil {
			return nil, err
		}
		return map[string]any{"width": photo.Width, "height": photo.Height, "pixels": copyOut("Uint8ClampedArray", photo.Pix)}, nil
	}), nil
}

// begin starts a correction: begin(width, height). All its rows follow.
func begin(args []js.Value) (any, error) {
	width, height := args[0].Int(), args[1].Int()
	correction.session, correction.done, correction.photo, correction.alpha = nil, nil, nil, nil // memory for the next
	correction.photo = &cutout.Photo{Width: width, Height: height, Pix: make([]uint8, 4*width*height), Opaque: true}
	correction.alpha = &cutout.Mask{Width: width, Height: height, Pix: make([]uint8, width*height)}
	return nil, nil
}

// rows takes rows of the photo and of its first cut-out, both as RGBA: rows(from, to,
// photo, cutout).
func rows(args []js.Value) (any, error) {
	photo, alpha := correction.photo, correction.alpha
	from, to := args[0].Int(), args[1].Int()
	if photo == nil || from < 0 || to < from || to > photo.Height {
		return nil, errRows
	}
	// The cut-out passes through the photo's place; of it only the alpha is kept.
	part := photo.Pix[4*from*photo.Width : 4*to*photo.Width]
	if err := copyIn(part, args[3]); err != nil {
		return nil, err
	}
	for i := range alpha.Pix[from*photo.Width : to*photo.Width] {
		alpha.Pix[from*photo.Width+i] = part[4*i+3]
	}
	if err := copyIn(part, args[2]); err != nil {
		return nil, err
	}
	for i := 3; i < len(part); i += 4 {
		photo.Opaque = photo.Opaque && part[i] == 255
	}
	return nil, nil
}

// opened returns the session, which begins once all rows are there.
func opened() (*correct.Session, error) {
	var err error
	if correction.photo == nil {
		return nil, errors.New("no correction has begun")
	}
	if correction.session == nil {
		correction.session, err = correct.Open(context.Background(), correction.photo, correction.alpha)
	}
	return correction.session, err
}

// preview returns { width, height, levels }, the matte after strokes at the size for
// looking at it, one byte a pixel:
// preview([{ keep, literal, points }, ...]), points being a Float32Array of x, y and
// radius in shares of the photo's longer side.
func preview(args []js.Value) (any, error) {
	session, err := opened()
	if err != nil {
		return nil, err
	}
	m, err := session.Preview(context.Background(), strokes(args[0]))
	if err != nil {
		return nil, err
	}
	return map[string]any{"width": m.Width, "height": m.Height, "levels": copyOut("Uint8Array", m.Pix)}, nil
}

// finish makes the cut-out after strokes, at full size, which result reads:
// finish(strokes).
func finish(args []js.Value) (any, error) {
	session, err := opened()
	if err != nil {
		return nil, err
	}
	correction.done = nil
	alpha, err := session.Finish(context.Background(), strokes(args[0]))
	if err != nil {
		return nil, err
	}
	photo := *correction.photo
	photo.Pix = slices.Clone(photo.Pix)
	if !photo.Opaque {
		// The matte that the session began with includes the photo's own alpha.
		alpha = &cutout.Mask{Width: alpha.Width, Height: alpha.Height, Pix: slices.Clone(alpha.Pix)}
		for i, level := range alpha.Pix {
			alpha.Pix[i] = min(level, photo.Pix[4*i+3])
			photo.Pix[4*i+3] = 255
		}
		photo.Opaque = true
	}
	if err := compose.Cutout(context.Background(), &photo, alpha, true); err != nil {
		return nil, err
	}
	correction.done = &photo
	return nil, nil
}

// result returns rows of what finish made, as RGBA for ImageData: result(from, to).
func result(args []js.Value) (any, error) {
	done := correction.done
	from, to := args[0].Int(), args[1].Int()
	if done == nil || from < 0 || to < from || to > done.Height {
		return nil, errRows
	}
	return copyOut("Uint8ClampedArray", done.Pix[4*from*done.Width:4*to*done.Width]), nil
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
