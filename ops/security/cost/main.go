// Command cost measures what decoding costs, of the crafted files or of those named: the
// memory at its peak next to what the file's header announced, the processor time, and how
// much of it a visitor can leave behind.
//
//	go run ./ops/security/cost [-bytes N] [-pixels N] [-json] [FILE...]
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"bgremover.pro/core/cutout"
	"bgremover.pro/core/decode"
	"bgremover.pro/ops/security/crafted"
)

// Cost is what one file cost.
type Cost struct {
	Name      string
	Bytes     int
	Code      cutout.Code // of the error; empty for a photo
	Announced int64       // bytes, 0 for a file refused by its header
	Peak      int64       // bytes above what the process held before
	Processor time.Duration
	Left      time.Duration // the most processor time spent after a visitor left
}

func main() {
	scale := crafted.Scale{}
	flag.IntVar(&scale.Bytes, "bytes", 30_000_000, "about how large the files are")
	flag.IntVar(&scale.Pixels, "pixels", 50_000_000, "about how many pixels they have")
	name := flag.String("name", "", "only files whose name contains this")
	asJSON := flag.Bool("json", false, "one line of JSON a file")
	flag.Parse()
	files := crafted.Files()
	if flag.NArg() > 0 {
		files = named(flag.Args())
	}
	if err := decode.Prepare(); err != nil {
		panic(err)
	}
	for _, file := range files {
		if !strings.Contains(file.Name, *name) {
			continue
		}
		cost := measure(file, scale)
		if *asJSON {
			_ = json.NewEncoder(os.Stdout).Encode(cost)
			continue
		}
		fmt.Printf("%-40s %9d bytes  %-18s announced %5d MB  peak %5d MB  processor %6.2f s  after leaving %5.2f s\n",
			cost.Name, cost.Bytes, cost.Code, cost.Announced>>20, cost.Peak>>20, cost.Processor.Seconds(), cost.Left.Seconds())
	}
}

func named(paths []string) []crafted.File {
	var files []crafted.File
	for _, path := range paths {
		files = append(files, crafted.File{Name: filepath.Base(path), Make: func(crafted.Scale) []byte {
			data, err := os.ReadFile(path)
			if err != nil {
				panic(err)
			}
			return data
		}})
	}
	return files
}

// limits are the server's own.
var limits = decode.Limits{MaxSide: 32767, MaxPixels: 50_000_000, MaxMemory: 1 << 30, Timeout: time.Minute}

func measure(file crafted.File, scale crafted.Scale) Cost {
	data := file.Make(scale)
	cost := Cost{Name: file.Name, Bytes: len(data)}
	// Once without a limit to what is announced, for the header's own word.
	if upload, err := decode.Open(context.Background(), data, limits, false); err == nil {
		cost.Announced = upload.Memory
	}
	// The collector is to keep to what was announced, as a server's limit makes it.
	debug.SetMemoryLimit(int64(len(data)) + cost.Announced + 64<<20)
	before := atRest()
	began, started := processorTime(), time.Now()
	_, err := decode.Decode(context.Background(), data, limits, false)
	took := time.Since(started)
	cost.Code, cost.Processor = cutout.CodeOf(err), processorTime()-began
	cost.Peak = status("VmHWM") - before
	for _, part := range []float64{0.05, 0.5, 0.85, 0.95} {
		cost.Left = max(cost.Left, leave(data, time.Duration(part*float64(took))))
	}
	return cost
}

// leave decodes for a visitor who leaves after a while and returns the processor
// time that went on.
func leave(data []byte, after time.Duration) time.Duration {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var left atomic.Int64
	timer := time.AfterFunc(after, func() {
		left.Store(int64(processorTime()))
		cancel()
	})
	defer timer.Stop()
	_, _ = decode.Decode(ctx, data, limits, false)
	if left.Load() == 0 {
		return 0
	}
	return processorTime() - time.Duration(left.Load())
}

// atRest gives memory back, begins a new peak and returns what is held.
func atRest() int64 {
	debug.FreeOSMemory()
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil {
		panic(err)
	}
	return status("VmRSS")
}

// status reads a figure, in bytes, of proc(5)'s status.
func status(name string) int64 {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		panic(err)
	}
	found := regexp.MustCompile(name + `:\s+(\d+) kB`).FindSubmatch(text)
	kilobytes, err := strconv.ParseInt(string(found[1]), 10, 64)
	if err != nil {
		panic(err)
	}
	return kilobytes << 10
}

func processorTime() time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		panic(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
