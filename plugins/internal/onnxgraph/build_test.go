package onnxgraph

import (
	"encoding/binary"
	"testing"

	"google.golang.org/protobuf/proto"

	"bgremover.pro/plugins/internal/onnxgraph/onnx"
)

// small is a network like the real ones, in half precision between casts, its
// nodes not in the order in which they run:
//
//	input -> Cast -> Conv 3x3 -> Relu -> MaxPool -+-> Conv -> Add -> Concat -> Conv -> Resize -> Sigmoid -> Cast -> output
//	                              \               +---------> /       /
//	                               \-> Shape ... (size) -> Resize ---'
func small() *onnx.Model {
	nodes := []*onnx.Node{
		op("Conv", "c1", "x", "w1", "b1"), op("Relu", "r1", "c1"),
		withInts(op("MaxPool", "p1", "r1"), "kernel_shape", 2, 2),
		op("Conv", "c2", "p1", "w2", "b2"), op("Add", "a1", "c2", "p1"),
		op("Shape", "shape", "r1"), op("Slice", "nc", "shape", "zero", "two"),
		constantNode("hw", 32, 32), withInt(op("Concat", "sizes", "nc", "hw"), "axis", 0),
		withInt(op("Cast", "a1f", "a1"), "to", typeFloat),
		op("Resize", "up", "a1f", "", "", "sizes"),
		withInt(op("Cast", "uph", "up"), "to", typeHalf),
		withInt(op("Concat", "cat", "uph", "r1"), "axis", 1),
		op("Conv", "side", "cat", "w3"), op("Shape", "ignored", "side"),
		op("Resize", "last", "side", "", "", "full"),
		op("Sigmoid", "alpha", "last"),
		withInt(op("Cast", "x", "input"), "to", typeHalf), // converters put their casts last
		withInt(op("Cast", "output", "alpha"), "to", typeFloat),
		op("Sigmoid", "other", "side"),
	}
	return &onnx.Model{
		IrVersion:   proto.Int64(8),
		OpsetImport: []*onnx.OperatorSet{{Version: proto.Int64(15)}},
		Graph: &onnx.Graph{
			Node: nodes,
			Initializer: []*onnx.Tensor{
				halves("w1", []int64{4, 3, 3, 3}), halves("b1", []int64{4}),
				halves("w2", []int64{4, 4, 1, 1}), halves("b2", []int64{4}),
				halves("w3", []int64{1, 8, 1, 1}), halves("unused", []int64{7}),
				integerTensor("zero", []int64{1}, []int64{0}), integerTensor("two", []int64{1}, []int64{2}),
				integerTensor("full", []int64{4}, []int64{1, 1, 64, 64}),
			},
			Input:     []*onnx.ValueInfo{value("input", 1, 3, 64, 64)},
			Output:    []*onnx.ValueInfo{value("other", 1, 1, 32, 32), value("output", 1, 1, 64, 64)},
			ValueInfo: []*onnx.ValueInfo{value("c1", 1, 4, 64, 64)},
		},
	}
}

func op(kind, out string, in ...string) *onnx.Node { return node(kind, out, in...) }

func withInt(n *onnx.Node, name string, v int64) *onnx.Node {
	n.Attribute = append(n.Attribute, &onnx.Attribute{Name: &name, I: &v, Type: proto.Int32(2)})
	return n
}

func withInts(n *onnx.Node, name string, v ...int64) *onnx.Node {
	n.Attribute = append(n.Attribute, &onnx.Attribute{Name: &name, Ints: v, Type: proto.Int32(7)})
	return n
}

func constantNode(out string, values ...int64) *onnx.Node {
	n := op("Constant", out)
	n.Attribute = []*onnx.Attribute{{
		Name: proto.String("value"), Type: proto.Int32(4),
		T: integerTensor("", []int64{int64(len(values))}, values),
	}}
	return n
}

// halves makes a float16 tensor of some small numbers.
func halves(name string, dims []int64) *onnx.Tensor {
	count := 1
	for _, d := range dims {
		count *= int(d)
	}
	var raw []byte
	for i := range count {
		raw = binary.LittleEndian.AppendUint16(raw, uint16(0x2e00+131*i%0x0fff)|uint16(i%2)<<15)
	}
	return rawTensor(name, typeHalf, dims, raw)
}

func value(name string, dims ...int64) *onnx.ValueInfo {
	shape := &onnx.Shape{}
	for _, d := range dims {
		shape.Dim = append(shape.Dim, &onnx.Dimension{Value: &onnx.Dimension_DimValue{DimValue: d}})
	}
	return &onnx.ValueInfo{Name: &name, Type: &onnx.Type{TensorType: &onnx.TensorType{ElemType: proto.Int32(typeFloat), Shape: shape}}}
}

func encode(t testing.TB, m *onnx.Model) []byte {
	t.Helper()
	file, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func parse(t testing.TB, m *onnx.Model) *Graph {
	t.Helper()
	g, err := Parse(encode(t, m), "input", "output")
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// rangesFor gives every activation some range.
func rangesFor(g *Graph) Ranges {
	r := Ranges{}
	for i, name := range g.Activations() {
		r[name] = Range{-1, float32(i + 1)}
	}
	return r
}

// kinds lists the operators in their order.
func kinds(g *Graph) (list []string) {
	for _, n := range g.graph().Node {
		list = append(list, n.GetOpType())
	}
	return list
}
