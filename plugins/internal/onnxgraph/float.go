package onnxgraph

import (
	"google.golang.org/protobuf/proto"

	"bgremover.pro/plugins/internal/onnxgraph/onnx"
)

// Float32 returns the graph that computes the wanted output, and nothing else,
// in float32: half-precision weights widened, which is exact, and the casts
// between the two types gone. A processor without half-precision arithmetic
// otherwise casts back and forth all the time.
func (g *Graph) Float32() (*Graph, error) {
	out := g.Clone()
	if err := out.trim(); err != nil {
		return nil, err
	}
	types := out.types()
	if err := out.widen(); err != nil {
		return nil, err
	}
	if err := out.bypassCasts(types); err != nil {
		return nil, err
	}
	for _, v := range append(out.graph().Input, out.graph().Output...) {
		if t := v.GetType().GetTensorType(); t.GetElemType() == typeHalf {
			t.ElemType = proto.Int32(typeFloat)
		}
	}
	return out, out.trim()
}

// Halves reports whether the graph has anything in half precision.
func (g *Graph) Halves() bool {
	for _, kind := range g.types() {
		if kind == typeHalf {
			return true
		}
	}
	return false
}

// types infers the element type of every tensor, 0 if it is not known.
func (g *Graph) types() map[string]int32 {
	found := map[string]int32{}
	for _, in := range g.graph().Input {
		found[in.GetName()] = in.GetType().GetTensorType().GetElemType()
	}
	for _, t := range g.graph().Initializer {
		found[t.GetName()] = t.GetDataType()
	}
	for _, n := range g.graph().Node {
		var kind int32
		switch n.GetOpType() {
		case "Constant", "ConstantOfShape":
			kind = attribute(n, "value").GetT().GetDataType()
		case "Cast":
			kind = int32(attribute(n, "to").GetI())
		case "Shape", "Size", "ArgMax", "ArgMin", "NonZero":
			kind = typeInt64
		case "And", "Equal", "Greater", "GreaterOrEqual", "IsInf", "IsNaN", "Less", "LessOrEqual", "Not", "Or", "Xor":
			kind = typeBool
		case "Where":
			if len(n.Input) == 3 {
				kind = found[n.Input[1]]
			}
		default:
			if len(n.Input) > 0 {
				kind = found[n.Input[0]]
			}
		}
		for _, out := range n.Output {
			found[out] = kind
		}
	}
	return found
}

func (g *Graph) widen() error {
	for i, t := range g.graph().Initializer {
		wide, err := widened(t)
		if err != nil {
			return err
		}
		g.graph().Initializer[i] = wide
	}
	for _, n := range g.graph().Node {
		for _, a := range n.Attribute {
			var err error
			if a.T, err = widened(a.T); err != nil {
				return err
			}
		}
	}
	return nil
}

func widened(t *onnx.Tensor) (*onnx.Tensor, error) {
	if t == nil || t.GetDataType() != typeHalf {
		return t, nil
	}
	values, err := floats(t)
	if err != nil {
		return nil, err
	}
	return floatTensor(t.GetName(), t.Dims, values), nil
}

// bypassCasts removes every Cast from float16 or float32 to either.
func (g *Graph) bypassCasts(types map[string]int32) error {
	instead := map[string]string{}
	var nodes []*onnx.Node
	for _, n := range g.graph().Node {
		for i, in := range n.Input {
			if x, ok := instead[in]; ok {
				n.Input[i] = x
			}
		}
		if n.GetOpType() == "Cast" {
			to := int32(attribute(n, "to").GetI())
			if isFloat(types[n.Input[0]]) && isFloat(to) {
				instead[n.Output[0]] = n.Input[0]
				continue
			}
			if to == typeHalf {
				attribute(n, "to").I = proto.Int64(typeFloat)
			}
		}
		nodes = append(nodes, n)
	}
	g.graph().Node = nodes
	if made, ok := instead[g.output]; ok {
		return g.rename(made, g.output)
	}
	return nil
}

func isFloat(kind int32) bool { return kind == typeFloat || kind == typeHalf }

// rename changes the name of a tensor that a node produces.
func (g *Graph) rename(from, to string) error {
	if g.producers()[from] == nil {
		return unsupported("the output %q is not computed by the graph", to)
	}
	for _, n := range g.graph().Node {
		for _, list := range [][]string{n.Input, n.Output} {
			for i := range list {
				if list[i] == from {
					list[i] = to
				}
			}
		}
	}
	return nil
}
