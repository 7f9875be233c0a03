package onnxgraph

import (
	"slices"

	"google.golang.org/protobuf/proto"

	"bgremover.pro/plugins/internal/onnxgraph/onnx"
)

// served is in the names of what FromBytes adds: Quantized adds others to the input's.
const served = "/bytes/"

// Trimmed returns the graph that computes the wanted output, and nothing else.
func (g *Graph) Trimmed() (*Graph, error) {
	out := g.Clone()
	return out, out.trim()
}

// FromBytes returns a graph whose input is the samples of a picture as they are, in
// bytes: a quarter of what float32 samples take on the way to a server. Its first
// nodes compute (sample/scale - mean) / std as package samples does; a scale of 0
// stands for the picture's brightest sample.
func (g *Graph) FromBytes(scale float32, mean, std [3]float32) (*Graph, error) {
	out := g.Clone()
	at := slices.IndexFunc(out.graph().Input, func(v *onnx.ValueInfo) bool { return v.GetName() == out.input })
	kind := out.graph().Input[at].GetType().GetTensorType()
	if kind == nil || !isFloat(kind.GetElemType()) {
		return nil, unsupported("the input %q holds no floats", out.input)
	}
	half := kind.GetElemType() == typeHalf
	kind.ElemType = proto.Int32(typeUint8)
	for _, n := range out.graph().Node {
		for i, in := range n.Input {
			if in == out.input {
				n.Input[i] = out.input + served + "samples"
			}
		}
	}
	p := &prefix{graph: out, last: out.input}
	p.cast(typeFloat)
	p.scale(scale)
	if mean != [3]float32{} {
		p.add("Sub", p.constant("mean", []int64{1, 3, 1, 1}, mean[:]))
	}
	if std != [3]float32{1, 1, 1} {
		p.add("Div", p.constant("std", []int64{1, 3, 1, 1}, std[:]))
	}
	if half {
		p.cast(typeHalf)
	}
	p.nodes[len(p.nodes)-1].Output[0] = out.input + served + "samples"
	out.graph().Node = append(p.nodes, out.graph().Node...)
	return out, nil
}

// prefix is a chain of nodes before a graph's own.
type prefix struct {
	graph *Graph
	nodes []*onnx.Node
	last  string // tensor
}

// add appends a node that reads the last tensor, and others.
func (p *prefix) add(kind string, others ...string) *onnx.Node {
	n := node(kind, p.graph.input+served+kind+string(rune('a'+len(p.nodes))), append([]string{p.last}, others...)...)
	p.nodes, p.last = append(p.nodes, n), n.Output[0]
	return n
}

func (p *prefix) cast(to int64) {
	n := p.add("Cast")
	n.Attribute = []*onnx.Attribute{{Name: proto.String("to"), I: &to, Type: proto.Int32(2)}}
}

func (p *prefix) constant(name string, dims []int64, values []float32) string {
	name = p.graph.input + served + name
	p.weight(floatTensor(name, dims, values))
	return name
}

func (p *prefix) weight(t *onnx.Tensor) {
	p.graph.graph().Initializer = append(p.graph.graph().Initializer, t)
}

func (p *prefix) scale(scale float32) {
	if scale != 0 {
		p.add("Div", p.constant("scale", nil, []float32{scale}))
		return
	}
	samples, axes := p.last, []int64{1, 2, 3} // each picture has its own brightest
	if version, _ := p.graph.opset(); version < 18 {
		n := p.add("ReduceMax")
		n.Attribute = []*onnx.Attribute{{Name: proto.String("axes"), Ints: axes, Type: proto.Int32(7)}}
	} else {
		name := p.graph.input + served + "axes"
		p.weight(integerTensor(name, []int64{3}, axes))
		p.add("ReduceMax", name)
	}
	brightest := p.add("Max", p.constant("least", nil, []float32{1})).Output[0] // a black picture stays black
	p.last = samples
	p.add("Div", brightest)
}

// apart are operators that treat each picture of a batch by itself.
var apart = map[string]bool{
	"Add": true, "AveragePool": true, "BatchNormalization": true, "Cast": true, "Clip": true, "Constant": true, "Conv": true,
	"ConvTranspose": true, "DequantizeLinear": true, "Div": true, "Exp": true, "GlobalAveragePool": true, "Identity": true,
	"LeakyRelu": true, "Max": true, "MaxPool": true, "Mul": true, "Neg": true, "Pad": true, "PRelu": true, "QuantizeLinear": true,
	"ReduceMax": true, "Relu": true, "Resize": true, "Sigmoid": true, "Sqrt": true, "Sub": true, "Tanh": true,
}

// AnyBatch returns the graph for any number of pictures at once. The error is an
// *UnsupportedError if the graph may mix them, or fixes their number inside.
func (g *Graph) AnyBatch() (*Graph, error) {
	out := g.Clone()
	types, producers, weights := out.types(), out.producers(), out.initializers()
	for _, n := range out.graph().Node {
		kind := n.GetOpType()
		fits := apart[kind] || types[n.Output[0]] == typeInt64 // what is computed of shapes
		switch {
		case kind == "Concat" && !fits:
			fits = attribute(n, "axis").GetI() != 0
		case kind == "Resize" && len(n.Input) > 3 && n.Input[3] != "":
			first := n.Input[3]
			if p := producers[first]; p != nil && p.GetOpType() == "Concat" {
				first = p.Input[0]
			}
			fits = constant(first, producers, weights) == nil
		}
		if !fits {
			return nil, unsupported("operator %s %s may fix the number of pictures", kind, n.GetName())
		}
	}
	for _, v := range append(out.graph().Input, out.graph().Output...) {
		dims := v.GetType().GetTensorType().GetShape().GetDim()
		if len(dims) != 4 {
			return nil, unsupported("tensor %q has %d dimensions, not 4", v.GetName(), len(dims))
		}
		dims[0].Value = &onnx.Dimension_DimParam{DimParam: "batch"}
	}
	return out, nil
}

// OutputType is the output's type as the Open Inference Protocol names it, and
// OutputShape its shape without the number of pictures; -1 is open.
func (g *Graph) OutputType() string {
	if g.wanted().GetElemType() == typeHalf {
		return "FP16"
	}
	return "FP32"
}

// OutputShape is described at OutputType.
func (g *Graph) OutputShape() (shape []int64) {
	dims := g.wanted().GetShape().GetDim()
	for _, d := range dims[min(1, len(dims)):] {
		size, known := d.Value.(*onnx.Dimension_DimValue)
		if !known {
			shape = append(shape, -1)
			continue
		}
		shape = append(shape, size.DimValue)
	}
	return shape
}

func (g *Graph) wanted() *onnx.TensorType {
	for _, v := range g.graph().Output {
		if v.GetName() == g.output {
			return v.GetType().GetTensorType()
		}
	}
	return nil
}
