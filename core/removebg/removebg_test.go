package removebg

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"image/color"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"bgremover.pro/core/cutout"
)

// codeOf is the code of an error, "" for none.
func codeOf(t interface {
	Helper()
	Fatalf(string, ...any)
}, err error) string {
	t.Helper()
	var e *Error
	if err == nil {
		return ""
	}
	if !errors.As(err, &e) || e.Code == "" || e.Title == "" {
		t.Fatalf("%#v is not an error of the API", err)
	}
	return e.Code
}

func px(n float64) cutout.Length      { return cutout.Length{Value: n} }
func percent(n float64) cutout.Length { return cutout.Length{Value: n, Percent: true} }

// show is what a request comes to, in words.
func show(r *Request) string {
	o, l := r.Options, r.Options.Layout
	var all []string
	add := func(is bool, format string, args ...any) {
		if is {
			all = append(all, fmt.Sprintf(format, args...))
		}
	}
	add(o.Format != cutout.PNG, "%s", o.Format)
	add(o.Output == cutout.Matte, "matte")
	add(o.Region != nil, "region %v", o.Region)
	add(l.Crop, "crop")
	add(l.Margins != [4]cutout.Length{}, "margins %v", l.Margins)
	add(l.Scale != 0, "scale %g", l.Scale)
	if l.Position != nil {
		add(true, "at %v", *l.Position)
	}
	add(l.MaxPixels != 250_000, "%d pixels", l.MaxPixels)
	if b := o.Background; b != nil {
		add(b.From != color.NRGBA{}, "on %v", b.From)
		add(b.From == color.NRGBA{}, "on a picture")
	}
	add(o.Shadow > 0, "shadow %g", o.Shadow)
	add(r.Type != "other", "type %q", r.Type)
	return strings.Join(all, ", ")
}

// Every parameter, with what it comes to ("" for what is there without it) or the
// code of its error.
func TestParameters(t *testing.T) {
	type cases map[string]string
	all := map[string]cases{
		"size": {
			"preview": "", "small": "", "regular": "", "Preview": "", "medium": "1500000 pixels", "hd": "4000000 pixels", "full": "10000000 pixels", "4k": "10000000 pixels", "4K": "10000000 pixels",
			"auto": "10000000 pixels", "50MP": "50000000 pixels", "huge": "!invalid_size", "25": "!invalid_size",
		},
		"type": {
			"auto": "", "other": "", "person": `type "person"`, "product": `type "product"`, "car": `type "car"`, "animal": `type "animal"`, "car_interior": `type "car_interior"`,
			"car_part": `type "car_part"`, "transportation": `type "transportation"`, "graphics": `type "graphics"`, "cat": "!invalid_type",
		},
		"type_level": {"1": "", "2": "", "latest": "", "none": `type ""`, "3": "!invalid_type_level"},
		"format":     {"auto": "", "png": "", "jpg": "jpeg", "JPG": "jpeg", "jpeg": "jpeg", "webp": "webp", "zip": "zip", "gif": "!invalid_format"},
		"roi": {
			"0% 0% 100% 100%": "", "0 0 100% 100%": "", "0px 0px 100% 100%": "", "10% 20% 30% 40%": "region &{{10 true} {20 true} {30 true} {40 true}}",
			"10px 20px 300px 400px": "region &{{10 false} {20 false} {300 false} {400 false}}", "10 20 300 400": "region &{{10 false} {20 false} {300 false} {400 false}}",
			"1.5% 0 50% 20px": "region &{{1.5 true} {0 false} {50 true} {20 false}}",
			"0 0 101% 100%":   "!roi_exceeds_bounds", "50% 0 50% 100%": "!roi_region_empty", "20px 20px 10px 30px": "!roi_region_empty", "0 0 0 0": "!roi_region_empty",
			"0 0 100%": "!invalid_roi", "0 0 1 1 1": "!invalid_roi", "a b c d": "!invalid_roi", "-1px 0 5px 5px": "!invalid_roi", "NaN 0 1 1": "!invalid_roi", "0 0 1e9 1": "!invalid_roi", "Inf 0 1 1": "!invalid_roi",
		},
		"crop": {"true": "crop", "True": "crop", "1": "crop", "yes": "crop", "false": "", "0": "", "False": "", "maybe": "!invalid_crop"},
		"crop_margin": {
			"0": "", "0px": "", "30px": "margins [{30 false} {30 false} {30 false} {30 false}]", "10%": "margins [{10 true} {10 true} {10 true} {10 true}]",
			"10px 5%": "margins [{10 false} {5 true} {10 false} {5 true}]", "1px 2px 3px 4px": "margins [{1 false} {2 false} {3 false} {4 false}]", "50% 500px": "margins [{50 true} {500 false} {50 true} {500 false}]",
			"1 2 3": "!invalid_crop_margin", "51%": "!invalid_crop_margin", "501px": "!invalid_crop_margin", "-1px": "!invalid_crop_margin", "1px 1px 1px 1px 1px": "!invalid_crop_margin", "1em": "!invalid_crop_margin",
		},
		"scale": {"original": "", "10%": "scale 0.1, at [0.5 0.5]", "100%": "scale 1, at [0.5 0.5]", "80%": "scale 0.8, at [0.5 0.5]", "9%": "!invalid_scale", "101%": "!invalid_scale", "0.8": "!invalid_scale", "50px": "!invalid_scale"},
		"position": {
			"original": "", "center": "at [0.5 0.5]", "20%": "at [0.2 0.2]", "20% 100%": "at [0.2 1]", "0 0": "at [0 0]",
			"101%": "!invalid_position", "20px": "!invalid_position", "top": "!invalid_position", "1% 1% 1%": "!invalid_position",
		},
		"channels":         {"rgba": "", "alpha": "matte", "RGBA": "", "rgb": "!invalid_channels"},
		"add_shadow":       {"true": "shadow 0.5", "false": "", "2": "!invalid_add_shadow"},
		"shadow_type":      {"none": "", "auto": "shadow 0.5", "car": "shadow 0.5", "3D": "shadow 0.5", "drop": "shadow 0.5", "long": "!invalid_shadow_type"},
		"shadow_opacity":   {"0": "", "50": "", "100": "", "101": "!invalid_shadow_opacity", "-1": "!invalid_shadow_opacity", "much": "!invalid_shadow_opacity"},
		"semitransparency": {"true": "", "false": "", "half": "!invalid_semitransparency"},
		"bg_color": {
			"fff": "jpeg, on {255 255 255 255}, 250000 pixels", "81d4fa": "jpeg, on {129 212 250 255}", "#81D4FA": "jpeg, on {129 212 250 255}", "81d4fa77": "on {129 212 250 119}", "f008": "on {255 0 0 136}",
			"green": "jpeg, on {0 128 0 255}", "Green": "jpeg, on {0 128 0 255}", "RebeccaPurple": "jpeg, on {102 51 153 255}", "rgba": "!invalid_bg_color", "12345": "!invalid_bg_color", "12": "!invalid_bg_color", "00000000": "", "transparent": "", "ggg": "!invalid_bg_color",
		},
		"bg_image_url": {"http://a.test/b": "jpeg, on a picture"},
	}
	all["bg_color"]["fff"] = "jpeg, on {255 255 255 255}"
	for _, name := range Parameters {
		given, own := all[name], map[string]bool{"image_file": true, "image_file_b64": true, "image_url": true, "bg_image_file": true}[name]
		if len(given) == 0 && !own {
			t.Errorf("%s has no row here", name)
		}
		for value, want := range given {
			r, err := Parse(map[string]string{name: value}, Files{Image: true})
			if code := codeOf(t, err); code != "" {
				if "!"+code != want {
					t.Errorf("%s=%s: %v", name, value, err)
				}
			} else if got := show(r); got != want {
				t.Errorf("%s=%s: %s, want %s", name, value, got, want)
			}
		}
		if own {
			continue
		}
		for _, unset := range []string{"", " "} {
			if r, err := Parse(map[string]string{name: unset}, Files{Image: true}); err != nil || show(r) != "" {
				t.Errorf("%s=%q: %v", name, unset, err)
			}
		}
	}
}

// Parameters together.
func TestRequests(t *testing.T) {
	for fields, want := range map[string]string{
		"": "!missing_source", "image_url=http://a/b": "", "image_url=a&image_file_b64=b": "!multiple_sources",
		"image_file_b64=x&bg_color=red&bg_image_url=u":       "!multiple_bg_sources",
		"image_url=u&scale=50%25&position=original":          "scale 0.5",
		"image_url=u&scale=50%25&position=0 100%25":          "scale 0.5, at [0 1]",
		"image_url=u&crop=true&crop_margin=5px":              "crop, margins [{5 false} {5 false} {5 false} {5 false}]",
		"image_url=u&size=full&format=jpg":                   "jpeg, 25000000 pixels",
		"image_url=u&size=full&format=zip":                   "zip, 25000000 pixels",
		"image_url=u&size=full&format=webp":                  "webp, 25000000 pixels",
		"image_url=u&size=full&bg_color=red":                 "jpeg, 25000000 pixels, on {255 0 0 255}",
		"image_url=u&format=jpg&bg_color=ff000080":           "jpeg, on {255 127 127 255}",
		"image_url=u&format=png&bg_color=red":                "on {255 0 0 255}",
		"image_url=u&channels=alpha&bg_color=red&format=jpg": "jpeg, matte",
		"image_url=u&channels=alpha&add_shadow=true":         "matte",
		"image_url=u&channels=alpha&format=zip":              "zip",
		"image_url=u&add_shadow=true&type=person":            `type "person"`,
		"image_url=u&add_shadow=true&type=car":               `shadow 0.5, type "car"`,
		"image_url=u&shadow_type=drop&shadow_opacity=30":     "shadow 0.3",
		"image_url=u&unknown=1&X=2":                          "",
		"image_url=u&type=person&type_level=none":            `type ""`,
		"image_file_b64=given&size=regular&crop=false&roi=0 0 100%25 100%25&type_level=none&format=auto&channels=rgba": `type ""`,
	} {
		parsed, err := url.ParseQuery(fields)
		if err != nil {
			t.Fatal(err)
		}
		given := map[string]string{}
		for name := range parsed {
			given[name] = parsed.Get(name)
		}
		r, err := Parse(given, Files{})
		if code := codeOf(t, err); code != "" {
			if "!"+code != want {
				t.Errorf("%s: %v", fields, err)
			}
		} else if got := show(r); got != want {
			t.Errorf("%s: %s, want %s", fields, got, want)
		}
	}
	if _, err := Parse(map[string]string{"image_url": "u"}, Files{Image: true}); codeOf(t, err) != "multiple_sources" {
		t.Error(err)
	}
	if _, err := Parse(map[string]string{"bg_color": "red"}, Files{Image: true, Background: true}); codeOf(t, err) != "multiple_bg_sources" {
		t.Error(err)
	}
	if r, err := Parse(nil, Files{Image: true, Background: true}); err != nil || show(r) != "jpeg, on a picture" {
		t.Errorf("%s, %v", show(r), err)
	}
}

func TestBodies(t *testing.T) {
	picture := "\x89PNG\xfb\xff\x00"
	b64, want := base64.StdEncoding.EncodeToString([]byte(picture)), map[string]string{"size": "full", "crop": "true", photoField: "given"}
	escaped := strings.ReplaceAll(strings.ReplaceAll(b64, "/", `\/`), "+", `\u002b`)
	for name, c := range map[string]struct{ kind, body string }{
		"JSON":                   {"application/json", `{"size":"full","crop":true,"image_file_b64":"` + b64 + `"}`},
		"JSON with a charset":    {"application/json; charset=utf-8", "\xef\xbb\xbf " + `{"image_file_b64":"` + b64 + `", "size" : "full" , "crop":true, "roi":null} `},
		"JSON with escapes":      {"application/json", `{"image_file_b64":"` + escaped + `","crop":"true","\u0073ize":"full"}`},
		"JSON as text":           {"text/plain;charset=UTF-8", `{"size":"full","crop":true,"image_file_b64":"` + b64 + `"}`},
		"JSON as a form":         {"application/x-www-form-urlencoded", `{"size":"full","crop":true,"image_file_b64":"` + b64 + `"}`},
		"JSON without a type":    {"", `{"size":"full","crop":true,"image_file_b64":"` + b64 + `"}`},
		"JSON, other parameters": {"", `{"size":"full","other":{"a":[1,"}"]},"crop":true,"more":[[]],"image_file_b64":"` + b64 + `"}`},
		"JSON, a data URL":       {"", `{"size":"full","crop":true,"image_file_b64":"data:image/png;base64,` + b64 + `"}`},
		"JSON, lines":            {"", `{"size":"full","crop":true,"image_file_b64":"` + b64[:4] + `\r\n` + b64[4:] + `\n"}`},
		"JSON, no padding":       {"", `{"size":"full","crop":true,"image_file_b64":"` + strings.TrimRight(b64, "=") + `"}`},
		"JSON, of URLs":          {"", `{"size":"full","crop":true,"image_file_b64":"` + base64.URLEncoding.EncodeToString([]byte(picture)) + `"}`},
		"form":                   {"application/x-www-form-urlencoded", "size=full&crop=true&image_file_b64=" + url.QueryEscape(b64)},
		"form, not quoted":       {"application/x-www-form-urlencoded", "image_file_b64=" + b64 + "&size=full&crop=true&other=1"},
		"form without a type":    {"", "size=full&crop=true&image_file_b64=" + url.QueryEscape(b64)},
	} {
		got, err := ReadBody(c.kind, []byte(c.body))
		if err != nil || string(got.Image) != picture || !maps.Equal(got.Fields, want) {
			t.Errorf("%s: %q, %v, %v", name, got.Image, got.Fields, err)
		}
	}
	for body, code := range map[string]string{
		`{`: "invalid_request", `{"size":["a"]}`: "invalid_request", `{"image_file_b64":"*"}`: "failed_to_read_image", `{"image_file_b64":"A"}`: "failed_to_read_image",
		`{"image_file_b64":"data:image/png,AA"}`: "failed_to_read_image", `{"size":"` + strings.Repeat("x", longestValue) + `"}`: "invalid_request", "size=%zz": "invalid_request",
		"image_file_b64=%zz": "failed_to_read_image", `{"image_file_b64":5}`: "", "": "", "{}": "", "photo": "",
	} {
		if got, err := ReadBody("", []byte(body)); codeOf(t, err) != code {
			t.Errorf("%.50s: %+v, %v", body, got, err)
		}
	}
	if _, err := ReadBody("application/json", []byte("size=1")); codeOf(t, err) != "invalid_request" {
		t.Error(err)
	}
}

// Decoding is that of the standard library.
func TestBase64(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		data := rapid.SliceOf(rapid.Byte()).Draw(t, "data")
		text := base64.StdEncoding.EncodeToString(data)
		if got, err := DecodeBase64([]byte(text)); err != nil || !slices.Equal(got, data) {
			t.Fatalf("%v, %v", got, err)
		}
	})
}

// FuzzParse: whatever is sent, the result is an error of the API, or options within
// their bounds.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"50% 50%", "0 0 100% 100%", "10px", "81d4fa77", "1e-5%", "NaN%", "0x10px", "+5%", "1_0%"} {
		for i := range Parameters {
			f.Add(byte(i), s)
		}
	}
	f.Fuzz(func(t *testing.T, which byte, s string) {
		name := Parameters[int(which)%len(Parameters)]
		r, err := Parse(map[string]string{name: s, "image_url": "u"}, Files{})
		if codeOf(t, err) != "" {
			return
		}
		l := r.Options.Layout
		if l.Scale != 0 && !(0.1 <= l.Scale && l.Scale <= 1) || l.MaxPixels < 250_000 || l.MaxPixels > 50_000_000 || !(0 <= r.Options.Shadow && r.Options.Shadow <= 1) {
			t.Errorf("%s=%q: %+v, %v", name, s, l, r.Options.Shadow)
		}
		if p := l.Position; p != nil && !(0 <= p[0] && p[0] <= 1 && 0 <= p[1] && p[1] <= 1) {
			t.Errorf("%s=%q: %v", name, s, *p)
		}
		for _, m := range l.Margins {
			if !(0 <= m.Value && m.Value <= maxMarginPixels) {
				t.Errorf("%s=%q: %v", name, s, l.Margins)
			}
		}
		if region := r.Options.Region; region != nil {
			if box, err := region.In(1000, 700); err == nil && (box.Empty() || box.Min.X < 0 || box.Min.Y < 0 || box.Max.X > 1000 || box.Max.Y > 700) {
				t.Errorf("%s=%q: %v", name, s, box)
			}
		}
	})
}

// FuzzReadBody: JSON is read as encoding/json reads it.
func FuzzReadBody(f *testing.F) {
	for _, s := range []string{`{"size":"full"}`, `{"crop":true,"a":[{"b":"}"}],"roi":"\"\\"}`, "size=1&crop=%20", `{"image_file_b64":"QUJD\/\u002b\n"}`, `{"a":1,"size":-1e5,"size":null}`, "\xef\xbb\xbf{}"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := ReadBody("", []byte(s))
		if codeOf(t, err) != "" {
			return
		}
		var want map[string]any
		if json.Unmarshal([]byte(s), &want) != nil {
			return
		}
		for name, value := range want {
			text, is := value.(string)
			if is && name != photoField && slices.Contains(Parameters, name) && strings.Count(s, "size") < 2 && !repeated(s, name) && got.Fields[name] != text {
				t.Errorf("%s is %q, want %q", name, got.Fields[name], text)
			}
			if is && name == photoField && !repeated(s, name) {
				plain, err := base64.StdEncoding.DecodeString(text)
				if err == nil && string(plain) != string(got.Image) {
					t.Errorf("the photo is %q, want %q", got.Image, plain)
				}
			}
		}
	})
}

// repeated says that a name may stand in an object twice.
func repeated(s, name string) bool { return strings.Count(s, name) > 1 || strings.Contains(s, `\u`) }

func TestRegions(t *testing.T) {
	for name, c := range map[string]struct {
		region cutout.Region
		want   string
	}{
		"all":     {cutout.Region{Right: percent(100), Bottom: percent(100)}, "(0,0)-(200,100)"},
		"pixels":  {cutout.Region{Left: px(10), Top: px(20), Right: px(200), Bottom: px(100)}, "(10,20)-(200,100)"},
		"mixed":   {cutout.Region{Left: px(10), Top: percent(50), Right: percent(50), Bottom: px(99)}, "(10,50)-(100,99)"},
		"outside": {cutout.Region{Right: px(201), Bottom: px(100)}, cutout.ErrRegionOutside.Message},
		"empty":   {cutout.Region{Left: percent(60), Right: px(10), Bottom: px(10)}, cutout.ErrRegionEmpty.Message},
		"none":    {cutout.Region{Left: px(3.1), Right: px(3.2), Bottom: px(10)}, cutout.ErrRegionEmpty.Message},
	} {
		box, err := c.region.In(200, 100)
		got := fmt.Sprint(box)
		if err != nil {
			got = cutout.MessageOf(err)
		}
		if got != c.want {
			t.Errorf("%s: %s", name, got)
		}
	}
}
