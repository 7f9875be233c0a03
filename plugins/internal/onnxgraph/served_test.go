package onnxgraph

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"bgremover.pro/plugins/internal/onnxgraph/onnx"
)

func TestFromBytes(t *testing.T) {
	g, err := parse(t, small()).Float32()
	if err != nil {
		t.Fatal(err)
	}
	q, err := g.Quantized(rangesFor(g)) // its own constants are named after the input
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		graph     *Graph
		scale     float32
		mean, std [3]float32
		begins    []string
	}{
		"everything":          {q, 255, [3]float32{.5, .4, .3}, [3]float32{.2, .2, .2}, []string{"Cast", "Div", "Sub", "Div"}},
		"no more than needed": {g, 255, [3]float32{}, [3]float32{1, 1, 1}, []string{"Cast", "Div"}},
		"brightest":           {g, 0, [3]float32{}, [3]float32{1, 1, 1}, []string{"Cast", "ReduceMax", "Max", "Div"}},
	} {
		t.Run(name, func(t *testing.T) {
			b, err := c.graph.FromBytes(c.scale, c.mean, c.std)
			if err != nil {
				t.Fatal(err)
			}
			if k := kinds(b); !slices.Equal(k[:len(c.begins)], c.begins) {
				t.Errorf("it begins with %v", k[:len(c.begins)+1])
			}
			if kind := b.graph().Input[0].GetType().GetTensorType().GetElemType(); kind != typeUint8 {
				t.Errorf("the input is of type %d", kind)
			}
			if readers := b.consumers()[b.input]; len(readers) != 1 || readers[0].GetOpType() != "Cast" {
				t.Errorf("the bytes are read by %v", readers)
			}
			seen := map[string]bool{}
			for _, w := range b.graph().Initializer {
				if seen[w.GetName()] {
					t.Errorf("two constants are called %s", w.GetName())
				}
				seen[w.GetName()] = true
			}
			if c.graph.graph().Input[0].GetType().GetTensorType().GetElemType() != typeFloat {
				t.Error("it changed the graph that it was made from")
			}
		})
	}
}

func TestHalfFromBytes(t *testing.T) {
	m := small()
	m.Graph.Input[0].Type.TensorType.ElemType = proto.Int32(typeHalf)
	b, err := parse(t, m).FromBytes(255, [3]float32{}, [3]float32{1, 1, 1})
	if err != nil {
		t.Fatal(err)
	}
	if k := kinds(b)[:3]; !slices.Equal(k, []string{"Cast", "Div", "Cast"}) || attribute(b.graph().Node[2], "to").GetI() != typeHalf {
		t.Errorf("it begins with %v", k)
	}
}

func TestAnyBatch(t *testing.T) {
	free := func() *onnx.Model { // without the Resize to [1, 1, 64, 64]
		m := small()
		m.Graph.Node = slices.DeleteFunc(m.Graph.Node, func(n *onnx.Node) bool { return n.GetOutput()[0] == "last" || n.GetOutput()[0] == "alpha" })
		m.Graph.Node = append(m.Graph.Node, op("Sigmoid", "alpha", "side"))
		return m
	}
	g, err := parse(t, free()).Trimmed()
	if err != nil {
		t.Fatal(err)
	}
	b, err := g.AnyBatch()
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range append(b.graph().Input, b.graph().Output...) {
		if dims := v.GetType().GetTensorType().GetShape().GetDim(); dims[0].GetDimParam() == "" || dims[2].GetDimValue() != 64 {
			t.Errorf("tensor %s has the shape %v", v.GetName(), dims)
		}
	}
	if shape := b.OutputShape(); !slices.Equal(shape, []int64{1, 64, 64}) || b.OutputType() != "FP32" {
		t.Errorf("the output is %s %v", b.OutputType(), shape)
	}
	if dims := g.graph().Input[0].GetType().GetTensorType().GetShape().GetDim(); dims[0].GetDimValue() != 1 {
		t.Error("it changed the graph that it was made from")
	}
	along := func(kind string, axis int64) *onnx.Model {
		m := free()
		m.Graph.Node[len(m.Graph.Node)-1] = withInt(op(kind, "alpha", "side", "side"), "axis", axis)
		return m
	}
	for name, c := range map[string]struct {
		model *onnx.Model
		says  string
	}{
		"a fixed size":       {small(), "Resize last"},
		"pictures are mixed": {along("Concat", 0), "Concat alpha"},
		"unknown operator":   {along("MatMul", 0), "MatMul alpha"},
	} {
		t.Run(name, func(t *testing.T) {
			g, err := parse(t, c.model).Trimmed()
			if err != nil {
				t.Fatal(err)
			}
			var refused *UnsupportedError
			if _, err := g.AnyBatch(); !errors.As(err, &refused) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("it says %v", err)
			}
		})
	}
}
