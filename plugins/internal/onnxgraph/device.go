package onnxgraph

import (
	"slices"

	"bgremover.pro/plugins/internal/onnxgraph/onnx"
)

// ForDevices reports what in a quantised graph the engine of visitors' browsers
// (static/engine) cannot run; nil if it can run all of it. It supports networks of
// 3 x 3 convolutions, pooling and resizing by two, additions and concatenations of two
// tensors, whose last operators are a convolution to one channel, Resize and Sigmoid.
// The error is an *UnsupportedError.
func (g *Graph) ForDevices() error {
	for _, n := range g.graph().Node {
		if !forDevices(n) {
			return unsupported("devices cannot run %s %s", n.GetOpType(), n.GetName())
		}
	}
	producers := g.producers()
	name := g.output
	for _, want := range []string{"Sigmoid", "Resize", "Conv"} {
		n := producers[name]
		if n == nil || n.GetOpType() != want {
			return unsupported("devices need a graph that ends in Conv, Resize and Sigmoid")
		}
		name = n.Input[0]
	}
	return nil
}

func forDevices(n *onnx.Node) bool {
	ints := func(name string) []int64 { return attribute(n, name).GetInts() }
	switch n.GetOpType() {
	case "Add", "Constant", "DequantizeLinear", "QuantizeLinear", "Relu", "Shape", "Sigmoid", "Slice":
		return true
	case "Conv":
		spread := int64(1)
		if d := ints("dilations"); len(d) > 0 {
			spread = d[0]
		}
		group := attribute(n, "group")
		return slices.Equal(ints("kernel_shape"), []int64{3, 3}) && slices.Equal(ints("pads"), []int64{spread, spread, spread, spread}) &&
			len(n.Input) == 3 && (group == nil || group.GetI() == 1)
	case "MaxPool":
		return slices.Equal(ints("kernel_shape"), []int64{2, 2}) && slices.Equal(ints("strides"), []int64{2, 2}) &&
			!slices.ContainsFunc(ints("pads"), func(pad int64) bool { return pad != 0 })
	case "Resize":
		how := attribute(n, "coordinate_transformation_mode")
		return string(attribute(n, "mode").GetS()) == "linear" && (how == nil || string(how.GetS()) == "half_pixel")
	case "Concat":
		return attribute(n, "axis").GetI() == 0 || len(n.Input) == 2
	}
	return false
}
