package ort

import "google.golang.org/protobuf/encoding/protowire"

// oneNode returns an ONNX file whose graph is a single node: enough to see
// whether a provider computes. Field numbers are those of onnx.proto.
func oneNode(operator string, inputs, outputs []value, attributes ...attribute) []byte {
	var node, graph, model message
	for _, v := range inputs {
		node.text(1, v.name)
		graph.message(11, v.encode())
	}
	for _, v := range outputs {
		node.text(2, v.name)
		graph.message(12, v.encode())
	}
	node.text(4, operator)
	for _, a := range attributes {
		node.message(5, a.encode())
	}
	graph.message(1, node)
	graph.text(2, "one node")
	model.number(1, 8) // IR version
	model.message(7, graph)
	var opset message
	opset.number(2, 13)
	model.message(8, opset)
	return model
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
	element uint64
	shape   []int64
}

func (v value) encode() message {
	var shape, tensor, kind, info message
	for _, d := range v.shape {
		var dim message
		if d < 0 {
			dim.text(2, "open")
		} else {
			dim.number(1, uint64(d))
		}
		shape.message(1, dim)
	}
	tensor.number(1, v.element)
	tensor.message(2, shape)
	kind.message(1, tensor)
	info.text(1, v.name)
	info.message(2, kind)
	return info
}

// attribute is a list of integers that a node takes.
type attribute struct {
	name   string
	values []uint64
}

func (a attribute) encode() message {
	const list = 7 // AttributeProto.INTS
	var m message
	m.text(1, a.name)
	for _, v := range a.values {
		m.number(8, v)
	}
	m.number(20, list)
	return m
}

// message is an encoded protocol buffer that fields are added to.
type message []byte

func (m *message) number(field protowire.Number, v uint64) {
	*m = protowire.AppendVarint(protowire.AppendTag(*m, field, protowire.VarintType), v)
}

func (m *message) text(field protowire.Number, s string) {
	*m = protowire.AppendString(protowire.AppendTag(*m, field, protowire.BytesType), s)
}

func (m *message) message(field protowire.Number, b []byte) {
	*m = protowire.AppendBytes(protowire.AppendTag(*m, field, protowire.BytesType), b)
}
