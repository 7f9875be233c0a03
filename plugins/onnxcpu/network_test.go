package main

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"google.golang.org/protobuf/proto"

	"bgremover.pro/core/cutout"
	"bgremover.pro/plugins/internal/onnxgraph/onnx"
)

// network writes a model like a user's own, for some sizes: two convolutions
// and a last operator.
func network(t *testing.T, last string, sizes ...int64) cutout.Model {
	t.Helper()
	const channels = 16
	m := cutout.Model{Name: "own", Input: "x", Output: "y", Scale: 255, Std: [3]float32{1, 1, 1}, Post: cutout.PostNone}
	for _, size := range sizes {
		graph := &onnx.Graph{
			Node:        []*onnx.Node{node("Conv", "a", "x", "w1"), node("Relu", "b", "a"), node("Conv", "c", "b", "w2"), node(last, "y", "c")},
			Initializer: []*onnx.Tensor{weights("w1", channels, 3, 3, 3), weights("w2", 1, channels, 3, 3)},
			Input:       []*onnx.ValueInfo{tensor("x", 1, 3, size, size)},
			Output:      []*onnx.ValueInfo{tensor("y", 1, 1, size, size)},
		}
		content, err := proto.Marshal(&onnx.Model{IrVersion: proto.Int64(8), OpsetImport: []*onnx.OperatorSet{{Version: proto.Int64(15)}}, Graph: graph})
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), "own.onnx")
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
		m.Variants = append(m.Variants, cutout.Variant{Size: int(size), File: file})
	}
	return m
}

func node(kind, out string, in ...string) *onnx.Node {
	n := &onnx.Node{OpType: &kind, Name: &out, Input: in, Output: []string{out}}
	if kind == "Conv" {
		n.Attribute = []*onnx.Attribute{{Name: proto.String("pads"), Type: proto.Int32(7), Ints: []int64{1, 1, 1, 1}}}
	}
	return n
}

func weights(name string, dims ...int64) *onnx.Tensor {
	count := int64(1)
	for _, d := range dims {
		count *= d
	}
	values := make([]float32, count)
	for i := range values {
		values[i] = float32(i%7-3) / 10
	}
	return &onnx.Tensor{Name: &name, Dims: dims, DataType: proto.Int32(1), FloatData: values}
}

func tensor(name string, dims ...int64) *onnx.ValueInfo {
	shape := &onnx.Shape{}
	for _, d := range dims {
		shape.Dim = append(shape.Dim, &onnx.Dimension{Value: &onnx.Dimension_DimValue{DimValue: d}})
	}
	return &onnx.ValueInfo{Name: &name, Type: &onnx.Type{TensorType: &onnx.TensorType{ElemType: proto.Int32(1), Shape: shape}}}
}

func noise(size int) *cutout.Input {
	in := &cutout.Input{Width: size, Height: size, Pix: make([]uint8, 3*size*size)}
	random := rand.NewChaCha8([32]byte{})
	_, _ = random.Read(in.Pix)
	return in
}
