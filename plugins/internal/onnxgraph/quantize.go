package onnxgraph

import (
	"math"

	"google.golang.org/protobuf/proto"

	"bgremover.pro/plugins/internal/onnxgraph/onnx"
)

// Range is the span of values that a tensor takes in practice; it includes 0.
type Range struct{ Min, Max float32 }

// Ranges holds the measured ranges of tensors, by name.
type Ranges map[string]Range

// Quantized returns a float32 graph with its convolutions in 8-bit integers,
// in the form that runtimes fuse into integer kernels: a QuantizeLinear and a
// DequantizeLinear after each tensor of Activations, with weights as signed
// integers per output channel, activations as unsigned ones per tensor, and
// biases in 32 bits. (Jacob et al. 2018, Quantization and Training of Neural
// Networks for Efficient Integer-Arithmetic-Only Inference.)
func (g *Graph) Quantized(ranges Ranges) (*Graph, error) {
	out := g.Clone()
	if err := out.liftOpset(); err != nil {
		return nil, err
	}
	q := &quantizer{graph: out, weights: out.initializers(), steps: map[string]step{}, ready: map[string]float32s{}}
	for _, name := range out.Activations() {
		r, ok := ranges[name]
		if !ok || !(r.Min <= 0 && r.Max >= 0 && r.Max-r.Min > 0) || math.IsInf(float64(r.Max-r.Min), 0) {
			return nil, unsupported("the measured ranges do not fit the graph: %s has none", name)
		}
		q.steps[name] = stepOf(r)
	}
	q.exactSums(ranges)
	q.sharePassedOn()
	if err := q.rewrite(); err != nil {
		return nil, err
	}
	return out, out.trim()
}

// Activations names the tensors to be quantised, and so to be measured: the input,
// and the outputs of a convolutional network's operators, except between a
// convolution and a Relu that alone reads it, and except after the last
// convolution, whose output keeps its precision. The graph must be a Float32 one.
func (g *Graph) Activations() []string {
	types, consumers, tail := g.types(), g.consumers(), g.tail()
	names := []string{g.input}
	for _, n := range g.graph().Node {
		out := n.Output[0]
		switch n.GetOpType() {
		case "Conv":
			if next := consumers[out]; len(next) == 1 && next[0].GetOpType() == "Relu" {
				continue
			}
		case "Relu", "MaxPool", "Resize", "Add", "Concat", "AveragePool", "GlobalAveragePool", "LeakyRelu":
		default:
			continue
		}
		if types[out] == typeFloat && !tail[n] {
			names = append(names, out)
		}
	}
	return names
}

// tail finds the nodes from the last convolution to the output, if they form a
// simple chain.
func (g *Graph) tail() map[*onnx.Node]bool {
	producers := g.producers()
	tail := map[*onnx.Node]bool{}
	for n := producers[g.output]; n != nil && len(n.Input) > 0; n = producers[n.Input[0]] {
		switch n.GetOpType() {
		case "Conv":
			tail[n] = true
			return tail
		case "Resize", "Sigmoid", "Identity", "Squeeze", "Clip", "Cast", "Softmax":
			tail[n] = true
		default:
			return tail
		}
	}
	return tail
}

// step is how a tensor's values become integers: q = round(x/scale) + zero.
type step struct {
	scale float32
	zero  uint8
}

func stepOf(r Range) step { return stepWith((r.Max-r.Min)/255, r) }

func stepWith(scale float32, r Range) step {
	return step{scale, uint8(min(max(math.RoundToEven(float64(-r.Min/scale)), 0), 255))}
}

type float32s = []float32

type quantizer struct {
	graph   *Graph
	weights map[string]*onnx.Tensor
	steps   map[string]step     // of the tensors to be quantised
	ready   map[string]float32s // scales of the weights done so far
	nodes   []*onnx.Node
}

// exactSums makes the steps that sums read and write a little larger, by 6 % at most,
// so that float32 holds every number on the way from one to the other. Runtimes
// compute sums in ways that round differently (with ratios of scales, with fused
// multiplication and addition); one level in a million differs then, and the
// convolutions after it spread that over the whole mask. Steps that two sums share
// keep to the first.
func (q *quantizer) exactSums(ranges Ranges) {
	producers, done := q.graph.producers(), map[string]bool{}
	for _, n := range q.graph.graph().Node {
		if n.GetOpType() != "Add" {
			continue
		}
		a, b, sum := q.source(n.Input[0], producers), q.source(n.Input[1], producers), n.Output[0]
		if q.steps[a].scale == 0 || q.steps[b].scale == 0 || q.steps[sum].scale == 0 || done[a] || done[b] || done[sum] {
			continue
		}
		whole := roundedUp(q.steps[sum].scale)
		q.steps[sum] = stepWith(whole, ranges[sum])
		for _, in := range []string{a, b} {
			q.steps[in] = stepWith(whole*roundedUp(q.steps[in].scale/whole), ranges[in])
			done[in] = true
		}
		done[sum] = true
	}
}

// source is the tensor whose step another has.
func (q *quantizer) source(name string, producers map[string]*onnx.Node) string {
	for {
		n := producers[name]
		if n == nil || !passesOn(n) || q.steps[n.Input[0]].scale == 0 {
			return name
		}
		name = n.Input[0]
	}
}

// passesOn reports whether a node's output has no range but its input's.
func passesOn(n *onnx.Node) bool { return n.GetOpType() == "MaxPool" || n.GetOpType() == "Resize" }

// roundedUp returns the next number that has six significant bits: two such, a level
// and the carry of a sum need 21 of the 24 that float32 has.
func roundedUp(x float32) float32 {
	const bits = 6
	fraction, exponent := math.Frexp(float64(x))
	return float32(math.Ldexp(math.Ceil(math.Ldexp(fraction, bits)), exponent-bits))
}

// sharePassedOn gives the outputs of MaxPool and Resize the step of their inputs,
// whose range they never leave: then they need no arithmetic of their own.
func (q *quantizer) sharePassedOn() {
	for _, n := range q.graph.graph().Node {
		if !passesOn(n) {
			continue
		}
		from, ok := q.steps[n.Input[0]]
		if _, quantized := q.steps[n.Output[0]]; ok && quantized {
			q.steps[n.Output[0]] = from
		}
	}
}

func (q *quantizer) rewrite() error {
	nodes := q.graph.graph().Node
	q.afterwards(q.graph.input)
	for _, n := range nodes {
		if n.GetOpType() == "Conv" {
			if err := q.convolution(n); err != nil {
				return err
			}
		}
		for i, in := range n.Input {
			if _, ok := q.steps[in]; ok {
				n.Input[i] = dequantized(in)
			}
		}
		q.nodes = append(q.nodes, n)
		for _, out := range n.Output {
			q.afterwards(out)
		}
	}
	q.graph.graph().Node = q.nodes
	return nil
}

func dequantized(name string) string { return name + "/dequantized" }

// afterwards adds the pair of nodes after a tensor that is to be quantised.
func (q *quantizer) afterwards(name string) {
	s, ok := q.steps[name]
	if !ok {
		return
	}
	scale := q.add(floatTensor(name+"/scale", nil, []float32{s.scale}))
	zero := q.add(rawTensor(name+"/zero", typeUint8, nil, []byte{s.zero}))
	q.nodes = append(q.nodes,
		node("QuantizeLinear", name+"/quantized", name, scale, zero),
		node("DequantizeLinear", dequantized(name), name+"/quantized", scale, zero))
}

func (q *quantizer) add(t *onnx.Tensor) string {
	q.graph.graph().Initializer = append(q.graph.graph().Initializer, t)
	return t.GetName()
}

func node(op, out string, in ...string) *onnx.Node {
	return &onnx.Node{OpType: &op, Name: proto.String(out), Output: []string{out}, Input: in}
}
