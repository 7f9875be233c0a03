package ort

import (
	"strings"

	"bgremover.pro/core/cutout"
)

// CPU is the provider that is always available.
func CPU(Options) (Provider, error) {
	return Provider{Device: "cpu", Name: "CPUExecutionProvider", Explain: explainCPU}, nil
}

func explainCPU(err error) error {
	for _, sign := range []string{"bad_alloc", "Failed to allocate memory", "bad allocation"} {
		if strings.Contains(err.Error(), sign) {
			return cutout.Errorf(cutout.BackendUnavailable, "there is not enough memory for this model: free some, or choose a smaller model")
		}
	}
	return cutout.Wrap(cutout.Internal, err, "The model failed on this picture.")
}
