package ort

import (
	"google.golang.org/protobuf/proto"

	"bgremover.pro/plugins/internal/onnxgraph/onnx"
)

// oneNode returns an ONNX file whose graph is a single node: enough to see
// whether a provider computes.
func oneNode(operator string, inputs, outputs []value, attributes ...attribute) ([]byte, error) {
	node, graph := &onnx.Node{OpType: &operator}, &onnx.Graph{}
	for _, v := range inputs {
		node.Input = append(node.Input, v.name)
		graph.Input = append(graph.Input, v.info())
	}
	for _, v := range outputs {
		node.Output = append(node.Output, v.name)
		graph.Output = append(graph.Output, v.info())
	}
	for _, a := range attributes {
		const list = 7 // AttributeProto.INTS
		node.Attribute = append(node.Attribute, &onnx.Attribute{Name: &a.name, Ints: a.values, Type: proto.Int32(list)})
	}
	graph.Node = []*onnx.Node{node}
	return proto.Marshal(&onnx.Model{
		IrVersion: proto.Int64(8), Graph: graph,
		OpsetImport: []*onnx.OperatorSet{{Version: proto.Int64(13)}},
	})
}

// Element types of ONNX.
const (
	elementFloat32 = 1
	elementUint8   = 2
	elementFloat16 = 10
)

// value is a tensor that enters or leaves a graph; a dimension of -1 is open.
type value struct {
	name    string
	element int32
	shape   []int64
}

func (v value) info() *onnx.ValueInfo {
	shape := &onnx.Shape{}
	for _, d := range v.shape {
		dim := &onnx.Dimension{Value: &onnx.Dimension_DimParam{DimParam: "open"}}
		if d >= 0 {
			dim.Value = &onnx.Dimension_DimValue{DimValue: d}
		}
		shape.Dim = append(shape.Dim, dim)
	}
	return &onnx.ValueInfo{Name: &v.name, Type: &onnx.Type{TensorType: &onnx.TensorType{ElemType: &v.element, Shape: shape}}}
}

// attribute is a list of integers that a node takes.
type attribute struct {
	name   string
	values []int64
}
