package ort

import (
	"unsafe"

	ort "github.com/yalue/onnxruntime_go"

	"bgremover.pro/plugins/internal/samples"
)

// tensor is memory that the runtime reads or writes in place.
type tensor struct {
	samples.Planes
	value ort.Value
}

func newTensor(shape ort.Shape, kind ort.TensorElementDataType) (*tensor, error) {
	n := shape.FlattenedSize()
	if kind == ort.TensorElementDataTypeFloat16 {
		// The binding copies half of a float16 tensor that it allocates itself;
		// one over our own bytes is right.
		half := make([]uint16, n)
		bytes := unsafe.Slice((*byte)(unsafe.Pointer(&half[0])), 2*n) //nolint:gosec // the same memory, as the binding wants it
		value, err := ort.NewCustomDataTensor(shape, bytes, ort.TensorElementDataTypeFloat16)
		return &tensor{samples.Planes{Half: half}, value}, err
	}
	single := make([]float32, n)
	value, err := ort.NewTensor(shape, single)
	return &tensor{samples.Planes{Single: single}, value}, err
}

func (t *tensor) destroy() { _ = t.value.Destroy() }

// copyTo copies the values of one picture to its place among several.
func (t *tensor) copyTo(several *tensor, i int) {
	copy(several.Single[i*len(t.Single):], t.Single)
	copy(several.Half[i*len(t.Half):], t.Half)
}

// copyFrom is the opposite.
func (t *tensor) copyFrom(several *tensor, i int) {
	copy(t.Single, several.Single[i*len(t.Single):])
	copy(t.Half, several.Half[i*len(t.Half):])
}
