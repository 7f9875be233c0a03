package model

import (
	"strings"
	"testing"
)

func TestKnown(t *testing.T) {
	c := Known()
	names := map[string]bool{}
	for _, e := range c.Models {
		names[e.Name] = true
		if e.NPM == "" && e.Member == "" && !strings.HasSuffix(e.archive(), ".onnx") {
			t.Errorf("%s: %s is no ONNX file", e.Name, e.URL)
		}
	}
	for _, want := range []string{Default, "u2net", "u2netp", "silueta", "birefnet-general", "bria-rmbg"} {
		if !names[want] {
			t.Errorf("the catalogue lacks %s", want)
		}
	}
	for name := range names {
		if strings.HasPrefix(name, "sam") || strings.HasSuffix(name, "_custom") {
			t.Errorf("%s does not work without prompts or a path", name)
		}
	}
	for _, r := range c.Runtimes {
		for _, file := range r.Files {
			if r.Name == "cpu" && !sha256Of.MatchString(file.SHA256) {
				t.Errorf("runtime %s %s: %s has no sha256", r.Name, r.Platform, file.Name)
			}
		}
	}
}

func TestParseRefuses(t *testing.T) {
	const good = `[[model]]
name = "m"
url = "https://example.org/m.onnx"
md5 = "60024c5c889badc19c04ad937298a77b"
size = 320
scale = 255
mean = [0, 0, 0]
std = [1, 1, 1]
post = "none"
`
	if _, err := Parse([]byte(good)); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string][2]string{
		"unknown key":    {`size = 320`, "size = 320\nsizes = 320"},
		"wrong type":     {`size = 320`, `size = "320"`},
		"no size":        {`size = 320`, ``},
		"bad name":       {`"m"`, `"../m"`},
		"no checksum":    {`md5 = "60024c5c889badc19c04ad937298a77b"`, ``},
		"short checksum": {`60024c5c889badc19c04ad937298a77b`, `6002`},
		"plain http":     {`https:`, `http:`},
		"two sources":    {`size = 320`, "size = 320\nnpm = \"a@1.0.0\""},
		"npm range":      {`url = "https://example.org/m.onnx"`, `npm = "a@^1.0.0"`},
		"npm flag":       {`url = "https://example.org/m.onnx"`, `npm = "--registry=x@1.0.0"`},
		"unknown post":   {`"none"`, `"magic"`},
		"zero std":       {`[1, 1, 1]`, `[1, 0, 1]`},
		"two means":      {`[0, 0, 0]`, `[0, 0]`},
		"listed twice":   {`[[model]]`, good + `[[model]]`},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(good, change[0], change[1], 1)
			if _, err := Parse([]byte(text)); err == nil {
				t.Errorf("accepted:\n%s", text)
			}
		})
	}
}
