package main

import (
	"encoding/binary"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"

	"bgremover.pro/core/cutout"
	"bgremover.pro/plugins/internal/samples"
	"bgremover.pro/plugins/openinference/oip"
)

// Data types of the protocol.
const (
	fp32   = "FP32"
	fp16   = "FP16"
	uint8s = "UINT8" // of an input: the graph normalises samples itself
)

// fits returns how the servers name the requested model, and checks that it fits.
// Servers may report nothing about tensors: then the model's own names are used,
// and FP32. Code: Invalid.
func fits(spec cutout.Model, size int, name string, about *oip.ModelMetadataResponse) (remote, error) {
	r := remote{name: name, input: spec.Input, output: spec.Output, datatype: fp32}
	side := int64(size)
	input, err := find(name, "input", spec.Input, about.Inputs, []int64{1, 3, side, side}, fp32, fp16, uint8s)
	if err != nil {
		return r, err
	}
	output, err := find(name, "output", spec.Output, about.Outputs, []int64{1, -1, side, side}, fp32, fp16)
	if err != nil {
		return r, err
	}
	r.reported = input != nil && output != nil
	if input != nil {
		r.input, r.datatype = input.Name, input.Datatype
	}
	if output != nil {
		r.output = output.Name
	}
	if r.input == "" || r.output == "" {
		return r, cutout.Errorf(cutout.Invalid, "the servers do not report the tensors of model %s; give their names in the model's description (input and output)", name)
	}
	return r, nil
}

type tensor = oip.ModelMetadataResponse_TensorMetadata

// find returns the tensor of a name, or the first for none; nil if the
// servers list none at all.
func find(model, what, name string, list []*tensor, shape []int64, types ...string) (*tensor, error) {
	if len(list) == 0 {
		return nil, nil
	}
	i := slices.IndexFunc(list, func(t *tensor) bool { return name == "" || t.Name == name })
	if i < 0 {
		return nil, cutout.Errorf(cutout.Invalid, "the servers' model %s has no %s %q", model, what, name)
	}
	t := list[i]
	if !slices.Contains(types, t.Datatype) {
		return nil, cutout.Errorf(cutout.Invalid, "the servers' model %s: %s %q is %s; it can be %s", model, what, t.Name, t.Datatype, strings.Join(types, " or "))
	}
	if !agree(t.Shape, shape) {
		return nil, cutout.Errorf(cutout.Invalid, "the servers' model %s: %s %q has the shape %v, which does not fit %v",
			model, what, t.Name, t.Shape, shape)
	}
	return t, nil
}

// agree compares shapes; -1 fits everything, and leading ones may be missing.
func agree(have, want []int64) bool {
	for len(want) > len(have) && (want[0] == 1 || want[0] == -1) {
		want = want[1:]
	}
	if len(have) != len(want) {
		return false
	}
	for i := range have {
		if have[i] >= 0 && want[i] >= 0 && have[i] != want[i] {
			return false
		}
	}
	return true
}

// encode makes the request for a picture.
func (m *model) encode(at remote, input *cutout.Input) *oip.ModelInferRequest {
	raw := m.samples(at.datatype, input.Pix)
	return &oip.ModelInferRequest{
		ModelName: at.name,
		Inputs: []*oip.ModelInferRequest_InferInputTensor{{
			Name: at.input, Datatype: at.datatype,
			Shape: []int64{1, 3, int64(input.Height), int64(input.Width)},
		}},
		Outputs:          []*oip.ModelInferRequest_InferRequestedOutputTensor{{Name: at.output}},
		RawInputContents: [][]byte{raw},
	}
}

// samples are those of a picture as the tensor's type wants them.
func (m *model) samples(datatype string, pix []uint8) []byte {
	threads := runtime.GOMAXPROCS(0)
	switch datatype {
	case uint8s:
		raw := make([]byte, len(pix))
		samples.Split(raw, pix, threads)
		return raw
	case fp16:
		half := make([]uint16, len(pix))
		samples.Planes{Half: half}.Fill(pix, m.spec, threads)
		raw := make([]byte, 0, 2*len(half))
		for _, v := range half {
			raw = binary.LittleEndian.AppendUint16(raw, v)
		}
		return raw
	}
	single := make([]float32, len(pix))
	samples.Planes{Single: single}.Fill(pix, m.spec, threads)
	raw := make([]byte, 0, 4*len(single))
	for _, v := range single {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
	}
	return raw
}

// decode finds the wanted output in an answer, and checks that it has a value
// for each pixel, or several planes of them for class scores.
func (m *model) decode(at remote, answer *oip.ModelInferResponse, pixels int) (samples.Planes, error) {
	broken := func(format string, args ...any) (samples.Planes, error) {
		return samples.Planes{}, fmt.Errorf("a broken mask: "+format, args...)
	}
	i := slices.IndexFunc(answer.Outputs, func(t *oip.ModelInferResponse_InferOutputTensor) bool { return t.Name == at.output })
	if i < 0 {
		return broken("the answer has no output %q", at.output)
	}
	var values samples.Planes
	switch t := answer.Outputs[i]; {
	case i >= len(answer.RawOutputContents):
		values.Single = t.GetContents().GetFp32Contents()
	case t.Datatype == fp32 && len(answer.RawOutputContents[i])%4 == 0:
		raw := answer.RawOutputContents[i]
		values.Single = make([]float32, len(raw)/4)
		for j := range values.Single {
			values.Single[j] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*j:]))
		}
	case t.Datatype == fp16 && len(answer.RawOutputContents[i])%2 == 0:
		raw := answer.RawOutputContents[i]
		values.Half = make([]uint16, len(raw)/2)
		for j := range values.Half {
			values.Half[j] = binary.LittleEndian.Uint16(raw[2*j:])
		}
	default:
		return broken("output %q holds %d bytes of %s", t.Name, len(answer.RawOutputContents[i]), t.Datatype)
	}
	n := len(values.Single) + len(values.Half)
	if n == 0 || n%pixels != 0 || n != pixels && m.spec.Post != cutout.PostArgmax {
		return broken("output %q holds %d values for %d pixels", at.output, n, pixels)
	}
	return values, nil
}
