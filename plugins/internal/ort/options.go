package ort

import (
	"os"
	"runtime"
	"strconv"
	"strings"

	"bgremover.pro/core/cutout"
	"bgremover.pro/plugins/contract"
)

// Options say how a backend uses its machine.
type Options struct {
	Library      string // absolute path of the ONNX Runtime library
	Threads      int    // of one run
	Concurrency  int    // pictures at a time
	Device       int    // index of the device, where there are several
	DeviceMemory uint64 // bytes of device memory to use at most; 0: no limit
}

// OptionsFromEnv reads what the host sets (package contract lists the names).
// Left empty, one run at a time uses every processor that the process may use,
// as limited by affinity and by the container. Code: Invalid.
func OptionsFromEnv() (Options, error) {
	o := Options{Library: os.Getenv(contract.EnvRuntime)}
	var err error
	if o.Concurrency, err = count(contract.EnvConcurrency, 1); err != nil {
		return o, err
	}
	if o.Threads, err = count(contract.EnvThreads, max(1, runtime.GOMAXPROCS(0)/o.Concurrency)); err != nil {
		return o, err
	}
	if o.Device, err = device(os.Getenv(contract.EnvDevice)); err != nil {
		return o, err
	}
	o.DeviceMemory, err = bytesOf(contract.EnvDeviceMemory)
	return o, err
}

func count(name string, otherwise int) (int, error) {
	value := os.Getenv(name)
	if value == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(value)
	if err != nil || n < 1 || n > 1024 {
		return 0, cutout.Errorf(cutout.Invalid, "%s must be a number from 1 to 1024, not %q", name, value)
	}
	return n, nil
}

// device reads "", "cpu", "cuda", "cuda:1" or "1".
func device(s string) (int, error) {
	_, index, found := strings.Cut(s, ":")
	if !found {
		index = s
	}
	if index == "" || index == "cpu" || index == "cuda" {
		return 0, nil
	}
	n, err := strconv.Atoi(index)
	if err != nil || n < 0 {
		return 0, cutout.Errorf(cutout.Invalid, "%s must be a device such as cuda:1, not %q", contract.EnvDevice, s)
	}
	return n, nil
}

// bytesOf reads a number of bytes, optionally with MiB or GiB.
func bytesOf(name string) (uint64, error) {
	value := os.Getenv(name)
	if value == "" {
		return 0, nil
	}
	unit, digits := uint64(1), value
	if rest, ok := strings.CutSuffix(value, "GiB"); ok {
		unit, digits = 1<<30, rest
	} else if rest, ok := strings.CutSuffix(value, "MiB"); ok {
		unit, digits = 1<<20, rest
	}
	n, err := strconv.ParseUint(strings.TrimSpace(digits), 10, 32)
	if err != nil && unit == 1 {
		n, err = strconv.ParseUint(digits, 10, 63)
	}
	if err != nil {
		return 0, cutout.Errorf(cutout.Invalid, "%s must be a size such as 4GiB, not %q", name, value)
	}
	return n * unit, nil
}
