//go:build js && wasm

package main

import (
	"context"
	"errors"
	"runtime/debug"
	"syscall/js"
	"time"

	"bgremover.pro/core/compose"
	"bgremover.pro/core/cutout"
	"bgremover.pro/core/decode"
	"bgremover.pro/core/pipeline"
)

// timeout bounds one photo; a device may be slow.
const timeout = 10 * time.Minute

// whole is the pipeline, with the browser as its backend: it calls the globals segment and
// decodePicture, which the worker sets.
var whole *pipeline.Pipeline

// start sets the pipeline up: start({ memory, maxPixels, maxSide, mode, model, sizes }).
func start(args []js.Value) (any, error) {
	set := args[0]
	memory := int64(set.Get("memory").Float())
	debug.SetMemoryLimit(memory)
	debug.SetGCPercent(50) // WebAssembly never returns memory
	device := &backend{model: set.Get("model").String()}
	for i := range set.Get("sizes").Length() {
		device.sizes = append(device.sizes, set.Get("sizes").Index(i).Int())
	}
	whole = pipeline.New(device, pipeline.NewQueue(1, 1), memory, pipeline.Settings{
		Decode: decode.Limits{
			MaxSide: set.Get("maxSide").Int(), MaxPixels: set.Get("maxPixels").Int(),
			MaxMemory: memory, Timeout: timeout,
		},
		Mode: cutout.Mode(set.Get("mode").String()), Timeout: timeout,
	})
	return nil, nil
}

var errNotStarted = errors.New("the pipeline was not started")

// remove removes the background of a photo: remove(file, { mode, reduced }, observe, show)
// is a promise of { file, type, width, height, subject, mode, sizes }. observe is called with
// the name of each stage, and show, before the file is written, with a picture to look
// at: its width, its height and a Uint8ClampedArray of RGBA. A large photo is
// reduced for it to a long side of reduced pixels or more: the page would do that from all
// its pixels.
func remove(args []js.Value) (any, error) {
	if whole == nil {
		return nil, errNotStarted
	}
	reduced := args[1].Get("reduced").Int()
	file := make([]byte, args[0].Get("length").Int())
	js.CopyBytesToGo(file, args[0])
	job := cutout.Job{
		Upload:  file,
		Observe: func(p cutout.Progress) { args[2].Invoke(string(p.Stage)) },
		Show: func(p *cutout.Photo) {
			if small, err := compose.Smaller(context.Background(), p, reduced); err == nil {
				args[3].Invoke(small.Width, small.Height, copyOut("Uint8ClampedArray", small.Pix))
			}
		},
	}
	return promised(func() (any, error) {
		var err error
		if job.Options.Mode, err = cutout.ParseMode(args[1].Get("mode").String()); err != nil {
			return nil, err
		}
		result, err := whole.Remove(context.Background(), job)
		if err != nil {
			return nil, err
		}
		sizes := make([]any, len(result.Run.Sizes))
		for i, size := range result.Run.Sizes {
			sizes[i] = size
		}
		return map[string]any{
			"file": copyOut("Uint8Array", result.File), "type": result.MediaType,
			"width": result.Width, "height": result.Height, "subject": string(result.Subject),
			"mode": string(result.Run.Mode), "sizes": sizes,
		}, nil
	}), nil
}

// promised runs work in a goroutine of its own, so that it can wait for promises.
func promised(work func() (any, error)) js.Value {
	executor := js.FuncOf(func(_ js.Value, args []js.Value) any {
		go func() {
			value, err := call(func([]js.Value) (any, error) { return work() }, nil)
			if err != nil {
				args[1].Invoke(failure(err))
				return
			}
			args[0].Invoke(value)
		}()
		return nil
	})
	defer executor.Release()
	return js.Global().Get("Promise").New(executor)
}
