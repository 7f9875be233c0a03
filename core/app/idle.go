package app

import (
	"context"
	"errors"
	"runtime/debug"
	"time"

	"bgremover.pro/core/decode"
	"bgremover.pro/core/encode"
)

// idleAfter is how long the line must have rested before its memory goes back
// to the system; between photos of one visitor it is better kept.
const idleAfter = 10 * time.Second

// tidy gives the memory of past photos back to the system whenever the line
// has come to rest.
func (a *App) tidy(ctx context.Context) {
	ticker := time.NewTicker(idleAfter)
	defer ticker.Stop()
	var returned uint64
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		working, waiting := a.line.Queue.Load()
		if done := a.line.Queue.Done(); working+waiting == 0 && done != returned {
			debug.FreeOSMemory()
			returned = done
		}
	}
}

// prepare compiles the codecs that run in a sandbox, so that no visitor waits
// for it.
func (a *App) prepare() {
	if err := errors.Join(decode.Prepare(), encode.Prepare()); err != nil {
		a.log.Error("HEIC, AVIF or WebP will not work", "error", err)
	}
}
