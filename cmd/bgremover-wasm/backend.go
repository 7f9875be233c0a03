//go:build js && wasm

package main

import (
	"context"
	"fmt"
	"syscall/js"
	"time"

	"bgremover.pro/core/cutout"
	"bgremover.pro/core/promise"
)

// backend runs the model by the global function segment(size, pixels), a promise of
// the mask's bytes.
type backend struct {
	model string
	sizes []int
}

// Acquire leases the only backend there is; the pipeline runs one photo at a time.
func (b *backend) Acquire(context.Context, string, string) (cutout.Lease, error) { return b, nil }

func (b *backend) Sizes() []int { return b.sizes }

func (b *backend) Segment(ctx context.Context, input *cutout.Input) (*cutout.Mask, cutout.Run, error) {
	if err := ctx.Err(); err != nil {
		return nil, cutout.Run{}, err
	}
	began := time.Now()
	answer, err := promise.Await(js.Global().Call("segment", input.Width, copyOut("Uint8Array", input.Pix)))
	if err != nil {
		return nil, cutout.Run{}, cutout.Wrap(cutout.BackendUnavailable, err, "The model failed on this device. "+err.Error())
	}
	m := &cutout.Mask{Width: input.Width, Height: input.Height, Pix: make([]uint8, input.Width*input.Height)}
	if n := js.CopyBytesToGo(m.Pix, answer); n != len(m.Pix) {
		return nil, cutout.Run{}, fmt.Errorf("the mask has %d bytes", n)
	}
	return m, cutout.Run{Backend: "device", Device: "browser", Model: b.model, Inference: time.Since(began)}, nil
}

func (b *backend) Release() {}
