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

// worthReturning is how much more than after the last return has to be held.
const worthReturning = 16 << 20

// tidy gives the memory of past photos back to the system whenever the line
// has come to rest, be it that of photos at work or of uploads.
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
		if working, waiting := a.line.Queue.Load(); working+waiting > 0 || a.line.Pipeline.Held() > 0 {
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
		a.log.Error("HEIC, AVIF or WebP will not work", "error", err)
	}
}
