// Package ort runs models with ONNX Runtime. It is the only package with cgo;
// it sees pixels of known shapes and model files, never a visitor's file.
package ort

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	ort "github.com/yalue/onnxruntime_go"

	"bgremover.pro/core/cutout"
	"bgremover.pro/plugins/contract"
)

// open loads the ONNX Runtime library, once in a process, and returns its
// version. Code: BackendUnavailable, with what is wrong and what to do.
func open(library string) (version string, err error) {
	unavailable := func(format string, args ...any) error {
		return cutout.Errorf(cutout.BackendUnavailable, format, args...)
	}
	switch {
	case library == "":
		return "", unavailable("%s is not set: it must name the ONNX Runtime library, which `make setup` installs (for a GPU `make setup CUDA=1`)", contract.EnvRuntime)
	case !filepath.IsAbs(library):
		return "", unavailable("%s must be an absolute path, not %q", contract.EnvRuntime, library)
	}
	if _, err := os.Stat(library); err != nil {
		return "", unavailable("the ONNX Runtime library %s cannot be read (%v): run `make setup`", library, err)
	}
	// The published library keeps a device id and a database of events in the
	// user's cache and sends them to its publisher, unless this is set before it
	// is loaded. (With cgo, Setenv reaches the C library's environment too.)
	if err := os.Setenv("ORT_DISABLE_TELEMETRY", "1"); err != nil {
		return "", unavailable("the telemetry of the ONNX Runtime library could not be disabled: %v", err)
	}
	ort.SetSharedLibraryPath(library)
	if err := ort.InitializeEnvironment(ort.WithLogLevelError()); err != nil {
		return "", explainOpen(library, err)
	}
	return ort.GetVersion(), nil
}

// explainOpen explains the binding's terse errors.
func explainOpen(library string, err error) error {
	reason := err.Error()
	switch {
	case strings.Contains(reason, "Error setting ORT API base"):
		reason = "is older than this backend needs (1.24): run `make setup` to install the right one"
	case strings.Contains(reason, "OrtGetApiBase"):
		reason = "is not an ONNX Runtime library: run `make setup`"
	case strings.Contains(reason, "GLIBC"):
		reason = fmt.Sprintf("needs a newer C library (glibc 2.28 or later; musl does not work): %s", reason)
	default:
		reason = fmt.Sprintf("cannot be loaded: %s", reason)
	}
	return cutout.Errorf(cutout.BackendUnavailable, "the ONNX Runtime library %s %s", library, reason)
}
