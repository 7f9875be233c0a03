package ort

import (
	"errors"
	"strings"
	"testing"

	ort "github.com/yalue/onnxruntime_go"

	"bgremover.pro/core/cutout"
)

// Texts of ONNX Runtime 1.17 to 1.30, shortened, as people met them.
func TestExplainCUDA(t *testing.T) {
	tests := map[string]struct {
		text string
		code cutout.Code
		says string
	}{
		"built without": {
			"CUDA execution provider is not enabled in this build. ",
			cutout.BackendUnavailable, "built without CUDA",
		},
		"no provider": {
			"FAIL : Failed to load library /opt/ort/libonnxruntime_providers_shared.so with error: /opt/ort/libonnxruntime_providers_shared.so: cannot open shared object file: No such file or directory",
			cutout.BackendUnavailable, "libonnxruntime_providers_shared.so is missing next to",
		},
		"no cuDNN": {
			"FAIL : Failed to load library libonnxruntime_providers_cuda.so with error: libcudnn_adv.so.9: cannot open shared object file: No such file or directory",
			cutout.BackendUnavailable, "libcudnn_adv.so.9, a part of cuDNN, is missing: run `make setup CUDA=1`",
		},
		"cuDNN found missing later": {
			"cuDNN is unavailable or disabled for CUDA Execution Provider: dlopen failed for libcudnn.so.9",
			cutout.BackendUnavailable, "libcudnn.so.9, a part of cuDNN",
		},
		"no cuFFT": {
			"FAIL : Failed to load library libonnxruntime_providers_cuda.so with error: libcufft.so.11: cannot open shared object file: No such file or directory",
			cutout.BackendUnavailable, "libcufft.so.11, a part of CUDA, is missing: run",
		},
		"two builds": {
			"Failed to load library /opt/ort/libonnxruntime_providers_cuda.so with error: /opt/ort/libonnxruntime_providers_cuda.so: undefined symbol: x",
			cutout.BackendUnavailable, "of the same build",
		},
		"no device": {
			"Failed to parse provider option \"device_id\": CUDA failure 100: no CUDA-capable device is detected ; GPU=-1 ; expr=cudaGetDeviceCount(&num_devices);",
			cutout.BackendUnavailable, "there is no NVIDIA GPU",
		},
		"no such device": {
			"CUDA failure 101: invalid device ordinal ; GPU=0 ; expr=cudaSetDevice(info_.device_id);",
			cutout.BackendUnavailable, "no device cuda:3",
		},
		"old driver": {
			"CUDA failure 35: CUDA driver version is insufficient for CUDA runtime version ; GPU=-1 ; expr=cudaSetDevice(info_.device_id);",
			cutout.BackendUnavailable, "update the driver",
		},
		"out of memory": {
			"CUDA failure 2: out of memory ; GPU=0 ; expr=cudaMalloc((void**)&p, size);",
			cutout.BackendUnavailable, "cuda:3 is out of memory",
		},
		"arena at its limit": {
			"bfc_arena.cc:376 void* onnxruntime::BFCArena::AllocateRawInternal(size_t) Available memory of 1024 is smaller than requested bytes of 2048",
			cutout.BackendUnavailable, "out of memory",
		},
		"sick device": {
			"CUDA failure 999: unknown error ; GPU=0 ; expr=cudaSetDevice(info_.device_id);",
			cutout.BackendUnavailable, "does not work on cuda:3",
		},
		"another matter": {"Non-zero status code returned while running Conv node", cutout.Internal, "failed on this picture"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			err := explainCUDA(errors.New(test.text), Options{Device: 3})
			if cutout.CodeOf(err) != test.code || !strings.Contains(cutout.MessageOf(err), test.says) {
				t.Errorf("got %v; want %s, saying %q", err, test.code, test.says)
			}
		})
	}
}

// The convolution of the self-test is right wherever it runs.
func TestConvolve(t *testing.T) {
	backend(t)
	o, err := ort.NewSessionOptions()
	if err != nil {
		t.Fatal(err)
	}
	defer o.Destroy()
	if err := convolve(o); err != nil {
		t.Error(err)
	}
}
