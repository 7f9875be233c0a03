package ort

import (
	"os"
	"slices"
	"testing"

	ort "github.com/yalue/onnxruntime_go"
	"google.golang.org/protobuf/proto"

	"bgremover.pro/core/cutout"
	"bgremover.pro/plugins/internal/onnxgraph"
	"bgremover.pro/plugins/internal/onnxgraph/onnx"
	"bgremover.pro/plugins/internal/plugintest"
	"bgremover.pro/plugins/internal/samples"
)

// compute runs a graph that has one input and one output.
func compute(t *testing.T, g *onnxgraph.Graph, input ort.Value) []float32 {
	t.Helper()
	content, err := g.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	session, err := ort.NewDynamicAdvancedSessionWithONNXData(content, []string{g.Input()}, []string{g.Output()}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = session.Destroy() }()
	output := []ort.Value{nil}
	if err := session.Run([]ort.Value{input}, output); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = output[0].Destroy() }()
	return slices.Clone(output[0].(*ort.Tensor[float32]).GetData())
}

// planes makes one tensor of some pictures, as a server gets them.
func planes(t *testing.T, pictures ...*cutout.Input) ort.Value {
	t.Helper()
	size := int64(pictures[0].Width)
	var all []uint8
	for _, p := range pictures {
		split := make([]uint8, len(p.Pix))
		samples.Split(split, p.Pix, 3)
		all = append(all, split...)
	}
	value, err := ort.NewTensor(ort.NewShape(int64(len(pictures)), 3, size, size), all)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = value.Destroy() })
	return value
}

// A graph normalises bytes to the very floats that a backend computes for it.
func TestBytesBecomeTheSameFloats(t *testing.T) {
	backend(t)
	in := ramp()
	for _, opset := range []int64{13, 18} {
		for _, m := range []cutout.Model{
			{Scale: 256, Mean: [3]float32{0.5, 0.5, 0.5}, Std: [3]float32{1, 1, 1}},
			{Scale: 255, Mean: [3]float32{0.485, 0.456, 0.406}, Std: [3]float32{0.229, 0.224, 0.225}},
			{Scale: 0, Mean: [3]float32{0.485, 0.456, 0.406}, Std: [3]float32{0.229, 0.224, 0.225}},
		} {
			shape := []int64{1, 3, 8, 8}
			file, err := oneNode("Identity", []value{{"x", elementFloat32, shape}}, []value{{"y", elementFloat32, shape}})
			if err != nil {
				t.Fatal(err)
			}
			var parsed onnx.Model
			if err := proto.Unmarshal(file, &parsed); err != nil {
				t.Fatal(err)
			}
			parsed.OpsetImport[0].Version = proto.Int64(opset)
			if file, err = proto.Marshal(&parsed); err != nil {
				t.Fatal(err)
			}
			g, err := onnxgraph.Parse(file, "x", "y")
			if err != nil {
				t.Fatal(err)
			}
			if g, err = g.FromBytes(m.Scale, m.Mean, m.Std); err != nil {
				t.Fatal(err)
			}
			want := samples.Planes{Single: make([]float32, len(in.Pix))}
			want.Fill(in.Pix, m, 1)
			if got := compute(t, g, planes(t, in)); !slices.Equal(got, want.Single) {
				t.Errorf("operator set %d, %+v: got %v…, want %v…", opset, m, got[:4], want.Single[:4])
			}
		}
	}
}

// Of two pictures at once, each gets the output that it gets alone, from the default
// model in the installed precision, which is the GPU's.
func TestPicturesAtOnce(t *testing.T) {
	backend(t)
	m := plugintest.ISNet(t)
	file, err := os.ReadFile(m.Variants[0].File)
	if err != nil {
		t.Fatal(err)
	}
	g, err := onnxgraph.Parse(file, m.Input, m.Output)
	for _, edit := range []func() (*onnxgraph.Graph, error){
		func() (*onnxgraph.Graph, error) { return g.Trimmed() },
		func() (*onnxgraph.Graph, error) { return g.Resized(256) },
		func() (*onnxgraph.Graph, error) { return g.FromBytes(m.Scale, m.Mean, m.Std) },
		func() (*onnxgraph.Graph, error) { return g.AnyBatch() },
	} {
		if err != nil {
			t.Fatal(err)
		}
		g, err = edit()
	}
	if err != nil {
		t.Fatal(err)
	}
	one, two := disc(256, 80), disc(256, 110)
	both := compute(t, g, planes(t, one, two))
	for i, alone := range [][]float32{compute(t, g, planes(t, one)), compute(t, g, planes(t, two))} {
		far := float32(0)
		for j, v := range both[i*len(alone) : (i+1)*len(alone)] {
			far = max(far, v-alone[j], alone[j]-v)
		}
		t.Logf("picture %d: at most %g from what it gets alone", i, far)
		if far > 1.0/255 {
			t.Errorf("picture %d is %g from what it gets alone", i, far)
		}
	}
	if slices.Equal(both[:len(both)/2], both[len(both)/2:]) {
		t.Error("both pictures get the same output")
	}
}

// disc is a light disc before a dark background.
func disc(size, radius int) *cutout.Input {
	in := &cutout.Input{Width: size, Height: size, Pix: make([]uint8, 3*size*size)}
	for i := range size * size {
		x, y := i%size-size/2, i/size-size/2
		for c := range 3 {
			in.Pix[3*i+c] = 40
			if x*x+y*y < radius*radius {
				in.Pix[3*i+c] = uint8(220 - 30*c)
			}
		}
	}
	return in
}
