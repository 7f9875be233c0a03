package config

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Value is one setting as it was loaded.
type Value struct {
	Key     string
	Text    string // in canonical form; empty for a secret
	Origin  Origin
	Help    string
	Accepts string
	Secret  bool
	IsSet   bool // not empty; says whether there is a secret at all
	Live    bool // a reload applies a change
	Locked  bool // the environment or a flag overrides file and operator
	Group   string
	// Waits is the value in force, if this one needs a restart to replace it; "" if
	// this one is in force. Of a secret it only says that there is one.
	Waits string

	raw string // the text, of a secret too
}

func (v Value) shown() string {
	if v.Secret && v.IsSet {
		return "(secret)"
	}
	return v.Text
}

// Load reads and checks all sources. Its error is Errors: all mistakes.
func Load(sources Sources) (*Config, error) {
	all, path, problems := sources.layers()
	c := &Config{File: path}
	found := map[string]finding{}
	for _, l := range all {
		problems = append(problems, l.collect(found)...)
	}
	for _, s := range settings {
		f := found[s.key]
		problems = append(problems, c.take(s, f)...)
	}
	for _, l := range all {
		if l.kind == File {
			problems = append(problems, c.takeBackends(l)...)
		}
	}
	c.complete()
	if len(problems) == 0 {
		// Contradictions are looked for among valid values only.
		problems = c.check()
	}
	if len(problems) > 0 {
		return nil, problems
	}
	return c, nil
}

// finding is the value of the highest layer so far.
type finding struct {
	text   string
	origin Origin
	err    error
}

// collect lets a layer override what was found before it.
func (l layer) collect(found map[string]finding) (problems Errors) {
	raw := l.values
	for _, key := range slices.Sorted(maps.Keys(raw)) {
		origin := Origin{l.kind, l.where(key)}
		if key == "backends" && l.kind == File {
			continue
		}
		secret, fromFile := strings.CutSuffix(key, "_file")
		fromFile = fromFile && isSecret(secret)
		if !fromFile && !slices.Contains(keys(), key) {
			problems = append(problems, unknown(key, origin))
			continue
		}
		text, err := textOf(raw[key])
		if fromFile && err == nil {
			origin.Where += " (" + text + ")"
			if key = secret; raw[key] != nil {
				err = fmt.Errorf("is set twice, directly and by %s_file", secret)
			} else {
				text, err = readSecret(text)
			}
		}
		found[key] = finding{text, origin, err}
	}
	return problems
}

// take sets one field.
func (c *Config) take(s setting, f finding) Errors {
	v := Value{Key: s.key, Group: s.group, Origin: f.origin, Help: s.help, Accepts: s.accepts, Secret: s.secret, Live: s.live,
		Locked: f.origin.Kind == Environment || f.origin.Kind == Flag}
	err := f.err
	if err == nil {
		err = s.set(c, f.text)
	}
	if err != nil {
		shown := f.text
		if s.secret {
			shown = ""
		}
		return Errors{{Key: s.key, Value: shown, Origin: f.origin, Message: strings.ReplaceAll(err.Error(), "\n", " and "), Accepts: s.accepts}}
	}
	v.raw = s.get(c)
	if v.IsSet = v.raw != ""; !s.secret {
		v.Text = v.raw
	}
	c.values = append(c.values, v)
	return nil
}

// complete fills in what follows from other settings.
func (c *Config) complete() {
	c.Server.PublicURL = strings.TrimSuffix(c.Server.PublicURL, "/")
	if c.Folders.Logs == "" && c.Folders.Data != "" {
		c.Folders.Logs = filepath.Join(c.Folders.Data, "logs")
	}
}

// keepUntilStart undoes the changes that need a restart.
func (c *Config) keepUntilStart(started *Config) {
	for i, s := range settings {
		if s.live {
			continue
		}
		s.copy(c, started)
		if was := started.values[i]; was.raw != c.values[i].raw {
			c.values[i].Waits = cmp.Or(was.shown(), "not set")
		}
	}
}

// Values lists every setting as it was loaded, in a fixed order; one that needs a
// restart is not yet in force.
func (c *Config) Values() []Value { return slices.Clone(c.values) }

// text returns the text of a setting, even of a secret.
func (c *Config) text(key string) string {
	for _, s := range settings {
		if s.key == key {
			return s.get(c)
		}
	}
	return ""
}

func keys() []string {
	all := make([]string, len(settings))
	for i, s := range settings {
		all[i] = s.key
	}
	return all
}

func isSecret(key string) bool {
	return slices.ContainsFunc(settings, func(s setting) bool { return s.key == key && s.secret })
}

func unknown(key string, origin Origin) Error {
	p := Error{Key: key, Origin: origin, Message: "is not a setting"}
	if key == "backends" {
		p.Message = "can only be set in the file"
	} else if key == "decode_memory" {
		p.Message = "has been renamed to memory, which also covers uploads and results"
	} else if near := suggest(key, keys()); near != "" {
		p.Message += fmt.Sprintf("; did you mean %s?", near)
	}
	return p
}

// textOf converts a TOML value to text.
func textOf(v any) (string, error) {
	switch v := v.(type) {
	case string:
		return strings.TrimSpace(v), nil
	case bool, int64, float64:
		return fmt.Sprint(v), nil
	case []any:
		texts := make([]string, len(v))
		for i, e := range v {
			text, err := textOf(e)
			if err != nil {
				return "", err
			}
			if texts[i] = text; strings.Contains(text, ",") {
				return "", fmt.Errorf("has an entry with a comma, %q", text)
			}
		}
		return strings.Join(texts, ","), nil
	case map[string]any:
		return "", fmt.Errorf("is a table, not a value")
	}
	return "", fmt.Errorf("has a type that no setting accepts (%T)", v)
}

// readSecret reads a secret that a service manager put into a file.
func readSecret(path string) (string, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("cannot be read: %w", err)
	}
	if len(content) > 64<<10 {
		return "", fmt.Errorf("is too long for a secret (more than 64 KiB)")
	}
	return strings.TrimSpace(string(content)), nil
}
