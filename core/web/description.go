package web

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"bgremover.pro/core/cutout"
	"bgremover.pro/templates"
)

// written is the API in OpenAPI 3.1, as far as it is written by hand; a test compares
// it with the routes and their parameters.
//
//go:embed openapi.json
var written []byte

// description is what is served: an option that written does not have is described
// with the help of its own table.
var description = sync.OnceValues(func() ([]byte, error) { return withOptions(written, cutout.OptionList) })

func withOptions(document []byte, options []cutout.Option) ([]byte, error) {
	d := describer{}
	if err := json.Unmarshal(document, &d.root); err != nil {
		return nil, fmt.Errorf("web: the API's description: %w", err)
	}
	post := d.object(d.object(d.object(d.root["paths"])["/api/v1/cutouts"])["post"])
	known := map[string]bool{}
	body := d.object(d.object(d.object(d.object(post["requestBody"])["content"])["multipart/form-data"])["schema"])
	d.fields(body, func(name, _ string, _ bool, _ object, _ string) { known[name] = true })
	properties, added := d.properties("CutoutOptions"), false
	for _, o := range options {
		if known[o.Name] {
			continue
		}
		added = true
		properties[o.Name] = object{"type": "string", "description": o.Help}
		post["parameters"] = append(post.list("parameters"), object{
			"name": o.Name, "in": "query", "schema": object{"$ref": "#/components/schemas/CutoutOptions/properties/" + o.Name},
		})
	}
	if !added {
		return document, nil
	}
	return json.Marshal(d.root)
}

// properties are those of a named schema.
func (d describer) properties(schema string) object {
	return d.object(d.object(d.object(d.object(d.root["components"])["schemas"])[schema])["properties"])
}

// describedPaths are those that the description has, in the order of the page.
var describedPaths = []string{"/api/v1/cutouts", "/v1.0/removebg", "/v1.0/account", "/api/remove", "/api/v1/openapi.json"}

// object is a JSON object of the description.
type object map[string]any

func (o object) text(key string) string {
	s, _ := o[key].(string)
	return s
}

func (o object) list(key string) []any {
	l, _ := o[key].([]any)
	return l
}

// describer follows the description's references.
type describer struct{ root object }

// object returns a value that is an object, or what it refers to; empty for others.
func (d describer) object(v any) object {
	o, _ := v.(map[string]any)
	ref, is := o["$ref"].(string)
	if !is {
		return o
	}
	at := any(map[string]any(d.root))
	for step := range strings.SplitSeq(strings.TrimPrefix(ref, "#/"), "/") {
		at = d.object(at)[step]
	}
	return d.object(at)
}

// apiPage is the description for people to read.
func apiPage() (templates.API, error) {
	document, err := description()
	if err != nil {
		return templates.API{}, err
	}
	d := describer{}
	if err := json.Unmarshal(document, &d.root); err != nil {
		return templates.API{}, err
	}
	page := templates.API{Description: d.object(d.root["info"]).text("description")}
	for _, path := range describedPaths {
		item := d.object(d.object(d.root["paths"])[path])
		for _, method := range slices.Sorted(maps.Keys(item)) {
			page.Operations = append(page.Operations, d.operation(strings.ToUpper(method), path, d.object(item[method])))
		}
	}
	return page, nil
}

func (d describer) operation(method, path string, o object) templates.Operation {
	op := templates.Operation{
		ID: o.text("operationId"), Method: method, Path: path, Summary: o.text("summary"), Description: spans(o.text("description")),
	}
	seen := map[string]bool{}
	add := func(name, where string, required bool, schema object, text string) {
		if seen[name] {
			return // a field that is a parameter of the query too
		}
		seen[name] = true
		op.Parameters = append(op.Parameters, templates.Parameter{
			Name: name, Where: where, Required: required, Description: spans(text), Choices: choices(schema), Default: plain(schema["default"]),
		})
	}
	for _, v := range o.list("parameters") {
		p := d.object(v)
		schema := d.object(p["schema"])
		text := p.text("description") + schema.text("description")
		add(p.text("name"), "query or form", p["required"] == true, schema, text)
	}
	body := d.object(d.object(o["requestBody"])["content"])
	op.Bodies = slices.Sorted(maps.Keys(body))
	d.fields(d.object(d.object(body["multipart/form-data"])["schema"]), add)
	answers := d.object(o["responses"])
	for _, status := range slices.Sorted(maps.Keys(answers)) {
		a := d.object(answers[status])
		op.Answers = append(op.Answers, templates.Answer{
			Status: status, Description: a.text("description"), Types: slices.Sorted(maps.Keys(d.object(a["content"]))),
		})
	}
	return op
}

// fields calls add for every property of a schema and of those that it combines.
func (d describer) fields(schema object, add func(name, where string, required bool, schema object, text string)) {
	for _, part := range schema.list("allOf") {
		d.fields(d.object(part), add)
	}
	properties := d.object(schema["properties"])
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		p := d.object(properties[name])
		add(name, "form", slices.Contains(schema.list("required"), any(name)), p, p.text("description"))
	}
}

// choices lists the values of a schema that has few.
func choices(schema object) string {
	var all []string
	for _, v := range schema.list("enum") {
		if s := plain(v); s != "" {
			all = append(all, s)
		}
	}
	return strings.Join(all, ", ")
}

// spans splits a text at its backticks.
func spans(text string) (all []templates.Span) {
	for i, part := range strings.Split(text, "`") {
		if part != "" {
			all = append(all, templates.Span{Text: part, Code: i%2 == 1})
		}
	}
	return all
}

func plain(v any) string {
	if v == nil {
		return ""
	}
	return fmt.Sprint(v)
}
