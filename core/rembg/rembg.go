// Package rembg reads requests as the server of the rembg library has them, and its
// errors. It knows neither HTTP nor what processes the photo.
package rembg

import (
	"encoding/json"
	"fmt"
	"image/color"
	"math"
	"slices"
	"strconv"
	"strings"

	"bgremover.pro/core/cutout"
)

// Parameters are those that this package reads, in the query or as form fields;
// others are ignored, as that server ignores them.
var Parameters = []string{"url", "file", "model", "a", "af", "ab", "ae", "om", "ppm", "bgc", "extras", "dc", "vm"}

// Request is what a request asks for.
type Request struct {
	// URL is where the photo is to be downloaded from; for a GET.
	URL     string
	Options cutout.Options
}

// Values are the parameters of a request, by name.
type Values struct {
	Query, Form map[string]string
	// Get says that the request is a GET, which has a query only.
	Get bool
}

// get returns a parameter and where it was found. That server reads some from the query and
// some from the form, and clients have mixed them up: here both are read, and the form
// counts.
func (v Values) get(name string) (value, where string) {
	if s, given := v.Form[name]; given && s != "" {
		return s, "body"
	}
	if s := v.Query[name]; s != "" {
		return s, "query"
	}
	if v.Get || name == "bgc" || name == "extras" {
		return "", "query"
	}
	return "", "body"
}

// Parse reads the parameters. available says whether a model can run here. The error
// is a ValidationError.
func Parse(v Values, hasFile bool, available func(model string) bool) (*Request, error) {
	p := parser{values: v}
	r := &Request{Options: cutout.Options{Format: cutout.PNG}}
	switch {
	case v.Get:
		if r.URL, _ = v.get("url"); r.URL == "" {
			p.missing("query", "url")
		}
	case !hasFile:
		p.missing("body", "file")
	}
	r.Options.Model = p.model(available)
	p.flag("a") // edges are always refined, so there is nothing to switch on
	p.number("af", 255)
	p.number("ab", 255)
	p.number("ae", math.MaxInt32)
	p.flag("dc") // and always decontaminated
	p.flag("vm")
	if p.flag("om") {
		r.Options.Output = cutout.Matte
	}
	if p.flag("ppm") {
		r.Options.Edges = cutout.Hard
	}
	if c, given := p.color(); given && r.Options.Output != cutout.Matte {
		r.Options.Background = cutout.Plain(c)
	}
	p.prompt(&r.Options)
	if len(p.problems) > 0 {
		return nil, p.problems
	}
	return r, nil
}

// Problem is one invalid parameter, as FastAPI describes it.
type Problem struct {
	Type    string         `json:"type"`
	Where   []string       `json:"loc"`
	Message string         `json:"msg"`
	Input   *string        `json:"input"`
	Context map[string]any `json:"ctx,omitempty"`
}

// ValidationError are the problems of a request.
type ValidationError []Problem

func (i ValidationError) Error() string {
	return fmt.Sprintf("%s: %s", strings.Join(i[0].Where, "."), i[0].Message)
}

// parser collects problems.
type parser struct {
	values   Values
	problems ValidationError
}

func (p *parser) missing(where, name string) {
	p.problems = append(p.problems, Problem{Type: "missing", Where: []string{where, name}, Message: "Field required"})
}

func (p *parser) wrong(kind, where, name, input, message string, context map[string]any) {
	p.problems = append(p.problems, Problem{kind, []string{where, name}, message, &input, context})
}

func (p *parser) flag(name string) bool {
	s, where := p.values.get(name)
	switch strings.ToLower(s) {
	case "true", "1", "on", "t", "y", "yes":
		return true
	case "", "false", "0", "off", "f", "n", "no":
		return false
	}
	p.wrong("bool_parsing", where, name, s, "Input should be a valid boolean, unable to interpret input", nil)
	return false
}

// number checks a whole number from 0 to most.
func (p *parser) number(name string, most int) {
	s, where := p.values.get(name)
	if s == "" {
		return
	}
	n, err := strconv.Atoi(strings.TrimSpace(s))
	switch {
	case err != nil:
		p.wrong("int_parsing", where, name, s, "Input should be a valid integer, unable to parse string as an integer", nil)
	case n < 0:
		p.wrong("greater_than_equal", where, name, s, "Input should be greater than or equal to 0", map[string]any{"ge": 0})
	case n > most:
		p.wrong("less_than_equal", where, name, s, fmt.Sprintf("Input should be less than or equal to %d", most), map[string]any{"le": most})
	}
}

// color reads "R,G,B,A".
func (p *parser) color() (c color.NRGBA, given bool) {
	s, where := p.values.get("bgc")
	if s == "" {
		return c, false
	}
	parts := strings.Split(strings.Trim(strings.TrimSpace(s), "()[]"), ",")
	channels := []*uint8{&c.R, &c.G, &c.B, &c.A}
	c.A = 255
	ok := len(parts) == 3 || len(parts) == 4
	for i, part := range parts {
		n, err := strconv.ParseUint(strings.TrimSpace(part), 10, 8)
		if ok = ok && err == nil; ok {
			*channels[i] = uint8(n)
		}
	}
	if !ok {
		p.wrong("value_error", where, "bgc", s, "Value error, bgc should be R,G,B,A, each from 0 to 255", nil)
	}
	return c, ok
}

// mapped are rembg's names for models that the catalogue has under another name.
var mapped = map[string]string{"isnet-general-use": "isnet"}

// general are models for any subject. Where one is not installed, the server's own stands
// in for it, and X-Model names that; clients send their library's default without meaning
// to choose it. The others are for special purposes: nothing stands in for them.
var general = []string{
	"u2net", "u2netp", "silueta", "isnet-general-use", "birefnet-general", "birefnet-general-lite", "birefnet-dis",
	"birefnet-hrsod", "birefnet-massive", "bria-rmbg", "u2net_human_seg", "birefnet-portrait", "sam",
}

// special are the other names that rembg has.
var special = []string{"u2net_cloth_seg", "isnet-anime", "birefnet-cod", "u2net_custom", "dis_custom", "ben_custom"}

// Models are all that a request may name.
func Models() []string { return append(slices.Clone(general), special...) }

// model chooses the model that runs; empty for the server's own.
func (p *parser) model(available func(string) bool) string {
	s, where := p.values.get("model")
	if s == "" {
		return ""
	}
	for _, name := range []string{s, mapped[s]} {
		if name != "" && available(name) {
			return name
		}
	}
	if slices.Contains(general, s) {
		return ""
	}
	pattern := strings.Join(Models(), "|")
	if slices.Contains(special, s) {
		p.wrong("value_error", where, "model", s, "Value error, the model "+s+" is not installed on this server", nil)
		return ""
	}
	p.wrong("string_pattern_mismatch", where, "model", s, "String should match pattern '"+pattern+"'", map[string]any{"pattern": pattern})
	return ""
}

// prompt is one entry of extras.sam_prompt: a point, or a rectangle around the
// subject.
type prompt struct {
	Type  string    `json:"type"`
	Data  []float64 `json:"data"`
	Label int       `json:"label"`
}

// mostPrompts bounds the points of a request.
const mostPrompts = 1000

// prompt reads extras. That server ignores what it cannot read there, and so does this one,
// except for points and rectangles that cannot be used.
func (p *parser) prompt(o *cutout.Options) {
	s, where := p.values.get("extras")
	var extras struct {
		Prompt json.RawMessage `json:"sam_prompt"`
	}
	if s == "" || json.Unmarshal([]byte(s), &extras) != nil || len(extras.Prompt) == 0 {
		return
	}
	var all []prompt
	wrong := func() {
		p.wrong("value_error", where, "extras", s, "Value error, sam_prompt should be a list of points [x, y] and at most one rectangle [left, top, right, bottom]", nil)
	}
	if json.Unmarshal(extras.Prompt, &all) != nil || len(all) > mostPrompts {
		wrong()
		return
	}
	for _, q := range all {
		for _, n := range q.Data {
			if n < 0 || n > 1e6 {
				wrong()
				return
			}
		}
		px := func(i int) cutout.Length { return cutout.Length{Value: q.Data[i]} }
		switch {
		case q.Type == "point" && len(q.Data) == 2 && q.Label == 1:
			o.Keep = append(o.Keep, cutout.Point{X: q.Data[0], Y: q.Data[1]})
		case q.Type == "point" && len(q.Data) == 2:
			o.Remove = append(o.Remove, cutout.Point{X: q.Data[0], Y: q.Data[1]})
		case q.Type == "rectangle" && len(q.Data) == 4 && o.Region == nil:
			o.Region = &cutout.Region{Left: px(0), Top: px(1), Right: px(2), Bottom: px(3)}
		default:
			wrong()
			return
		}
	}
}
