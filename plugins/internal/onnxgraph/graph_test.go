package onnxgraph

import (
	"bytes"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"pgregory.net/rapid"

	"bgremover.pro/plugins/internal/onnxgraph/onnx"
)

func TestFloat32(t *testing.T) {
	g := parse(t, small())
	before := encode(t, g.model)
	f, err := g.Float32()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(before, encode(t, g.model)) {
		t.Error("deriving changed the graph it derived from")
	}
	if !g.Halves() || f.Halves() {
		t.Errorf("of half precision: %v before, %v after", g.Halves(), f.Halves())
	}
	if k := kinds(f); slices.Contains(k, "Cast") || len(k) != 14 {
		t.Errorf("the nodes left are %v", k)
	}
	for _, w := range f.graph().Initializer {
		if w.GetDataType() == typeHalf || w.GetName() == "unused" {
			t.Errorf("tensor %s is left as it was", w.GetName())
		}
	}
	was, _ := floats(g.initializers()["w1"])
	is, err := floats(f.initializers()["w1"])
	if err != nil || !slices.Equal(was, is) {
		t.Errorf("the weights changed: %v, %v (%v)", was, is, err)
	}
	if len(f.graph().Output) != 1 || f.graph().Output[0].GetName() != "output" || f.producers()["output"].GetOpType() != "Sigmoid" {
		t.Errorf("the outputs are %v", f.graph().Output)
	}
	made := map[string]bool{"input": true}
	for _, n := range f.graph().Node {
		for _, in := range n.Input {
			if in != "" && !made[in] && f.initializers()[in] == nil {
				t.Errorf("%s reads %s before it is made", n.GetName(), in)
			}
		}
		made[n.Output[0]] = true
	}
}

// What a comparison gives is no float, so that its cast to one stays.
func TestFloat32OfComparisons(t *testing.T) {
	for _, kind := range []string{"Equal", "Not"} {
		m := small()
		g := parse(t, m)
		nodes := g.graph().Node
		last := nodes[len(nodes)-1].Output[0]
		compared := op(kind, "compared", last)
		if types := (&Graph{model: &onnx.Model{Graph: &onnx.Graph{Input: m.Graph.Input, Node: append(nodes, compared)}}}).types(); types["compared"] != typeBool {
			t.Errorf("%s gives the type %d", kind, types["compared"])
		}
	}
}

func TestResized(t *testing.T) {
	f, err := parse(t, small()).Float32()
	if err != nil {
		t.Fatal(err)
	}
	half, err := f.Resized(32)
	if err != nil {
		t.Fatal(err)
	}
	if h, w := half.Size(); h != 32 || w != 32 {
		t.Errorf("the input is %d x %d", w, h)
	}
	hw, _ := integers(attribute(half.producers()["hw"], "value").T)
	full, _ := integers(half.initializers()["full"])
	if !slices.Equal(hw, []int64{16, 16}) || !slices.Equal(full, []int64{1, 1, 32, 32}) {
		t.Errorf("the sizes became %v and %v", hw, full)
	}
	if two, _ := integers(half.initializers()["two"]); !slices.Equal(two, []int64{2}) {
		t.Errorf("a number that is no size became %v", two)
	}
	if hw, _ := integers(attribute(f.producers()["hw"], "value").T); !slices.Equal(hw, []int64{32, 32}) {
		t.Errorf("deriving changed the graph it derived from: %v", hw)
	}
	var refused *UnsupportedError
	if _, err := f.Resized(33); !errors.As(err, &refused) {
		t.Errorf("a size that does not divide gives %v", err)
	}
}

func TestQuantized(t *testing.T) {
	f, err := parse(t, small()).Float32()
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"input", "r1", "p1", "c2", "a1", "up", "cat"}
	if got := f.Activations(); !slices.Equal(got, want) {
		t.Errorf("the tensors to be quantised are %v, not %v", got, want)
	}
	ranges := rangesFor(f)
	q, err := f.Quantized(ranges)
	if err != nil {
		t.Fatal(err)
	}
	count := map[string]int{}
	for _, kind := range kinds(q) {
		count[kind]++
	}
	// One pair a tensor, and one more Dequantize for each of three weights and two biases.
	if count["QuantizeLinear"] != 7 || count["DequantizeLinear"] != 12 {
		t.Errorf("the nodes are %v", count)
	}
	scale := func(name string) float32 {
		v, err := floats(q.initializers()[name+"/scale"])
		if err != nil {
			t.Fatal(err)
		}
		return v[0]
	}
	if scale("p1") != scale("r1") || scale("up") != scale("a1") {
		t.Error("what MaxPool and Resize pass on changes its scale")
	}
	delete(ranges, "a1")
	if _, err := f.Quantized(ranges); err == nil || !strings.Contains(err.Error(), "a1") {
		t.Errorf("a range that is missing gives %v", err)
	}
	ranges["a1"] = Range{0, float32(math.Inf(1))}
	if _, err := f.Quantized(ranges); err == nil {
		t.Error("an infinite range is accepted")
	}
}

// Sums of integers are the same however a runtime rounds on its way to them.
func TestQuantizedSums(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		f, err := parse(t, small()).Float32()
		if err != nil {
			t.Fatal(err)
		}
		ranges := rangesFor(f)
		for _, name := range []string{"r1", "c2", "a1"} { // r1 is what p1 passes on
			ranges[name] = Range{-rapid.Float32Range(0, 50).Draw(rt, name), rapid.Float32Range(10, 50).Draw(rt, name)}
		}
		q, err := f.Quantized(ranges)
		if err != nil {
			t.Fatal(err)
		}
		step := func(name string) (scale, zero float32) {
			scales, err := floats(q.initializers()[name+"/scale"])
			if err != nil {
				t.Fatal(err)
			}
			return scales[0], float32(q.initializers()[name+"/zero"].RawData[0])
		}
		scaleA, zeroA := step("c2")
		scaleB, zeroB := step("p1")
		scale, zero := step("a1")
		if before := stepOf(ranges["a1"]).scale; scale < before || scale > 1.04*before {
			rt.Fatalf("the sum's step became %v from %v", scale, before)
		}
		a := rapid.Uint8().Draw(rt, "a")
		for b := range 256 {
			x, y := float32(a)-zeroA, float32(b)-zeroB
			exact := (float64(scaleA)*float64(x)+float64(scaleB)*float64(y))/float64(scale) + float64(zero)
			scaled := float32(float32(scaleA*x)+float32(scaleB*y)) / scale
			ratios := float32(float32(scaleA/scale)*x) + float32(float32(scaleB/scale)*y)
			if float64(scaled+zero) != exact || float64(ratios+zero) != exact {
				rt.Fatalf("%v and %v give %v, %v, %v", a, b, exact, scaled+zero, ratios+zero)
			}
		}
	})
}

// Weights and biases in integers are off by half a step at most.
func TestQuantizedWeights(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		channels := rapid.IntRange(1, 4).Draw(rt, "channels")
		number := rapid.Float32Range(-100, 100)
		weights := rapid.SliceOfN(number, channels*3, channels*3).Draw(rt, "weights")
		bias := rapid.SliceOfN(rapid.Float32Range(-1e4, 1e4), channels, channels).Draw(rt, "bias")
		top := rapid.Float32Range(0.01, 1000).Draw(rt, "top")
		m := small()
		m.Graph.Node = []*onnx.Node{op("Conv", "c", "input", "w", "b"), op("Relu", "r", "c"), op("Conv", "output", "r", "v")}
		m.Graph.Initializer = []*onnx.Tensor{
			floatTensor("w", []int64{int64(channels), 3, 1, 1}, weights), floatTensor("b", []int64{int64(channels)}, bias),
			floatTensor("v", []int64{1, int64(channels), 1, 1}, make([]float32, channels)),
		}
		q, err := parse(t, m).Quantized(Ranges{"input": {0, top}, "r": {0, 1}})
		if err != nil {
			rt.Fatal(err)
		}
		tensors := q.initializers()
		steps, _ := floats(tensors["w/scale"])
		for i, raw := range tensors["w/int8"].RawData {
			step := float64(steps[i/3])
			if off := math.Abs(float64(int8(raw))*step - float64(weights[i])); off > step*0.501 {
				rt.Fatalf("weight %g is off by %g, a step is %g", weights[i], off, step)
			}
		}
		products, _ := floats(tensors["c/bias/scale"])
		whole := tensors["c/bias/int32"].RawData
		for c, v := range bias {
			got := float64(int32(uint32(whole[4*c])|uint32(whole[4*c+1])<<8|uint32(whole[4*c+2])<<16|uint32(whole[4*c+3])<<24)) * float64(products[c])
			if off := math.Abs(got - float64(v)); off > float64(products[c])*0.501+math.Abs(float64(v))*1e-6 {
				rt.Fatalf("bias %g became %g", v, got)
			}
		}
	})
}

// Parsing and writing changes nothing, fields that the trimmed format does not
// know included; and no edit touches unrelated parts.
func TestNothingElseChanges(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m := small()
		for _, message := range []proto.Message{
			m, m.Graph, m.Graph.Node[0], m.Graph.Node[2].Attribute[0], m.Graph.Initializer[0],
			m.Graph.Input[0], m.Graph.Input[0].Type, m.Graph.Input[0].Type.TensorType.Shape.Dim[0], m.OpsetImport[0],
		} {
			if rapid.Bool().Draw(rt, "mark") {
				mark(message, rapid.SliceOfN(rapid.Byte(), 0, 20).Draw(rt, "value"))
			}
		}
		g := parse(t, m)
		written, err := g.Bytes()
		if err != nil {
			rt.Fatal(err)
		}
		again := &onnx.Model{}
		if err := proto.Unmarshal(written, again); err != nil || !proto.Equal(m, again) {
			rt.Fatalf("reading and writing changed the file (%v)", err)
		}
		f, err := g.Float32()
		if err != nil {
			rt.Fatal(err)
		}
		r, err := f.Resized(128)
		if err != nil {
			rt.Fatal(err)
		}
		q, err := r.Quantized(rangesFor(r))
		if err != nil {
			rt.Fatal(err)
		}
		for _, derived := range []*Graph{f, r, q} {
			made := derived.producers()
			for _, n := range m.Graph.Node {
				kept := made[n.Output[0]]
				if kept == nil || n.GetOpType() == "Cast" || n.Output[0] == "output" || n.Output[0] == "hw" {
					continue
				}
				if kept.GetOpType() != n.GetOpType() || !bytes.Equal(kept.ProtoReflect().GetUnknown(), n.ProtoReflect().GetUnknown()) || !equalAttributes(kept, n) {
					rt.Fatalf("%s changed from %v to %v", n.Output[0], n, kept)
				}
			}
			if !bytes.Equal(derived.model.ProtoReflect().GetUnknown(), m.ProtoReflect().GetUnknown()) {
				rt.Fatal("the file's metadata is lost")
			}
		}
	})
}

func equalAttributes(a, b *onnx.Node) bool {
	return slices.EqualFunc(a.Attribute, b.Attribute, func(x, y *onnx.Attribute) bool { return proto.Equal(x, y) })
}

// mark adds a field that the trimmed format does not know.
func mark(m proto.Message, value []byte) {
	field := protowire.AppendTag(nil, 99, protowire.BytesType)
	m.ProtoReflect().SetUnknown(protowire.AppendBytes(field, value))
}

// Older files are lifted to the operator set that knows scales per channel,
// where nothing else changes its meaning on the way.
func TestOpsetLifted(t *testing.T) {
	m := small()
	m.OpsetImport[0].Version = proto.Int64(11)
	f, err := parse(t, m).Float32()
	if err != nil {
		t.Fatal(err)
	}
	q, err := f.Quantized(rangesFor(f))
	if err != nil {
		t.Fatal(err)
	}
	was, _ := f.opset()
	if is, _ := q.opset(); was != 11 || is != 13 {
		t.Errorf("operator set %d became %d", was, is)
	}
	m.Graph.Node[16] = op("Softmax", "alpha", "last")
	if f, err = parse(t, m).Float32(); err != nil {
		t.Fatal(err)
	}
	var refused *UnsupportedError
	if _, err := f.Quantized(rangesFor(f)); !errors.As(err, &refused) || !strings.Contains(err.Error(), "Softmax") {
		t.Errorf("an operator that changed its meaning gives %v", err)
	}
}
