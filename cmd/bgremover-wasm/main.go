//go:build js && wasm

// Command bgremover-wasm is the part of the pipeline that runs in a visitor's browser,
// compiled to WebAssembly. A worker loads it; it sets the global "bgremover" to an
// object with the functions below and then waits to be called. Pixels are copied once
// into a call and once out of it.
package main

import (
	"errors"
	"syscall/js"

	"bgremover.pro/core/cutout"
)

// functions is what scripts may call; a new one needs an entry here and nothing else.
var functions = map[string]func(args []js.Value) (any, error){
	"decode":  decodePhoto,
	"begin":   begin,
	"rows":    rows,
	"preview": preview,
	"finish":  finish,
	"result":  result,
	"start":   start,
	"remove":  remove,
}

func main() {
	table := js.Global().Get("Object").New()
	for name, function := range functions {
		table.Set(name, js.FuncOf(func(_ js.Value, args []js.Value) any {
			value, err := call(function, args)
			if err != nil {
				return failure(err)
			}
			return value
		}))
	}
	js.Global().Set("bgremover", table)
	select {} // the functions are called as long as the worker lives
}

// call turns a panic, as over an argument that is missing, into an error.
func call(function func([]js.Value) (any, error), args []js.Value) (value any, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = cutout.Errorf(cutout.Internal, "%v", p)
		}
	}()
	return function(args)
}

// failure returns an Error for the script to throw: Go cannot.
func failure(err error) js.Value {
	e := js.Global().Get("Error").New(cutout.MessageOf(err))
	e.Set("code", string(cutout.CodeOf(err)))
	return e
}

// copyIn copies a Uint8Array or Uint8ClampedArray that must have as many bytes as b.
func copyIn(b []uint8, v js.Value) error {
	if v.Get("length").Int() != len(b) {
		return errors.New("an array has the wrong length")
	}
	js.CopyBytesToGo(b, v)
	return nil
}

// copyOut copies into a new array of the given class.
func copyOut(class string, b []uint8) js.Value {
	v := js.Global().Get(class).New(len(b))
	js.CopyBytesToJS(v, b)
	return v
}
