package rembg

import (
	"encoding/json"
	"errors"
	"fmt"
	"image/color"
	"maps"
	"strings"
	"testing"
)

func installed(model string) bool { return model == "isnet" || model == "birefnet-portrait" }

func show(r *Request) string {
	o := r.Options
	s := fmt.Sprintf("%s %s %s", o.Model, o.Output, o.Edges)
	if o.Background != nil {
		s += fmt.Sprint(o.Background.From)
	}
	if o.Region != nil {
		s += fmt.Sprint(*o.Region)
	}
	for _, p := range o.Keep {
		s += fmt.Sprintf(" +%g,%g", p.X, p.Y)
	}
	for _, p := range o.Remove {
		s += fmt.Sprintf(" -%g,%g", p.X, p.Y)
	}
	return strings.TrimSpace(s)
}

// Every parameter, in the query and in the form.
func TestParameters(t *testing.T) {
	all := map[string]map[string]string{
		"model": {
			"u2net": "", "u2netp": "", "silueta": "", "isnet-general-use": "isnet", "isnet": "isnet", "birefnet-general": "", "birefnet-portrait": "birefnet-portrait", "sam": "", "bria-rmbg": "",
			"u2net_cloth_seg": "!value_error", "isnet-anime": "!value_error", "nothing": "!string_pattern_mismatch", "../u2net": "!string_pattern_mismatch",
		},
		"a":  {"true": "", "True": "", "1": "", "on": "", "false": "", "0": "", "no": "", "maybe": "!bool_parsing"},
		"af": {"0": "", "240": "", "255": "", "256": "!less_than_equal", "-1": "!greater_than_equal", "x": "!int_parsing", "1.5": "!int_parsing"},
		"ab": {"0": "", "10": "", "255": "", "256": "!less_than_equal", "-1": "!greater_than_equal", "x": "!int_parsing"},
		"ae": {"0": "", "10": "", "999": "", "-1": "!greater_than_equal", "x": "!int_parsing"},
		"om": {"true": "mask", "false": "", "2": "!bool_parsing"}, "ppm": {"true": "hard", "false": "", "x": "!bool_parsing"},
		"dc": {"true": "", "false": "", "x": "!bool_parsing"}, "vm": {"true": "", "false": "", "x": "!bool_parsing"},
		"bgc": {
			"255,0,0,255": "{255 0 0 255}", "1, 2, 3, 4": "{1 2 3 4}", "1,2,3": "{1 2 3 255}", "(0,0,0,0)": "{0 0 0 0}",
			"256,0,0,0": "!value_error", "red": "!value_error", "1,2": "!value_error", "1,2,3,4,5": "!value_error", "-1,0,0,0": "!value_error",
		},
		"extras": {
			"{}": "", "{bad": "", `{"model_path":"/etc/passwd"}`: "", `[]`: "", `{"sam_prompt":[{"type":"point","data":[5,6],"label":1},{"type":"point","data":[7,8],"label":0}]}`: "+5,6 -7,8",
			`{"sam_prompt":[{"type":"rectangle","data":[1,2,3,4],"label":1}]}`: "{{1 false} {2 false} {3 false} {4 false}}",
			`{"sam_prompt":[{"type":"circle","data":[1]}]}`:                    "!value_error", `{"sam_prompt":[{"type":"point","data":[1e9,1],"label":1}]}`: "!value_error", `{"sam_prompt":5}`: "!value_error",
			`{"sam_prompt":[` + strings.Repeat(`{"type":"point","data":[1,1],"label":1},`, mostPrompts) + `{"type":"point","data":[1,1],"label":1}]}`: "!value_error",
		},
		"url": {"http://a.test/b": ""},
	}
	for _, name := range Parameters {
		if len(all[name]) == 0 && name != "file" {
			t.Errorf("%s has no row here", name)
		}
		for value, want := range all[name] {
			given := map[string]string{name: value}
			with := maps.Clone(given)
			with["url"] = "http://a.test/b"
			for where, v := range map[string]Values{"form": {Form: given}, "query": {Query: given}, "GET": {Query: with, Get: true}} {
				r, err := Parse(v, where != "GET", installed)
				if err != nil {
					problems := problemsOf(t, err)
					if loc := problems[0].Where; "!"+problems[0].Type != want || loc[1] != name || (loc[0] == "body") != (where == "form") {
						t.Errorf("%s=%s in the %s: %v", name, value, where, err)
					}
				} else if got := show(r); got != want {
					t.Errorf("%s=%s in the %s: %q, want %q", name, value, where, got, want)
				}
			}
		}
		if r, err := Parse(Values{Query: map[string]string{name: ""}, Form: map[string]string{name: ""}}, true, installed); err != nil || show(r) != "" {
			t.Errorf("%s unset: %v", name, err)
		}
	}
	r, err := Parse(Values{Query: map[string]string{"om": "true", "bgc": "1,2,3,4"}, Form: map[string]string{"om": "false", "ppm": "1"}}, true, installed)
	if err != nil || show(r) != "hard{1 2 3 4}" {
		t.Errorf("the form counts: %v, %v", r, err)
	}
	if r, err := Parse(Values{Query: map[string]string{"om": "true", "bgc": "1,2,3,4"}}, true, installed); err != nil || show(r) != "mask" {
		t.Errorf("a mask has no background: %v, %v", r, err)
	}
}

// Errors are those of FastAPI, byte for byte.
func TestErrors(t *testing.T) {
	for want, v := range map[string]Values{
		`[{"type":"missing","loc":["query","url"],"msg":"Field required","input":null}]`: {Get: true},
		`[{"type":"missing","loc":["body","file"],"msg":"Field required","input":null}]`: {},
		`[{"type":"missing","loc":["body","file"],"msg":"Field required","input":null},{"type":"int_parsing","loc":["body","af"],"msg":"Input should be a valid integer, unable to parse string as an integer","input":"x"}]`: {Form: map[string]string{"af": "x"}},
		`[{"type":"missing","loc":["body","file"],"msg":"Field required","input":null},{"type":"less_than_equal","loc":["query","ab"],"msg":"Input should be less than or equal to 255","input":"300","ctx":{"le":255}}]`:     {Query: map[string]string{"ab": "300"}},
		`[{"type":"missing","loc":["body","file"],"msg":"Field required","input":null},{"type":"bool_parsing","loc":["body","om"],"msg":"Input should be a valid boolean, unable to interpret input","input":"x"}]`:           {Form: map[string]string{"om": "x"}},
	} {
		_, err := Parse(v, false, installed)
		got, _ := json.Marshal(err)
		if string(got) != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

// FuzzParse: whatever is sent, it is refused with a place and a sentence, or the
// options are within their bounds.
func FuzzParse(f *testing.F) {
	for i := range Parameters {
		for _, s := range []string{"true", "255", "1,2,3,4", "u2net", `{"sam_prompt":[{"type":"point","data":[1,2],"label":1}]}`, `{"sam_prompt":[{"type":"rectangle","data":[0,0,1e5,-0]}]}`} {
			f.Add(byte(i), s)
		}
	}
	f.Fuzz(func(t *testing.T, which byte, s string) {
		r, err := Parse(Values{Form: map[string]string{Parameters[int(which)%len(Parameters)]: s}}, true, installed)
		if err != nil {
			for _, p := range problemsOf(t, err) {
				if p.Type == "" || len(p.Where) != 2 || p.Message == "" {
					t.Errorf("%q: %+v", s, p)
				}
			}
			return
		}
		if len(r.Options.Keep)+len(r.Options.Remove) > mostPrompts || r.Options.Model != "" && !installed(r.Options.Model) {
			t.Errorf("%q: %+v", s, r.Options)
		}
		if b := r.Options.Background; b != nil && b.From == (color.NRGBA{}) && !strings.ContainsAny(s, "0") {
			t.Errorf("%q: %+v", s, b)
		}
	})
}

func problemsOf(t *testing.T, err error) ValidationError {
	t.Helper()
	var v ValidationError
	if !errors.As(err, &v) || len(v) == 0 {
		t.Fatal(err)
	}
	return v
}
