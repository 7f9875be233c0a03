package contract

import (
	"slices"

	"bgremover.pro/core/cutout"
	"bgremover.pro/plugins/contract/proto"
)

func toProto(m cutout.Model) *proto.Model {
	out := &proto.Model{
		Name: m.Name, Input: m.Input, Output: m.Output,
		Scale: m.Scale, Mean: m.Mean[:], Std: m.Std[:], Post: string(m.Post),
	}
	for _, v := range m.Variants {
		out.Variants = append(out.Variants, &proto.Variant{
			Size: uint32(v.Size), File: v.File, Sha256: v.SHA256, Precision: v.Precision,
		})
	}
	return out
}

func fromProto(m *proto.Model) (cutout.Model, error) {
	if len(m.GetMean()) != 3 || len(m.GetStd()) != 3 {
		return cutout.Model{}, cutout.Errorf(cutout.Invalid, "a model has three means and three deviations")
	}
	out := cutout.Model{
		Name: m.Name, Input: m.Input, Output: m.Output,
		Scale: m.Scale, Mean: [3]float32(m.Mean), Std: [3]float32(m.Std), Post: cutout.Post(m.Post),
	}
	for _, v := range m.Variants {
		out.Variants = append(out.Variants, cutout.Variant{
			Size: int(v.Size), File: v.File, SHA256: v.Sha256, Precision: v.Precision,
		})
	}
	return out, CheckModel(out)
}

var posts = []cutout.Post{cutout.PostNone, cutout.PostSigmoid, cutout.PostMinMax,
	cutout.PostSigmoidMinMax, cutout.PostArgmax}

// CheckModel reports whether a model's description is valid, without opening its
// files. Code: Invalid.
func CheckModel(m cutout.Model) error {
	switch {
	case m.Name == "":
		return cutout.Errorf(cutout.Invalid, "the model has no name")
	case len(m.Variants) == 0:
		return cutout.Errorf(cutout.Invalid, "model %s has no files", m.Name)
	case !slices.Contains(posts, m.Post):
		return cutout.Errorf(cutout.Invalid, "model %s: unknown post-processing %q", m.Name, m.Post)
	case !(m.Scale >= 0):
		return cutout.Errorf(cutout.Invalid, "model %s: its scale is below 0", m.Name)
	}
	for _, std := range m.Std {
		if !(std > 0) {
			return cutout.Errorf(cutout.Invalid, "model %s: a deviation is not above 0", m.Name)
		}
	}
	for _, v := range m.Variants {
		if v.Size < 1 || v.Size > MaxSize {
			return cutout.Errorf(cutout.Invalid, "model %s: an input of %d pixels a side; 1 to %d are possible", m.Name, v.Size, MaxSize)
		}
	}
	return nil
}
