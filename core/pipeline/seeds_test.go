package pipeline_test

import (
	"testing"

	"bgremover.pro/core/cutout"
)

// Points bring back what the model omitted, and take out what it invented, through
// the whole line; a point outside the photo is an error that says so.
func TestPointsCorrect(t *testing.T) {
	photo := filled(t, 320, 240, green)
	for name, c := range map[string]struct {
		keep, remove string
		code         cutout.Code
		middle, edge bool // whether the red square is subject, and the green around it
	}{
		"none":               {"", "", "", true, false},
		"remove, in pixels":  {"", "160,120", "", false, false},
		"keep, in per cent":  {"5%,5%", "", "", true, true},
		"outside":            {"320.5,10", "", cutout.Invalid, false, false},
		"outside, per cent":  {"", "10%,101%", cutout.Invalid, false, false},
		"on the very corner": {"", "320,240", "", true, false},
	} {
		var options cutout.Options
		var err error
		if options.Keep, err = cutout.ParsePoints("keep", c.keep); err != nil {
			t.Fatal(err)
		}
		if options.Remove, err = cutout.ParsePoints("remove", c.remove); err != nil {
			t.Fatal(err)
		}
		options.Output, options.Edges = cutout.Matte, cutout.Raw
		result, err := line(64<<20).Remove(t.Context(), cutout.Job{Upload: photo, Options: options})
		if cutout.CodeOf(err) != c.code {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil {
			continue
		}
		matte := pictureOf(t, result)
		if middle, edge := at(matte, 160, 120).R > 128, at(matte, 16, 12).R > 128; middle != c.middle || edge != c.edge {
			t.Errorf("%s: the square is subject: %v, the ground: %v", name, middle, edge)
		}
	}
}
