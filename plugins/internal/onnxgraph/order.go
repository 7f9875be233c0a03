package onnxgraph

import "bgremover.pro/plugins/internal/onnxgraph/onnx"

// trim drops every node, weight and output that the wanted output does not
// need, and puts each node after those whose outputs it reads, which not every
// file does. The descriptions of intermediate tensors are dropped too: edits
// would make them wrong.
func (g *Graph) trim() error {
	nodes, err := g.ordered()
	if err != nil {
		return err
	}
	needed := map[string]bool{g.output: true}
	for _, n := range nodes {
		for _, in := range n.Input {
			needed[in] = true
		}
	}
	var weights []*onnx.Tensor
	for _, t := range g.graph().Initializer {
		if needed[t.GetName()] {
			weights = append(weights, t)
		}
	}
	g.graph().Node, g.graph().Initializer, g.graph().ValueInfo = nodes, weights, nil
	g.graph().Input = keep(g.graph().Input, g.input)
	g.graph().Output = keep(g.graph().Output, g.output)
	return nil
}

// ordered returns the nodes that the output needs, in an order in which they
// can run.
func (g *Graph) ordered() ([]*onnx.Node, error) {
	const entered, left = 1, 2
	producers, state := g.producers(), map[*onnx.Node]int{}
	var order []*onnx.Node
	var visit func(name string) error
	visit = func(name string) error {
		n := producers[name]
		switch {
		case n == nil || state[n] == left:
			return nil
		case state[n] == entered:
			return unsupported("the graph has a cycle at %s", name)
		}
		state[n] = entered
		for _, in := range n.Input {
			if err := visit(in); err != nil {
				return err
			}
		}
		state[n] = left
		order = append(order, n)
		return nil
	}
	return order, visit(g.output)
}

func keep(list []*onnx.ValueInfo, name string) []*onnx.ValueInfo {
	for _, v := range list {
		if v.GetName() == name {
			return []*onnx.ValueInfo{v}
		}
	}
	return nil
}
