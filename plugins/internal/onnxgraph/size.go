package onnxgraph

import (
	"google.golang.org/protobuf/proto"

	"bgremover.pro/plugins/internal/onnxgraph/onnx"
)

// Resized returns the graph for a square input of another size. Sizes that the
// graph's Resize nodes have as constants are scaled with it; only a run can show
// whether the graph contains other numbers that depend on its size.
func (g *Graph) Resized(size int) (*Graph, error) {
	out := g.Clone()
	height, width := g.Size()
	if height != width {
		return nil, unsupported("the input is not square: %d x %d", width, height)
	}
	if size == height {
		return out, nil
	}
	if height > 0 {
		if err := out.scaleResizes(size, height); err != nil {
			return nil, err
		}
	}
	for _, v := range append(out.graph().Input, out.graph().Output...) {
		dims := v.GetType().GetTensorType().GetShape().GetDim()
		for i := max(len(dims)-2, 0); i < len(dims); i++ {
			dims[i].Value = &onnx.Dimension_DimValue{DimValue: int64(size)}
		}
	}
	return out, nil
}

func (g *Graph) scaleResizes(size, was int) error {
	producers, weights := g.producers(), g.initializers()
	done := map[string]bool{}
	for _, n := range g.graph().Node {
		if n.GetOpType() != "Resize" || len(n.Input) < 4 || n.Input[3] == "" {
			continue // its scales are factors, which fit any size
		}
		// Either one constant [n, c, h, w], or a concatenation that ends with
		// the constants of h and w.
		parts := []string{n.Input[3]}
		if p := producers[n.Input[3]]; p != nil && p.GetOpType() == "Concat" {
			parts = p.Input
		}
		for left := 2; left > 0 && len(parts) > 0; parts = parts[:len(parts)-1] {
			name := parts[len(parts)-1]
			t := constant(name, producers, weights)
			if t == nil {
				break // computed from the size of another tensor: fits any size
			}
			values, err := integers(t)
			if err != nil {
				return err
			}
			if done[name] {
				break
			}
			done[name] = true
			scaled := append([]int64(nil), values...)
			for i := len(scaled) - 1; i >= 0 && left > 0; i, left = i-1, left-1 {
				if scaled[i]*int64(size)%int64(was) != 0 {
					return unsupported("a %d-pixel input does not divide evenly: %d x %d / %d", size, scaled[i], size, was)
				}
				scaled[i] = scaled[i] * int64(size) / int64(was)
			}
			g.setConstant(name, integerTensor(t.GetName(), t.Dims, scaled), producers)
		}
	}
	return nil
}

// constant returns the tensor of an initializer or a Constant node, or nil.
func constant(name string, producers map[string]*onnx.Node, weights map[string]*onnx.Tensor) *onnx.Tensor {
	if n := producers[name]; n != nil && n.GetOpType() == "Constant" {
		return attribute(n, "value").GetT()
	}
	return weights[name]
}

func (g *Graph) setConstant(name string, t *onnx.Tensor, producers map[string]*onnx.Node) {
	if n := producers[name]; n != nil {
		attribute(n, "value").T = t
		return
	}
	t.Name = proto.String(name)
	for i, old := range g.graph().Initializer {
		if old.GetName() == name {
			g.graph().Initializer[i] = t
		}
	}
}
