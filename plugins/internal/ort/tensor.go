package ort

import (
	"unsafe"

	ort "github.com/yalue/onnxruntime_go"

	"bgremover.pro/core/cutout"
)

// tensor is memory that the runtime reads or writes in place: of float32, or
// of float16 as its bits. Exactly one of the slices is set.
type tensor struct {
	value  ort.Value
	single []float32
	half   []uint16
}

func newTensor(shape ort.Shape, kind ort.TensorElementDataType) (*tensor, error) {
	n := shape.FlattenedSize()
	if kind == ort.TensorElementDataTypeFloat16 {
		// The binding copies half of a float16 tensor that it allocates itself;
		// one over our own bytes is right.
		half := make([]uint16, n)
		bytes := unsafe.Slice((*byte)(unsafe.Pointer(&half[0])), 2*n) //nolint:gosec // the same memory, as the binding wants it
		value, err := ort.NewCustomDataTensor(shape, bytes, ort.TensorElementDataTypeFloat16)
		return &tensor{value: value, half: half}, err
	}
	single := make([]float32, n)
	value, err := ort.NewTensor(shape, single)
	return &tensor{value: value, single: single}, err
}

func (t *tensor) destroy() { _ = t.value.Destroy() }

// table says what each sample becomes in the network, by channel.
type table struct {
	single [3][256]float32
	half   [3][256]uint16
}

func newTable(m cutout.Model) *table {
	t := &table{}
	for c := range 3 {
		for x := range 256 {
			v := (float32(x)/m.Scale - m.Mean[c]) / m.Std[c]
			t.single[c][x], t.half[c][x] = v, halfOf(v)
		}
	}
	return t
}

// fill writes interleaved R, G, B samples into the planes of a 1x3xHxW tensor.
func (t *tensor) fill(pix []uint8, table *table, threads int) {
	if t.half != nil {
		fill(t.half, pix, &table.half, threads)
		return
	}
	fill(t.single, pix, &table.single, threads)
}

func fill[T any](planes []T, pix []uint8, table *[3][256]T, threads int) {
	n := len(pix) / 3
	parallel(n, threads, func(from, to int) {
		r, g, b := planes[from:to], planes[n+from:n+to], planes[2*n+from:2*n+to]
		p := pix[3*from : 3*to]
		for i := range r {
			r[i] = table[0][p[3*i]]
			g[i] = table[1][p[3*i+1]]
			b[i] = table[2][p[3*i+2]]
		}
	})
}
