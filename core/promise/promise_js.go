// Package promise awaits JavaScript's promises, where the pipeline runs in a
// browser.
package promise

import (
	"errors"
	"syscall/js"
)

// Await waits for a promise, or returns another value at once. Only the calling
// goroutine waits; it must not be that of a call from JavaScript, which the
// promise would wait for in turn.
func Await(v js.Value) (js.Value, error) {
	if v.Type() != js.TypeObject || v.Get("then").Type() != js.TypeFunction {
		return v, nil
	}
	type outcome struct {
		value js.Value
		err   error
	}
	done := make(chan outcome, 1)
	first := func(args []js.Value) js.Value {
		if len(args) == 0 {
			return js.Undefined()
		}
		return args[0]
	}
	kept := js.FuncOf(func(_ js.Value, args []js.Value) any {
		done <- outcome{value: first(args)}
		return nil
	})
	defer kept.Release()
	broken := js.FuncOf(func(_ js.Value, args []js.Value) any {
		done <- outcome{err: errors.New(js.Global().Call("String", first(args)).String())}
		return nil
	})
	defer broken.Release()
	v.Call("then", kept, broken)
	o := <-done
	return o.value, o.err
}
