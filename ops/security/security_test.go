// Package security_test attacks the decoders and a whole server with crafted
// files, and measures from outside what each may cost.
package security_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"bgremover.pro/core/cutout"
)

// What one file may cost, whatever is in it. Processor time is all threads'
// together, so it does not depend on how busy the machine is.
const (
	mostProcessor = 20 * time.Second
	mostLeft      = time.Second // after its visitor left
	slack         = 96 << 20    // beside what its header announced: buffers, garbage, the codecs' code
)

// cost is a line that the command cost prints.
type cost struct {
	Name            string
	Bytes           int
	Code            cutout.Code
	Announced, Peak int64
	Processor, Left time.Duration
}

// long says whether the files have the size that a server accepts by default.
var long = os.Getenv("SECURITY") == "long"

// scale returns about how many bytes and pixels the files have.
func scale() (size, pixels int) {
	if long {
		return 30_000_000, 50_000_000
	}
	return 300_000, 1_500_000
}

// build makes a program of the project, without the race detector: that takes
// memory of its own.
func build(t *testing.T, program string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), filepath.Base(program))
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", file, program)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return file
}

// No crafted file costs more than its header announced, nor goes on after its
// visitor left.
func TestCostOfCraftedFiles(t *testing.T) {
	size, pixels := scale()
	cmd := exec.CommandContext(t.Context(), build(t, "bgremover.pro/ops/security/cost"), "-json", "-bytes", strconv.Itoa(size), "-pixels", strconv.Itoa(pixels))
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, said.Bytes())
	}
	seen := 0
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); seen++ {
		var c cost
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		if c.Peak > c.Announced+slack {
			t.Errorf("%s: %d MB, %d announced", c.Name, c.Peak>>20, c.Announced>>20)
		}
		if c.Processor > mostProcessor {
			t.Errorf("%s: %v of processor time", c.Name, c.Processor)
		}
		if c.Left > mostLeft {
			t.Errorf("%s: %v of processor time after its visitor left", c.Name, c.Left)
		}
		switch c.Code {
		case "", cutout.Invalid, cutout.UnsupportedFormat, cutout.TooManyPixels:
		default:
			t.Errorf("%s: %s", c.Name, c.Code)
		}
	}
	if seen < 100 {
		t.Errorf("%d files", seen)
	}
}
