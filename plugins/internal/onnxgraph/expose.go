package onnxgraph

import (
	"google.golang.org/protobuf/proto"

	"bgremover.pro/plugins/internal/onnxgraph/onnx"
)

// Exposed returns a float32 graph whose outputs are the named tensors, of
// whatever shape, to be measured. The input itself cannot be among them.
func (g *Graph) Exposed(tensors []string) *Graph {
	out := g.Clone()
	out.graph().Output = nil
	for _, name := range tensors {
		out.graph().Output = append(out.graph().Output, &onnx.ValueInfo{
			Name: proto.String(name),
			Type: &onnx.Type{TensorType: &onnx.TensorType{ElemType: proto.Int32(typeFloat)}},
		})
	}
	return out
}
