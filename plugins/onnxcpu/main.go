// Command onnx-cpu is the backend that runs models on the processor with ONNX
// Runtime. The host starts it; package contract lists the environment that it
// reads.
package main

import (
	"bgremover.pro/plugins/contract"
	"bgremover.pro/plugins/internal/ort"
)

func main() {
	contract.Serve(ort.New("onnx-cpu", contract.NewLogger(), ort.CPU))
}
