package ort

import (
	"errors"
	"fmt"
	"strconv"

	ort "github.com/yalue/onnxruntime_go"

	"bgremover.pro/core/cutout"
)

// CUDA is the provider for NVIDIA GPUs. Before it is returned it computes a small
// convolution on the device, so that anything missing is reported now and by name, and does
// not show as a slow run on the processor. Code: BackendUnavailable, with what is wrong and
// what to do.
//
// Runs go through plain tensors and not through device memory bound with IoBinding, because
// a bound run cannot be cancelled: copying 16 MB for a 1024x1024 input is cheap in
// comparison.
func CUDA(o Options) (Provider, error) {
	p := Provider{
		Device:    fmt.Sprintf("cuda:%d", o.Device),
		Floats:    true,
		Batch:     true,
		Name:      "CUDAExecutionProvider",
		Configure: func(s *ort.SessionOptions) error { return configureCUDA(s, o) },
		Explain:   func(err error) error { return explainCUDA(err, o) },
	}
	return p, selfTest(p.Configure)
}

func configureCUDA(s *ort.SessionOptions, o Options) error {
	cuda, err := ort.NewCUDAProviderOptions()
	if err != nil {
		return err
	}
	defer func() { _ = cuda.Destroy() }()
	settings := map[string]string{
		"device_id": strconv.Itoa(o.Device),
		// Take what is needed: doubling would hold memory that others want.
		"arena_extend_strategy": "kSameAsRequested",
		// Trying every algorithm takes seconds on each new shape.
		"cudnn_conv_algo_search": "HEURISTIC",
	}
	if o.DeviceMemory > 0 {
		settings["gpu_mem_limit"] = strconv.FormatUint(o.DeviceMemory, 10)
	}
	// Update loads the provider, and its error is the linker's own; appending
	// the provider would only say that it failed.
	if err := cuda.Update(settings); err != nil {
		return err
	}
	return s.AppendExecutionProviderCUDA(cuda)
}

// selfTest runs one convolution with a provider, and with no other.
func selfTest(configure func(*ort.SessionOptions) error) error {
	o, err := ort.NewSessionOptions()
	if err != nil {
		return err
	}
	defer func() { _ = o.Destroy() }()
	if err := configure(o); err != nil {
		return err
	}
	if err := o.AddSessionConfigEntry("session.disable_cpu_ep_fallback", "1"); err != nil {
		return err
	}
	return convolve(o)
}

// convolve computes a 3x3 convolution of one pixel: the sum of 1*2, 2*2 ... 9*2.
func convolve(o *ort.SessionOptions) error {
	shape, one := ort.Shape{1, 1, 3, 3}, ort.Shape{1, 1, 1, 1}
	graph, err := oneNode("Conv",
		[]value{{"x", elementFloat32, shape}, {"w", elementFloat32, shape}}, []value{{"y", elementFloat32, one}})
	if err != nil {
		return err
	}
	session, err := ort.NewDynamicAdvancedSessionWithONNXData(graph, []string{"x", "w"}, []string{"y"}, o)
	if err != nil {
		return err
	}
	defer func() { _ = session.Destroy() }()
	var tensors []*tensor
	defer func() {
		for _, t := range tensors {
			t.destroy()
		}
	}()
	for _, s := range []ort.Shape{shape, shape, one} {
		t, err := newTensor(s, ort.TensorElementDataTypeFloat)
		if err != nil {
			return err
		}
		tensors = append(tensors, t)
	}
	x, w, y := tensors[0], tensors[1], tensors[2]
	for i := range x.Single {
		x.Single[i], w.Single[i] = float32(i+1), 2
	}
	if err := session.Run([]ort.Value{x.value, w.value}, []ort.Value{y.value}); err != nil {
		return err
	}
	if y.Single[0] != 90 {
		return cutout.Wrap(cutout.BackendUnavailable, errors.New("a convolution of the self-test gave a wrong result"),
			"The device computes wrong results.")
	}
	return nil
}
