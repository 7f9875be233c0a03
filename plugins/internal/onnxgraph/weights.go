package onnxgraph

import (
	"encoding/binary"
	"math"

	"google.golang.org/protobuf/proto"

	"bgremover.pro/plugins/internal/onnxgraph/onnx"
)

// convolution quantises the weights and the bias of a convolution whose input
// is quantised. Weights that the graph computes stay as they are.
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

// weightScale maps the largest weight of a channel to 127, but is never so small
// that the channel's bias would not fit into 32 bits.
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
