package onnxgraph

import "google.golang.org/protobuf/proto"

// sameSince11 are operators that mean the same in operator set 13, which introduced
// scales per channel, as in 11 and 12.
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
