package app

import (
	"context"
	"errors"
	"runtime/debug"
	"time"

	"bgremover.pro/core/decode"
	"bgremover.pro/core/encode"
)

// idleAfter is how long the pipeline must be idle before its memory is returned to
// the system; between photos of one visitor it is better kept.
const idleAfter = 10 * time.Second

// worthReturning is how much memory must have been gained since the last return.
const worthReturning = 16 << 20

// tidy returns the memory of past photos to the system whenever no photo is being
// uploaded or processed.
func (a *App) tidy(ctx context.Context) {
	ticker := time.NewTicker(idleAfter)
	defer ticker.Stop()
	rest := goMemory()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if working, waiting := a.engine.Queue.Load(); working+waiting > 0 || a.engine.Pipeline.Held() > 0 {
			continue
		}
		if goMemory() > rest+worthReturning {
			debug.FreeOSMemory()
			rest = goMemory()
		}
	}
}

// prepare compiles the codecs that run in a sandbox, so that no visitor waits
// for it.
func (a *App) prepare() {
	if err := errors.Join(decode.Prepare(), encode.Prepare()); err != nil {
		a.log.Error("preparing a codec failed: photos in its format (HEIC, AVIF or WebP) will fail", "error", err)
	}
}
