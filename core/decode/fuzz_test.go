package decode_test

import (
	"context"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"bgremover.pro/core/cutout"
	"bgremover.pro/core/decode"
	"bgremover.pro/ops/security/crafted"
)

func FuzzJPEG(f *testing.F) { fuzz(f, "jpeg", ".jpg") }
func FuzzPNG(f *testing.F)  { fuzz(f, "png", ".png") }
func FuzzWebP(f *testing.F) { fuzz(f, "webp", ".webp") }
func FuzzGIF(f *testing.F)  { fuzz(f, "gif", ".gif") }
func FuzzBMP(f *testing.F)  { fuzz(f, "bmp", ".bmp") }
func FuzzTIFF(f *testing.F) { fuzz(f, "tiff", ".tif") }
func FuzzHEIC(f *testing.F) { fuzz(f, "heic", ".heic") }
func FuzzAVIF(f *testing.F) { fuzz(f, "avif", ".avif") }

// fuzz looks for a file that costs more than it announced, or goes on after its
// visitor left. It starts from the crafted files of a format, and from good ones.
func fuzz(f *testing.F, format, ending string) {
	if err := decode.Prepare(); err != nil { // takes longer than a file may
		f.Fatal(err)
	}
	small := crafted.Scale{Bytes: 2000, Pixels: 4096}
	for _, file := range crafted.Files() {
		if !strings.HasPrefix(file.Name, format) {
			continue
		}
		if data := file.Make(small); len(data) < 1<<16 {
			f.Add(data, true, uint8(3))
		}
	}
	for name, data := range files(f) {
		if strings.HasSuffix(name, ending) {
			f.Add(data, false, uint8(5))
			f.Add(data[:len(data)*2/3], true, uint8(200))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte, deep bool, leaves uint8) {
		checkCost(t, data, deep)
		checkLeaving(t, data, deep, int64(leaves))
	})
}

var fuzzLimits = decode.Limits{MaxSide: 4096, MaxPixels: 1 << 16, MaxMemory: 256 << 20, Timeout: 20 * time.Second}

// checkCost decodes a file: the outcome must be an error with a code, or a photo
// within the limits that took no more memory than estimated from its header.
func checkCost(t *testing.T, data []byte, deep bool) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	upload, err := decode.Open(t.Context(), data, fuzzLimits, deep)
	if err != nil {
		refused(t, err)
		return
	}
	p, err := upload.Decode(t.Context())
	runtime.ReadMemStats(&after)
	// What is allocated in all is more than is held at once: a TIFF's blocks get
	// a decompressor each, and there may be as many as rows, or one for 64 pixels.
	garbage := int64(48 << 20)
	if upload.Format == "tiff" {
		garbage += 64 << 10 * (int64(upload.Height) + int64(upload.Width*upload.Height)/64)
	}
	if spent := int64(after.TotalAlloc - before.TotalAlloc); spent > upload.Memory+garbage {
		t.Fatalf("%d MB allocated, %d announced", spent>>20, upload.Memory>>20)
	}
	if err != nil {
		refused(t, err)
		return
	}
	checkPhoto(t, p, fuzzLimits)
}

func refused(t *testing.T, err error) {
	switch cutout.CodeOf(err) {
	case cutout.Invalid, cutout.UnsupportedFormat, cutout.TooManyPixels, cutout.Timeout:
	default:
		t.Fatalf("%v", err)
	}
}

// checkLeaving decodes for a visitor who leaves at the n-th check of the context.
func checkLeaving(t *testing.T, data []byte, deep bool, n int64) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	visitor := &visitor{Context: ctx, leave: cancel}
	visitor.patience.Store(n)
	_, err := decode.Decode(visitor, data, fuzzLimits, deep)
	if left := visitor.left.Load(); left > 0 {
		if went := processorTime() - time.Duration(left); went > time.Second {
			t.Fatalf("%v of processor time after the visitor left: %v", went, err)
		}
	}
}

// visitor is a context that ends after it has been checked so many times.
type visitor struct {
	context.Context
	leave    func()
	patience atomic.Int64
	left     atomic.Int64 // the processor time then
}

func (v *visitor) Err() error {
	if v.patience.Add(-1) == 0 {
		v.left.Store(int64(processorTime()))
		v.leave()
	}
	return v.Context.Err()
}

// processorTime is what this process has used.
func processorTime() time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		panic(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
