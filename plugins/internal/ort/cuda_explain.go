package ort

import (
	"errors"
	"fmt"
	"path"
	"regexp"
	"strings"

	"bgremover.pro/core/cutout"
)

const (
	curePull   = "run `make setup CUDA=1`, or `bgremover models pull --runtime cuda`"
	cureDriver = "install NVIDIA's driver, and in a container start it with access to the GPU (such as --gpus all)"
	cureFolder = "or, if you have it elsewhere, add its folder to LD_LIBRARY_PATH in this backend's environment"
)

// linkerError is the runtime's error when the dynamic linker cannot load a provider:
// which one, and which file is missing.
var linkerError = regexp.MustCompile(`Failed to load library (\S+) with error: (\S+): cannot open shared object file`)

// dlopenError is the error of cuDNN's own loader.
var dlopenError = regexp.MustCompile(`(libcudnn[\w.]*)`)

// explainCUDA says what an error of the runtime means and what to do about it.
// Errors unrelated to the device stay Internal.
func explainCUDA(err error, o Options) error {
	if e := (*cutout.Error)(nil); errors.As(err, &e) {
		return err
	}
	text := err.Error()
	says := func(signs ...string) bool {
		for _, s := range signs {
			if strings.Contains(text, s) {
				return true
			}
		}
		return false
	}
	unavailable := func(format string, args ...any) error {
		return cutout.Errorf(cutout.BackendUnavailable, format, args...)
	}
	if m := linkerError.FindStringSubmatch(text); m != nil {
		return unavailable("%s", missing(path.Base(m[1]), path.Base(m[2])))
	}
	switch {
	case says("not enabled in this build"):
		return unavailable("this ONNX Runtime was built without CUDA: %s", curePull)
	case says("Failed to load library", "Failed to load shared library"):
		return unavailable("the CUDA part of ONNX Runtime cannot be loaded; it must be of the same build as the runtime: %s", curePull)
	case says("CUDA failure 100:", "no CUDA-capable device"):
		return unavailable("there is no NVIDIA GPU: %s", cureDriver)
	case says("CUDA failure 101:", "invalid device ordinal", "Invalid device ID"):
		return unavailable("there is no device cuda:%d: set the backend's device to another", o.Device)
	case says("CUDA failure 35:", "driver version is insufficient"):
		return unavailable("the NVIDIA driver is older than this CUDA needs: update the driver")
	case says("no kernel image is available"):
		return unavailable("this GPU is older than the runtime supports: use the backend onnx-cpu")
	case says("CUDA failure 2:", "out of memory", "Failed to allocate memory", "_ALLOC_FAILED", "Available memory of"):
		return unavailable("cuda:%d is out of memory: free some, raise the backend's memory limit, or choose a smaller model", o.Device)
	case says("cuDNN is unavailable", "CUDNN_STATUS_NOT_INIT", "Could not load library libcudnn", "Unable to load any of {libcudnn"):
		file := "libcudnn.so.9"
		if m := dlopenError.FindString(text); m != "" {
			file = m
		}
		return unavailable("%s", missing("", file))
	case says("CUDA failure", "CUBLAS failure", "CUDNN failure", "CUFFT failure"):
		return unavailable("CUDA does not work on cuda:%d; see its own error in the log", o.Device)
	case says("CPU EP fallback", "cpu_ep_fallback"):
		return unavailable("CUDA refused the self-test: the runtime and its CUDA part do not match: %s", curePull)
	}
	return cutout.Wrap(cutout.Internal, err, "The model failed on this picture.")
}

// missing names a file that the linker did not find, what it belongs to, and the
// remedy.
func missing(provider, file string) string {
	switch {
	case file == provider || strings.HasPrefix(file, "libonnxruntime_providers"):
		return fmt.Sprintf("%s is missing next to the ONNX Runtime library, so that is the CPU-only build: %s", file, curePull)
	case strings.HasPrefix(file, "libcuda.so"):
		return fmt.Sprintf("%s, the NVIDIA driver, is missing: %s", file, cureDriver)
	case strings.HasPrefix(file, "libcudnn"):
		return fmt.Sprintf("%s, a part of cuDNN, is missing: %s, which installs cuDNN, %s", file, curePull, cureFolder)
	}
	return fmt.Sprintf("%s, a part of CUDA, is missing: %s, which installs CUDA's libraries, %s", file, curePull, cureFolder)
}
