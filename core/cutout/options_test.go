package cutout_test

import (
	"image/color"
	"testing"

	"bgremover.pro/core/cutout"
)

func TestBackgrounds(t *testing.T) {
	white, blue := color.NRGBA{R: 255, G: 255, B: 255, A: 255}, color.NRGBA{R: 0x88, G: 0xaa, B: 0xff, A: 255}
	for s, want := range map[string]cutout.Background{
		"#ffffff":               {From: white, To: white},
		"fff":                   {From: white, To: white},
		"#fff,#88aaff":          {From: white, To: blue, Degrees: 180},
		"#ffffff,#88aaff,-22.5": {From: white, To: blue, Degrees: -22.5},
		"blur":                  {Blur: cutout.UsualBlur},
		"blur,10":               {Blur: 10},
		"blur,100":              {Blur: 100},
	} {
		got, err := cutout.ParseBackground(s)
		if err != nil || got.From != want.From || got.To != want.To || got.Degrees != want.Degrees || got.Blur != want.Blur || got.Picture != nil {
			t.Errorf("%s: %+v, %v", s, got, err)
		}
	}
	if none, err := cutout.ParseBackground(""); none != nil || err != nil {
		t.Errorf("nothing: %v, %v", none, err)
	}
	for _, s := range []string{"red", "#ffff", "#ggg", ",", "#fff,", "#fff,#000,", "#fff,#000,NaN", "#fff,#000,361", "#fff,#000,1,2", "Blur"} {
		if b, err := cutout.ParseBackground(s); cutout.CodeOf(err) != cutout.Invalid {
			t.Errorf("%s: %+v, %v", s, b, err)
		}
	}
}

func TestPercentages(t *testing.T) {
	for s, want := range map[string]float64{"0": 0, "5": 0.05, "12.5": 0.125, "100": 1} {
		crop, err := cutout.ParseCrop(s)
		if err != nil || *crop != want {
			t.Errorf("crop %s: %v, %v", s, crop, err)
		}
		if shadow, err := cutout.ParseShadow(s); err != nil || shadow != want {
			t.Errorf("shadow %s: %v, %v", s, shadow, err)
		}
	}
	if crop, err := cutout.ParseCrop(""); crop != nil || err != nil {
		t.Errorf("no crop: %v, %v", crop, err)
	}
	for _, s := range []string{"-1", "101", "5%", "NaN", "Inf", " 5", "0x"} {
		if _, err := cutout.ParseCrop(s); cutout.CodeOf(err) != cutout.Invalid {
			t.Errorf("crop %s: %v", s, err)
		}
		if _, err := cutout.ParseShadow(s); cutout.CodeOf(err) != cutout.Invalid {
			t.Errorf("shadow %s: %v", s, err)
		}
	}
}
