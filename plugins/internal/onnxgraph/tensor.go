package onnxgraph

import (
	"encoding/binary"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"bgremover.pro/plugins/internal/onnxgraph/onnx"
)

// checkTensor refuses weights that are not in the file, and types that the edits do
// not support. A nil tensor is fine.
func checkTensor(t *onnx.Tensor) error {
	if t == nil {
		return nil
	}
	if t.GetDataLocation() != 0 || len(t.ExternalData) > 0 {
		return unsupported("the weights are in another file, which is not supported")
	}
	count := elements(t)
	if count < 0 {
		return unsupported("tensor %s has an impossible shape", t.GetName())
	}
	var width int
	switch t.GetDataType() {
	case typeFloat, typeInt32:
		width = 4
	case typeHalf:
		width = 2
	case typeInt64, 11: // float64
		width = 8
	case typeUint8, typeInt8, 9: // bool
		width = 1
	default:
		return unsupported("tensor %s has the element type %d, which is not supported", t.GetName(), t.GetDataType())
	}
	if t.RawData != nil && len(t.RawData) != count*width {
		return unsupported("the data of tensor %s does not match its shape", t.GetName())
	}
	return nil
}

// elements returns how many elements a tensor has by its shape, or -1.
func elements(t *onnx.Tensor) int {
	count := int64(1)
	for _, d := range t.Dims {
		if d < 0 || d > 1<<31 || count*d > 1<<31 {
			return -1
		}
		count *= d
	}
	return int(count)
}

// floats returns the values of a float32 or float16 tensor.
func floats(t *onnx.Tensor) ([]float32, error) {
	count, half := elements(t), t.GetDataType() == typeHalf
	if !half && t.GetDataType() != typeFloat ||
		t.RawData == nil && len(t.FloatData) != count && !half ||
		t.RawData == nil && len(t.Int32Data) != count && half {
		return nil, unsupported("the data of tensor %s does not match its shape and type", t.GetName())
	}
	out := make([]float32, count)
	for i := range out {
		switch {
		case half && t.RawData != nil:
			out[i] = fromHalf(binary.LittleEndian.Uint16(t.RawData[2*i:]))
		case half:
			out[i] = fromHalf(uint16(t.Int32Data[i]))
		case t.RawData != nil:
			out[i] = math.Float32frombits(binary.LittleEndian.Uint32(t.RawData[4*i:]))
		default:
			out[i] = t.FloatData[i]
		}
	}
	return out, nil
}

// integers returns the values of an int64 tensor.
func integers(t *onnx.Tensor) ([]int64, error) {
	count := elements(t)
	switch {
	case t.GetDataType() != typeInt64:
	case t.RawData != nil:
		out := make([]int64, count)
		for i := range out {
			out[i] = int64(binary.LittleEndian.Uint64(t.RawData[8*i:]))
		}
		return out, nil
	case len(t.Int64Data) == count:
		return t.Int64Data, nil
	}
	return nil, unsupported("tensor %s holds no 64-bit integers", t.GetName())
}

func floatTensor(name string, dims []int64, values []float32) *onnx.Tensor {
	raw := make([]byte, 0, 4*len(values))
	for _, v := range values {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
	}
	return rawTensor(name, typeFloat, dims, raw)
}

func integerTensor(name string, dims []int64, values []int64) *onnx.Tensor {
	raw := make([]byte, 0, 8*len(values))
	for _, v := range values {
		raw = binary.LittleEndian.AppendUint64(raw, uint64(v))
	}
	return rawTensor(name, typeInt64, dims, raw)
}

func rawTensor(name string, kind int32, dims []int64, raw []byte) *onnx.Tensor {
	return &onnx.Tensor{Name: &name, DataType: &kind, Dims: dims, RawData: raw}
}

// fromHalf converts a float16, given by its bits, exactly.
func fromHalf(bits uint16) float32 {
	sign := uint32(bits&0x8000) << 16
	exponent, fraction := uint32(bits>>10&0x1f), uint32(bits&0x3ff)
	switch exponent {
	case 0: // zero, or too small for an exponent
		v := float32(fraction) * 0x1p-24
		return math.Float32frombits(math.Float32bits(v) | sign)
	case 0x1f: // infinite, or not a number
		return math.Float32frombits(sign | 0xff<<23 | fraction<<13)
	}
	return math.Float32frombits(sign | (exponent+127-15)<<23 | fraction<<13)
}

// unknown returns the raw bytes of a field that the trimmed format leaves out.
func unknown(m proto.Message, number protowire.Number) []byte {
	for rest := []byte(m.ProtoReflect().GetUnknown()); len(rest) > 0; {
		n, _, length := protowire.ConsumeField(rest)
		if length < 0 {
			return nil
		}
		if n == number {
			return rest[:length]
		}
		rest = rest[length:]
	}
	return nil
}
