package ort

import (
	"slices"
	"testing"

	"bgremover.pro/core/cutout"
)

func TestChosenVariants(t *testing.T) {
	derived := []cutout.Variant{
		{Size: 512, Precision: "int8"}, {Size: 768, Precision: "int8"},
		{Size: 1024, Precision: "int8"}, {Size: 1024, Precision: "fp16"},
	}
	for name, test := range map[string]struct {
		variants []cutout.Variant
		floats   bool
		want     []cutout.Variant
	}{
		"processor":          {derived, false, derived[:3]},
		"GPU":                {derived, true, derived[3:]},
		"GPU, integers only": {derived[:3], true, derived[:3]},
		"as published":       {derived[3:], false, derived[3:]},
	} {
		t.Run(name, func(t *testing.T) {
			if got := chosen(test.variants, test.floats); !slices.Equal(got, test.want) {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}
