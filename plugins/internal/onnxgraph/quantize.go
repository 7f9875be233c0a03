package onnxgraph

import (
	"encoding/binary"
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
	q.sharePassedOn()
	if err := q.rewrite(); err != nil {
		return nil, err
	}
	return out, out.trim()
}

// Activations names the tensors to be quantised, and so to be measured: the
// input, and what the operators of a convolutional network make, except between
// a convolution and the Relu that alone reads it, and except behind the last
// convolution, whose answer keeps its precision. The graph is a Float32 one.
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

// tail finds the nodes from the last convolution to the output, where nothing
// but one thing after the other happens.
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

func stepOf(r Range) step {
	scale := (r.Max - r.Min) / 255
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

// sharePassedOn gives what MaxPool and Resize make the step of what they read,
// whose range they never leave: then they need no arithmetic of their own.
func (q *quantizer) sharePassedOn() {
	for _, n := range q.graph.graph().Node {
		if op := n.GetOpType(); op != "MaxPool" && op != "Resize" {
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

// afterwards puts the pair of nodes behind a tensor that is to be quantised.
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

// convolution quantises the weights and the bias of a convolution whose input
// is quantised. Weights that are computed, not given, stay as they are.
func (q *quantizer) convolution(n *onnx.Node) error {
	in, ok := q.steps[n.Input[0]]
	weights := q.weights[n.Input[1]]
	if !ok || weights == nil || len(weights.Dims) < 2 || weights.GetDataType() != typeFloat {
		return nil
	}
	var bias []float32
	if len(n.Input) > 2 && n.Input[2] != "" {
		t := q.weights[n.Input[2]]
		if t == nil {
			return nil
		}
		var err error
		if bias, err = floats(t); err != nil {
			return err
		}
	}
	scales, err := q.weight(n, weights, bias, in.scale)
	if err != nil || bias == nil {
		return err
	}
	q.bias(n, bias, scales, in.scale)
	return nil
}

// weight makes the weights of a convolution signed 8-bit integers, symmetric
// around 0, with a scale for each output channel, and returns the scales.
func (q *quantizer) weight(n *onnx.Node, t *onnx.Tensor, bias []float32, input float32) (float32s, error) {
	name := t.GetName() + "/dequantized"
	if scales, ok := q.ready[t.GetName()]; ok {
		n.Input[1] = name
		return scales, nil
	}
	values, err := floats(t)
	if err != nil {
		return nil, err
	}
	channels := int(t.Dims[0])
	if channels < 1 || len(values)%channels != 0 || bias != nil && len(bias) != channels {
		return nil, unsupported("convolution %s has weights of an impossible shape", n.GetName())
	}
	each := len(values) / channels
	scales, raw := make(float32s, channels), make([]byte, len(values))
	for c := range channels {
		part := values[c*each : (c+1)*each]
		scales[c] = weightScale(part, bias, c, input)
		for i, v := range part {
			raw[c*each+i] = byte(int8(min(max(math.RoundToEven(float64(v/scales[c])), -127), 127)))
		}
	}
	dims := []int64{int64(channels)}
	integers := q.add(rawTensor(t.GetName()+"/int8", typeInt8, t.Dims, raw))
	scale := q.add(floatTensor(t.GetName()+"/scale", dims, scales))
	zero := q.add(rawTensor(t.GetName()+"/zero", typeInt8, dims, make([]byte, channels)))
	q.nodes = append(q.nodes, perChannel(node("DequantizeLinear", name, integers, scale, zero)))
	q.ready[t.GetName()] = scales
	n.Input[1] = name
	return scales, nil
}

// weightScale lets the largest weight of a channel be 127, but is never so
// small that the channel's bias would not fit into 32 bits.
func weightScale(part, bias []float32, channel int, input float32) float32 {
	var largest float32
	for _, v := range part {
		largest = max(largest, float32(math.Abs(float64(v))))
	}
	scale := largest / 127
	if bias != nil {
		scale = max(scale, float32(math.Abs(float64(bias[channel])))/input/(1<<30))
	}
	return max(scale, 1e-20)
}

// bias makes a bias 32-bit integers in units of the products it is added to.
func (q *quantizer) bias(n *onnx.Node, values []float32, scales float32s, input float32) {
	base := n.Output[0] + "/bias"
	products, raw := make(float32s, len(values)), make([]byte, 0, 4*len(values))
	for c, v := range values {
		products[c] = input * scales[c]
		whole := math.RoundToEven(float64(v) / float64(products[c]))
		raw = binary.LittleEndian.AppendUint32(raw, uint32(int32(min(max(whole, math.MinInt32), math.MaxInt32))))
	}
	dims := []int64{int64(len(values))}
	integers := q.add(rawTensor(base+"/int32", typeInt32, dims, raw))
	scale := q.add(floatTensor(base+"/scale", dims, products))
	zero := q.add(rawTensor(base+"/zero", typeInt32, dims, make([]byte, 4*len(values))))
	q.nodes = append(q.nodes, perChannel(node("DequantizeLinear", base, integers, scale, zero)))
	n.Input[2] = base
}

func perChannel(n *onnx.Node) *onnx.Node {
	const attributeInt = 2
	n.Attribute = []*onnx.Attribute{{Name: proto.String("axis"), I: proto.Int64(0), Type: proto.Int32(attributeInt)}}
	return n
}

// sameSince11 are operators that mean in operator set 13, in which scales per
// channel came, what they meant in 11 and 12.
var sameSince11 = map[string]bool{
	"Add": true, "AveragePool": true, "BatchNormalization": true, "Cast": true, "Concat": true, "Constant": true,
	"ConstantOfShape": true, "Conv": true, "ConvTranspose": true, "Div": true, "Exp": true, "Flatten": true,
	"Gather": true, "GlobalAveragePool": true, "Identity": true, "LeakyRelu": true, "MaxPool": true, "Mul": true,
	"Neg": true, "Pad": true, "Relu": true, "Reshape": true, "Resize": true, "Shape": true, "Sigmoid": true,
	"Slice": true, "Sqrt": true, "Sub": true, "Tanh": true, "Transpose": true,
}

func (g *Graph) liftOpset() error {
	version, err := g.opset()
	if err != nil || version >= 13 {
		return err
	}
	for _, n := range g.graph().Node {
		if !sameSince11[n.GetOpType()] {
			return unsupported("operator %s of operator set %d may mean something else in 13", n.GetOpType(), version)
		}
	}
	for _, o := range g.model.OpsetImport {
		if d := o.GetDomain(); d == "" || d == "ai.onnx" {
			o.Version = proto.Int64(13)
		}
	}
	// Files of operator set 13 have at least this version.
	g.model.IrVersion = proto.Int64(max(g.model.GetIrVersion(), 7))
	return nil
}
