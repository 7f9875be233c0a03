// Package onnxgraph edits ONNX graphs of image-to-mask networks, without
// running them: it brings half-precision graphs to float32, gives them another
// input size and quantises them to 8-bit integers. It knows the operators that
// convolutional networks are made of, and says why it rejects any other graph.
package onnxgraph

import (
	"fmt"

	"google.golang.org/protobuf/proto"

	"bgremover.pro/plugins/internal/onnxgraph/onnx"
)

// The element types of ONNX tensors that matter here.
const (
	typeFloat = 1
	typeUint8 = 2
	typeInt8  = 3
	typeInt32 = 6
	typeInt64 = 7
	typeBool  = 9
	typeHalf  = 10
)

// The operator sets whose meaning is known here.
const (
	oldestOpset = 11
	newestOpset = 23
)

// Graph is a network with one picture as input and one mask as output.
type Graph struct {
	model         *onnx.Model
	input, output string
}

// UnsupportedError says why a graph cannot be edited.
type UnsupportedError struct{ Reason string }

func (e *UnsupportedError) Error() string { return e.Reason }

func unsupported(format string, args ...any) error {
	return &UnsupportedError{fmt.Sprintf(format, args...)}
}

// Parse reads an ONNX file. The input and output are found by their names, or
// are the first ones where a name is empty. The error is an *UnsupportedError.
func Parse(file []byte, input, output string) (*Graph, error) {
	model := &onnx.Model{}
	if err := proto.Unmarshal(file, model); err != nil {
		return nil, unsupported("the file is not an ONNX model, or is truncated")
	}
	g := &Graph{model: model, input: input, output: output}
	if err := g.check(); err != nil {
		return nil, err
	}
	return g, nil
}

// Bytes returns the graph as an ONNX file.
func (g *Graph) Bytes() ([]byte, error) {
	return proto.MarshalOptions{Deterministic: true}.Marshal(g.model)
}

// Clone returns a copy that can be edited separately. Weights that an edit
// replaces are replaced, never changed in place, so they are shared.
func (g *Graph) Clone() *Graph {
	c := *g
	weights := g.graph().Initializer
	g.graph().Initializer = nil
	c.model = proto.CloneOf(g.model)
	g.graph().Initializer = weights
	c.graph().Initializer = append([]*onnx.Tensor(nil), weights...)
	return &c
}

func (g *Graph) graph() *onnx.Graph { return g.model.Graph }

func (g *Graph) check() error {
	switch {
	case g.model.Graph == nil || len(g.model.Graph.Node) == 0:
		return unsupported("the file is not an ONNX model, or is empty")
	case len(unknown(g.model, fieldFunctions)) > 0:
		return unsupported("the model defines its own functions, which are not supported")
	}
	if _, err := g.opset(); err != nil {
		return err
	}
	for _, t := range g.graph().Initializer {
		if err := checkTensor(t); err != nil {
			return err
		}
	}
	made := map[string]bool{}
	for _, n := range g.graph().Node {
		if err := checkNode(n); err != nil {
			return err
		}
		for _, out := range n.Output {
			if made[out] && out != "" {
				return unsupported("two operators produce the tensor %s", out)
			}
			made[out] = true
		}
	}
	return g.findEnds()
}

// findEnds determines the input and the output.
func (g *Graph) findEnds() error {
	weights := g.initializers()
	var inputs []string
	for _, in := range g.graph().Input {
		if weights[in.GetName()] == nil { // older files list their weights as inputs too
			inputs = append(inputs, in.GetName())
		}
	}
	if g.input == "" && len(inputs) > 0 {
		g.input = inputs[0]
	}
	if g.output == "" && len(g.graph().Output) > 0 {
		g.output = g.graph().Output[0].GetName()
	}
	if len(inputs) != 1 || inputs[0] != g.input {
		return unsupported("the model's inputs are %q, not just %q", inputs, g.input)
	}
	for _, out := range g.graph().Output {
		if out.GetName() == g.output {
			return nil
		}
	}
	return unsupported("the model has no output %q", g.output)
}

// least is the least number of inputs of an operator; others have any number.
var least = map[string]int{
	"Add": 2, "Cast": 1, "Concat": 1, "Conv": 2, "MaxPool": 1, "Relu": 1, "Resize": 1, "Sigmoid": 1,
}

func checkNode(n *onnx.Node) error {
	if len(n.Output) == 0 || len(n.Input) < least[n.GetOpType()] || n.GetOpType() == "Cast" && attribute(n, "to") == nil {
		return unsupported("operator %s %s is incomplete", n.GetOpType(), n.GetName())
	}
	if d := n.GetDomain(); d != "" && d != "ai.onnx" {
		return unsupported("operator %s of %s is not supported", n.GetOpType(), d)
	}
	for _, a := range n.Attribute {
		if a.G != nil || len(a.Graphs) > 0 {
			return unsupported("operator %s contains a subgraph, which is not supported", n.GetOpType())
		}
		for _, t := range append(a.Tensors, a.T) {
			if err := checkTensor(t); err != nil {
				return err
			}
		}
	}
	return nil
}

func (g *Graph) opset() (int64, error) {
	for _, o := range g.model.OpsetImport {
		if d := o.GetDomain(); d != "" && d != "ai.onnx" {
			continue // nodes that use it are refused by name
		}
		if v := o.GetVersion(); v < oldestOpset || v > newestOpset {
			return 0, unsupported("operator set %d is not supported; %d to %d are", v, oldestOpset, newestOpset)
		}
		return o.GetVersion(), nil
	}
	return 0, unsupported("the model names no operator set")
}

const fieldFunctions = 25

// Input and Output are the names of the input and output tensors.
func (g *Graph) Input() string  { return g.input }
func (g *Graph) Output() string { return g.output }

// Size returns the height and width of the input, 0 if they are open.
func (g *Graph) Size() (height, width int) {
	for _, in := range g.graph().Input {
		dims := in.GetType().GetTensorType().GetShape().GetDim()
		if in.GetName() == g.input && len(dims) == 4 {
			return int(dims[2].GetDimValue()), int(dims[3].GetDimValue())
		}
	}
	return 0, 0
}

func (g *Graph) initializers() map[string]*onnx.Tensor {
	found := make(map[string]*onnx.Tensor, len(g.graph().Initializer))
	for _, t := range g.graph().Initializer {
		found[t.GetName()] = t
	}
	return found
}

// producers maps each tensor to the node that produces it.
func (g *Graph) producers() map[string]*onnx.Node {
	found := map[string]*onnx.Node{}
	for _, n := range g.graph().Node {
		for _, out := range n.Output {
			found[out] = n
		}
	}
	return found
}

// consumers maps each tensor to the nodes that read it.
func (g *Graph) consumers() map[string][]*onnx.Node {
	found := map[string][]*onnx.Node{}
	for _, n := range g.graph().Node {
		for _, in := range n.Input {
			if in != "" {
				found[in] = append(found[in], n)
			}
		}
	}
	return found
}

func attribute(n *onnx.Node, name string) *onnx.Attribute {
	for _, a := range n.Attribute {
		if a.GetName() == name {
			return a
		}
	}
	return nil
}
