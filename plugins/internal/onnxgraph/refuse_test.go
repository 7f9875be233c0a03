package onnxgraph

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"pgregory.net/rapid"

	"bgremover.pro/plugins/internal/onnxgraph/onnx"
)

func TestParseRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(m *onnx.Model)
		says  string
	}{
		"no graph":          {func(m *onnx.Model) { m.Graph = nil }, "not an ONNX model"},
		"no opset":          {func(m *onnx.Model) { m.OpsetImport = nil }, "names no operator set"},
		"old opset":         {func(m *onnx.Model) { m.OpsetImport[0].Version = proto.Int64(7) }, "operator set 7"},
		"new opset":         {func(m *onnx.Model) { m.OpsetImport[0].Version = proto.Int64(99) }, "operator set 99"},
		"external data":     {func(m *onnx.Model) { m.Graph.Initializer[0].DataLocation = proto.Int32(1) }, "another file"},
		"unknown type":      {func(m *onnx.Model) { m.Graph.Initializer[0].DataType = proto.Int32(16) }, "element type 16"},
		"cut-off weights":   {func(m *onnx.Model) { m.Graph.Initializer[0].RawData = []byte{1, 2} }, "does not match its shape"},
		"huge shape":        {func(m *onnx.Model) { m.Graph.Initializer[0].Dims = []int64{1 << 20, 1 << 20} }, "impossible shape"},
		"foreign operator":  {func(m *onnx.Model) { m.Graph.Node[0].Domain = proto.String("com.example") }, "com.example"},
		"subgraph":          {func(m *onnx.Model) { m.Graph.Node[2].Attribute[0].G = &onnx.Graph{} }, "contains a subgraph"},
		"functions":         {func(m *onnx.Model) { m.ProtoReflect().SetUnknown([]byte{0xca, 0x01, 0}) }, "its own functions"},
		"no such output":    {func(m *onnx.Model) { m.Graph.Output = m.Graph.Output[:1] }, "no output"},
		"two inputs":        {func(m *onnx.Model) { m.Graph.Input = append(m.Graph.Input, value("more", 1)) }, "inputs are"},
		"incomplete":        {func(m *onnx.Model) { m.Graph.Node[0].Input = nil }, "incomplete"},
		"two of one output": {func(m *onnx.Model) { m.Graph.Node[0].Output[0] = "r1" }, "two operators produce"},
	} {
		t.Run(name, func(t *testing.T) {
			m := small()
			c.spoil(m)
			_, err := Parse(encode(t, m), "input", "output")
			var refused *UnsupportedError
			if !errors.As(err, &refused) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("it says %v, not %q", err, c.says)
			}
		})
	}
	file := encode(t, small())
	for cut := range len(file) - 1 {
		if g, err := Parse(file[:cut+1], "input", "output"); err == nil {
			// A cut between two fields leaves a whole message: it may only lack what came after.
			if _, err := g.Float32(); err == nil && len(g.graph().Output) < 2 {
				t.Errorf("a file cut off at %d of %d is accepted", cut+1, len(file))
			}
		}
	}
	if _, err := (&Graph{model: circle(), input: "input", output: "output"}).Float32(); err == nil {
		t.Error("a graph with a cycle is accepted")
	}
}

func circle() *onnx.Model {
	m := small()
	m.Graph.Node[0].Input[0] = "a1"
	return m
}

func FuzzEdits(f *testing.F) {
	f.Add(encode(f, small()))
	f.Add([]byte("not a model"))
	f.Fuzz(func(t *testing.T, file []byte) {
		g, err := Parse(file, "", "")
		if err != nil {
			return
		}
		single, err := g.Float32()
		if err != nil {
			return
		}
		if resized, err := single.Resized(128); err == nil {
			if h, w := resized.Size(); (h != 128 || w != 128) && h+w > 0 {
				t.Errorf("resized to %d x %d", w, h)
			}
		}
		if q, err := single.Quantized(rangesFor(single)); err == nil && len(q.graph().Node) < len(single.graph().Node) {
			t.Error("quantising lost nodes")
		}
	})
}

func TestFromHalf(t *testing.T) {
	for bits := range 1 << 16 {
		sign, exponent, fraction := 1-2*float64(bits>>15), bits>>10&0x1f, float64(bits&0x3ff)
		want := sign * math.Ldexp(1+fraction/1024, exponent-15)
		switch {
		case exponent == 0:
			want = sign * math.Ldexp(fraction/1024, -14)
		case exponent == 0x1f && fraction == 0:
			want = math.Inf(int(sign))
		case exponent == 0x1f:
			want = math.NaN()
		}
		got := float64(fromHalf(uint16(bits)))
		if got != want && !(math.IsNaN(got) && math.IsNaN(want)) || math.Signbit(got) != (bits>>15 == 1) && !math.IsNaN(want) {
			t.Fatalf("%#04x is %g, not %g", bits, got, want)
		}
	}
}

func TestHistogram(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		values := rapid.SliceOfN(rapid.Float32Range(-1000, 1000), 1, 500).Draw(rt, "values")
		split := rapid.IntRange(0, len(values)).Draw(rt, "split")
		share := rapid.Float64Range(0, 0.2).Draw(rt, "outside")
		h := &Histogram{}
		h.Add(values[:split])
		h.Add(append(values[split:], float32(math.NaN()), float32(math.Inf(1))))
		r := h.Range(share)
		if !(r.Min <= 0 && r.Max >= 0) {
			rt.Fatalf("%v does not hold 0", r)
		}
		var below, above, largest float64
		for _, v := range values {
			if v < r.Min {
				below++
			}
			if v > r.Max {
				above++
			}
			largest = max(largest, math.Abs(float64(v)))
		}
		if most := share * float64(len(values)); below > most || above > most {
			rt.Fatalf("%v leaves %g and %g of %d values out, at most %g may be", r, below, above, len(values), most)
		}
		bin := float32(largest / histogramBins * 2)
		if share == 0 && (r.Max > max(slices.Max(values), 0)+2*bin || r.Min < min(slices.Min(values), 0)-2*bin) {
			rt.Fatalf("%v is wider than %g to %g", r, slices.Min(values), slices.Max(values))
		}
	})
}
