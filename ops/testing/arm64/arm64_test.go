// Package arm64_test processes a photo with the build for linux/arm64, which qemu runs.
// `make test` builds it on x86-64.
package arm64_test

import (
	"cmp"
	"fmt"
	"image/png"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"bgremover.pro/core/config"
	"bgremover.pro/core/cutout"
	"bgremover.pro/core/model"
	"bgremover.pro/ops/testing/ownmodel"
	"bgremover.pro/plugins/contract"
)

const (
	root = "../../.."
	qemu = "/usr/bin/qemu-aarch64"
	// libraries is where Debian's cross compiler keeps arm64's C library.
	libraries = "/usr/aarch64-linux-gnu/lib"
)

// The commands, the backend and ONNX Runtime's build for arm64 make nearly the same mask
// as those for x86-64, with the same graph.
func TestPhotoOnARM64(t *testing.T) {
	if os.Getenv("ARM64") == "" {
		t.Skip("make test and make arm64 build what this runs, on x86-64")
	}
	installed, err := config.Load(config.Sources{Environ: os.Environ()})
	if err != nil {
		t.Fatal(err)
	}
	native := model.Open(installed.Folders.Data)
	library, err := native.Runtime()
	if err != nil {
		t.Fatal(err)
	}
	here, there := dataFolder(t, native), dataFolder(t, native)
	if err := os.Symlink(filepath.Dir(filepath.Dir(library)), filepath.Join(here, "runtime")); err != nil {
		t.Fatal(err)
	}
	arm := []string{qemu, "-cpu", "neoverse-n1", "-L", machine(t)}
	arm64 := func(program string, args ...string) []string {
		return slices.Concat(arm, []string{absolute(t, filepath.Join("bin/arm64", program))}, args)
	}
	run(t, there, "", arm64("bgremover", "models", "pull", model.Default, "--runtime", "cpu")...)

	want := filepath.Join(here, "mask.png")
	run(t, here, "", removing(t, []string{absolute(t, "bin/bgremover")}, want)...)
	// qemu starts no other program of its kind, so that the backend's command names it.
	backend := arm64("plugins/onnx-cpu")
	pulled, _ := filepath.Glob(filepath.Join(there, "runtime", "onnxruntime-*", filepath.Base(library)))
	if len(pulled) != 1 {
		t.Fatal("pulled: ", pulled)
	}
	settings := fmt.Sprintf("backend = \"emulated\"\ntimeout = \"20m\"\n\n[backends.emulated]\ncommand = %q\nargs = [\"%s\"]\nenv = [\"%s=%s\"]\n",
		backend[0], strings.Join(backend[1:], `", "`), contract.EnvRuntime, pulled[0])
	got := filepath.Join(there, "mask.png")
	run(t, there, settings, removing(t, arm64("bgremover"), got)...)

	overlap, difference := compare(t, got, want)
	t.Logf("overlap %.4f, mean difference %.2f of 255", overlap, difference)
	if overlap < 0.98 || difference > 2 { // the processors' integer arithmetic differs a little
		t.Error("too far apart")
	}
}

func removing(t *testing.T, program []string, result string) []string {
	return append(program, "remove", absolute(t, "core/app/testdata/photos/astronaut.jpg"), "--model", "small", "--output", "mask", "--edges", "raw", "--to", result)
}

// dataFolder is one with the default model, and a smaller graph of it as an own model:
// the same for both processors, which each would derive one for itself.
func dataFolder(t *testing.T, native *model.Store) string {
	t.Helper()
	original, err := native.Original(model.Default)
	if err != nil {
		t.Fatal(err)
	}
	installed, err := native.Installed(model.Default)
	if err != nil {
		t.Fatal(err)
	}
	small := slices.MinFunc(installed.Variants, func(a, b cutout.Variant) int { return cmp.Compare(a.Size, b.Size) })
	models := filepath.Join(t.TempDir(), "models")
	var entry model.Entry
	for _, known := range model.Known().Models {
		if known.Name == model.Default {
			entry = known
		}
	}
	for _, err := range []error{
		os.Mkdir(models, 0o755),
		os.Symlink(original.Variants[0].File, filepath.Join(models, model.Default+".onnx")),
		os.Symlink(small.File, filepath.Join(models, "small.onnx")),
		os.WriteFile(filepath.Join(models, "small.toml"), ownmodel.Description(entry, small.Size), 0o600),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Dir(models)
}

// machine is the folder in which qemu looks for files first: arm64's C library, and the
// processors of another machine, as ONNX Runtime does not start with x86-64's.
func machine(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	write := func(name, text string) {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var processors strings.Builder
	for i := range 2 {
		fmt.Fprintf(&processors, "processor\t: %d\nFeatures\t: fp asimd\nCPU implementer\t: 0x41\nCPU architecture: 8\nCPU variant\t: 0x3\nCPU part\t: 0xd0c\nCPU revision\t: 1\n\n", i)
	}
	write("proc/cpuinfo", processors.String())
	for _, list := range []string{"possible", "present", "online"} {
		write("sys/devices/system/cpu/"+list, "0-1\n")
	}
	if err := os.Symlink(libraries, filepath.Join(dir, "lib")); err != nil {
		t.Fatal(err)
	}
	return dir
}

// run runs a command with a data folder and a settings file.
func run(t *testing.T, data, settings string, command ...string) {
	t.Helper()
	file := filepath.Join(data, "bgremover.toml")
	if err := os.WriteFile(file, []byte(settings), 0o600); err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(t.Context(), command[0], command[1:]...)
	c.Dir = data
	c.Env = append(os.Environ(), "BGREMOVER_DATA_DIR="+data, "BGREMOVER_CONFIG="+file)
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", command, err, out)
	}
}

// compare returns how far two masks overlap where they are more than half, as IoU, and
// their mean difference.
func compare(t *testing.T, first, second string) (overlap, difference float64) {
	t.Helper()
	a, b := levels(t, first), levels(t, second)
	if len(a) != len(b) || len(a) == 0 {
		t.Fatalf("%d and %d pixels", len(a), len(b))
	}
	both, either, sum := 0, 0, 0.0
	for i := range a {
		sum += math.Abs(a[i] - b[i])
		if a[i] > 127 && b[i] > 127 {
			both++
		}
		if a[i] > 127 || b[i] > 127 {
			either++
		}
	}
	return float64(both) / float64(max(1, either)), sum / float64(len(a))
}

func levels(t *testing.T, name string) (all []float64) {
	t.Helper()
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	mask, err := png.Decode(file)
	if err != nil {
		t.Fatal(err)
	}
	for y := range mask.Bounds().Dy() {
		for x := range mask.Bounds().Dx() {
			level, _, _, _ := mask.At(x, y).RGBA()
			all = append(all, float64(level>>8))
		}
	}
	return all
}

func absolute(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return path
}
