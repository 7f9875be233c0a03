// Command onnx-cuda is the backend that runs models on an NVIDIA GPU with the
// GPU build of ONNX Runtime. It never falls back to the processor: it
// reports by name what is missing. The host starts it; package contract lists the
// environment that it reads.
package main

import (
	"bgremover.pro/plugins/contract"
	"bgremover.pro/plugins/internal/ort"
)

func main() {
	contract.Serve(ort.New("onnx-cuda", contract.NewLogger(), ort.CUDA))
}
