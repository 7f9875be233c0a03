package config

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
)

// The backends that come with the server and need no table.
var builtin = []string{"auto", "onnx-cpu", "onnx-cuda"}

var (
	hexDigest    = regexp.MustCompile(`^[0-9a-f]{64}$`)
	variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*(\*|=.*)?$`)
)

var backendFields = []string{"args", "command", "concurrency", "device", "env", "max_memory", "memory", "models", "sha256", "start_timeout", "tls"}

// memory is what a process may reasonably need.
var memory = size(1<<20, 1<<40)

// takeBackends reads the tables [backends.NAME] of the file.
func (c *Config) takeBackends(l layer) (problems Errors) {
	raw, present := l.values["backends"]
	if !present {
		return nil
	}
	tables, ok := raw.(map[string]any)
	if !ok {
		return Errors{{Key: "backends", Origin: Origin{l.kind, l.where("backends")}, Message: "is not a table", Accepts: "tables [backends.NAME]"}}
	}
	for _, name := range slices.Sorted(maps.Keys(tables)) {
		t := table{fields: nil, key: "backends." + name, layer: l}
		if !isName(name) || name == "auto" {
			t.fail("", "", "is not a valid backend name", "lower-case letters, digits and dashes, but not auto")
		}
		if t.fields, ok = tables[name].(map[string]any); !ok {
			t.fail("", "", "is not a table", "[backends."+name+"]")
		}
		c.Backends = append(c.Backends, t.backend(name))
		problems = append(problems, t.problems...)
	}
	return problems
}

// table reads the fields of one backend and collects the mistakes.
type table struct {
	fields   map[string]any
	key      string
	layer    layer
	problems Errors
}

func (t *table) fail(field, value, message, accepts string) {
	origin := Origin{t.layer.kind, t.layer.where(field)}
	t.problems = append(t.problems, Error{strings.TrimSuffix(t.key+"."+field, "."), value, origin, message, accepts})
}

func (t *table) backend(name string) Backend {
	for _, field := range slices.Sorted(maps.Keys(t.fields)) {
		if slices.Contains(backendFields, field) {
			continue
		}
		message := "is not a field of a backend"
		if near := suggest(field, backendFields); near != "" {
			message += fmt.Sprintf("; did you mean %s?", near)
		}
		t.fail(field, "", message, strings.Join(backendFields, ", "))
	}
	b := Backend{Name: name, TLS: true, Args: t.strings("args"), Env: t.strings("env"),
		Command: field(t, "command", text("a path or a command", anything)),
		Device:  field(t, "device", text("such as cpu or cuda:0", anything)),
		Models:  t.strings("models"),
		SHA256:  field(t, "sha256", text("64 hex digits", optional(hexDigest.MatchString))),

		Concurrency:  field(t, "concurrency", number(1, 1024)),
		Memory:       field(t, "memory", memory),
		MaxMemory:    field(t, "max_memory", memory),
		StartTimeout: field(t, "start_timeout", duration(time.Second, time.Hour)),
	}
	if t.fields["tls"] != nil {
		b.TLS = field(t, "tls", flag)
	}
	if b.Command == "" && !slices.Contains(builtin, name) {
		t.fail("command", "", "is missing", "the command that starts the backend")
	}
	for _, m := range b.Models {
		if !isName(m) {
			t.fail("models", m, "is not a valid model name", "names in lower-case letters, digits and dashes")
		}
	}
	if b.MaxMemory > 0 && b.MaxMemory < b.Memory {
		t.fail("max_memory", formatSize(b.MaxMemory), "is less than memory, which is "+formatSize(b.Memory), "")
	}
	for _, v := range b.Env {
		if !variableName.MatchString(v) {
			t.fail("env", v, "is not a valid variable", "NAME, PREFIX* or NAME=value")
		}
	}
	return b
}

func field[T any](t *table, name string, k kind[T]) T {
	var zero T
	raw, present := t.fields[name]
	if !present {
		return zero
	}
	text, err := textOf(raw)
	if err != nil {
		t.fail(name, "", err.Error(), k.accepts)
		return zero
	}
	v, err := k.parse(text)
	if err != nil {
		t.fail(name, text, err.Error(), k.accepts)
	}
	return v
}

// strings reads a list whose entries may hold anything, commas included.
func (t *table) strings(name string) []string {
	raw, present := t.fields[name]
	if !present {
		return nil
	}
	entries, ok := raw.([]any)
	var all []string
	for _, e := range entries {
		s, isText := e.(string)
		ok = ok && isText && !strings.ContainsRune(s, 0)
		all = append(all, s)
	}
	if !ok {
		t.fail(name, "", "is not a list of strings", `such as ["--verbose"]`)
	}
	return all
}
