package app

import (
	"log/slog"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"sync"

	"github.com/KimMachineGun/automemlimit/memlimit"

	"bgremover.pro/core/config"
	"bgremover.pro/core/sandbox"
)

// uploadMemory and jobMemory divide the one setting: uploads have a part of their
// own, so that they cannot block the photos whose completion frees memory.
func uploadMemory(c *config.Config) int64 { return c.Inference.Memory / 4 }
func jobMemory(c *config.Config) int64    { return c.Inference.Memory - uploadMemory(c) }

// overhead is what the process needs besides photos: itself, its pages, the compiled
// codecs, and garbage that is not collected yet.
const overhead = 160 << 20

// ceiling keeps Go's heap and the memory of the codecs, which is outside it, under
// one limit.
type ceiling struct {
	mu    sync.Mutex
	total int64
}

// limitMemory sets the limit: what the setting and the process itself come to,
// and never more than nine tenths of what the container or the machine has.
// Where GOMEMLIMIT is set, the operator has decided.
func limitMemory(c *config.Config, log *slog.Logger) {
	if os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	limit := c.Inference.Memory + overhead
	if has := available(); has > 0 && limit > has/10*9 {
		log.Warn("the memory setting is more than this machine has; lower it (BGREMOVER_MEMORY)", "memory", c.Inference.Memory, "there_is", has)
		limit = has / 10 * 9
	}
	all := &ceiling{total: limit}
	all.apply()
	sandbox.Watch(all.apply)
}

// available is the memory of the container, or of the machine where that has
// less, in bytes; 0 where it is unknown.
func available() int64 {
	var least int64
	for _, ask := range []func() (uint64, error){memlimit.FromCgroup, memlimit.FromSystem} {
		if n, err := ask(); err == nil && n > 0 && n < 1<<60 && (least == 0 || int64(n) < least) {
			least = int64(n)
		}
	}
	return least
}

// apply leaves Go what the codecs do not use. If it already has more, what it does
// not need is returned at once: the codec will not wait.
func (c *ceiling) apply() {
	c.mu.Lock()
	defer c.mu.Unlock()
	limit := max(c.total/8, c.total-sandbox.InUse())
	debug.SetMemoryLimit(limit)
	if goMemory() > limit {
		debug.FreeOSMemory()
	}
}

// goMemory is what Go's runtime holds of the system's memory, in bytes.
func goMemory() int64 {
	samples := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	metrics.Read(samples)
	return int64(samples[0].Value.Uint64() - samples[1].Value.Uint64())
}
