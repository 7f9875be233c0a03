package onnxgraph

import (
	"errors"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"bgremover.pro/plugins/internal/onnxgraph/onnx"
)

func TestForDevices(t *testing.T) {
	text := func(n *onnx.Node, name, value string) *onnx.Node {
		n.Attribute = append(n.Attribute, &onnx.Attribute{Name: &name, S: []byte(value), Type: proto.Int32(3)})
		return n
	}
	conv := func(out string, dilation int64) *onnx.Node {
		n := withInts(op("Conv", out, "p", "w", "b"), "kernel_shape", 3, 3)
		return withInts(withInts(n, "dilations", dilation, dilation), "pads", dilation, dilation, dilation, dilation)
	}
	pool := func(side int64) *onnx.Node {
		return withInts(withInts(op("MaxPool", "p", "r"), "kernel_shape", side, side), "strides", 2, 2)
	}
	resize := func(mode string) *onnx.Node { return text(op("Resize", "up", "c", "", "", "size"), "mode", mode) }
	for says, nodes := range map[string][]*onnx.Node{
		"":          {op("Relu", "r", "input"), pool(2), conv("c", 4), resize("linear"), op("Sigmoid", "output", "up")},
		"MatMul":    {op("MatMul", "p", "input", "input"), conv("c", 1), resize("linear"), op("Sigmoid", "output", "up")},
		"MaxPool":   {op("Relu", "r", "input"), pool(3), conv("c", 1), resize("linear"), op("Sigmoid", "output", "up")},
		"Resize":    {op("Relu", "p", "input"), conv("c", 1), resize("nearest"), op("Sigmoid", "output", "up")},
		"Conv":      {op("Relu", "p", "input"), withInts(op("Conv", "c", "p", "w", "b"), "kernel_shape", 1, 1), resize("linear"), op("Sigmoid", "output", "up")},
		"Concat":    {withInt(op("Concat", "p", "input", "input", "input"), "axis", 1), conv("c", 1), resize("linear"), op("Sigmoid", "output", "up")},
		"that ends": {op("Relu", "p", "input"), conv("c", 1), op("Sigmoid", "output", "c")},
	} {
		m := small()
		m.Graph.Node = nodes
		m.Graph.Output = m.Graph.Output[1:]
		err := parse(t, m).ForDevices()
		var refused *UnsupportedError
		if (says == "") != (err == nil) || err != nil && (!errors.As(err, &refused) || !strings.Contains(err.Error(), says)) {
			t.Errorf("%q: it says %v", says, err)
		}
	}
}
