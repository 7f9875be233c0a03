package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/spf13/pflag"
)

const (
	prefixEnv   = "BGREMOVER_"
	variable    = prefixEnv + "CONFIG"
	defaultFile = "bgremover.toml"
)

// noSettings are variables of ours that are not settings.
var noSettings = []string{
	variable,
	"BGREMOVER_ONNXRUNTIME", // for backends started by hand
	"BGREMOVER_SERVER_KEY",  // for bgremover remove --server
	"BGREMOVER_ACTIVE_HELP", // set by the shells' completion
}

// Sources says where settings come from.
type Sources struct {
	// File is read instead of BGREMOVER_CONFIG and ./bgremover.toml.
	File string
	// Environ is what os.Environ gives.
	Environ []string
	// Flags are those that AddFlags made; only those set by hand count.
	Flags *pflag.FlagSet
	// Operator holds what the operator's page has set until the next start. It
	// overrides the file, not the environment.
	Operator map[string]string
}

// Origin says where a value came from.
type Origin struct {
	Kind  OriginKind
	Where string // file and line, variable or flag
}

// OriginKind is a layer of settings.
type OriginKind string

// The layers; each overrides those before it.
const (
	Default     OriginKind = "default"
	File        OriginKind = "file"
	Operation   OriginKind = "operator"
	Environment OriginKind = "environment"
	Flag        OriginKind = "flag"
)

func (o Origin) String() string {
	if o.Where == "" {
		return string(o.Kind)
	}
	return string(o.Kind) + " " + o.Where
}

// AddFlags gives a flag set one flag for each setting.
func AddFlags(flags *pflag.FlagSet) {
	for _, s := range settings {
		flags.String(s.flag(), "", s.help+" (default "+quoted(s.initial)+")")
	}
}

func quoted(s string) string {
	if s == "" {
		return "nothing"
	}
	return s
}

// layer is the settings of one source.
type layer struct {
	kind   OriginKind
	values map[string]any
	where  func(key string) string
}

// path finds the settings file. Only the default one may be absent.
func (s Sources) path() (path string, mustExist bool) {
	if s.File != "" {
		return s.File, true
	}
	for _, pair := range s.Environ {
		if value, ok := strings.CutPrefix(pair, variable+"="); ok && value != "" {
			return value, true
		}
	}
	return defaultFile, false
}

// layers reads all sources, the lowest layer first. They are merged by Load, which
// keeps the origin of each value.
func (s Sources) layers() (all []layer, path string, problems Errors) {
	nowhere := func(string) string { return "" }
	defaults, operator := layer{Default, map[string]any{}, nowhere}, layer{Operation, map[string]any{}, nowhere}
	for _, d := range settings {
		defaults.values[d.key] = d.initial
	}
	for key, value := range s.Operator {
		operator.values[key] = value
	}
	file, path, err := s.file()
	if err != nil {
		problems = Errors{{Message: err.Error()}}
	}
	return []layer{defaults, file, operator, s.environment(), s.flags()}, path, problems
}

// file reads the settings file; path is empty if there is none.
func (s Sources) file() (l layer, path string, err error) {
	path, mustExist := s.path()
	content, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !mustExist:
		return layer{kind: File}, "", nil
	case err != nil:
		return layer{kind: File}, path, fmt.Errorf("the settings file cannot be read: %w", err)
	}
	l = layer{kind: File, where: func(key string) string { return place(path, content, key) }}
	if err := toml.Unmarshal(content, &l.values); err != nil {
		return l, path, fmt.Errorf("%s is not valid TOML: %s", path, strings.TrimPrefix(err.Error(), "toml: "))
	}
	return l, path, nil
}

func (s Sources) environment() layer {
	l := layer{Environment, map[string]any{}, func(key string) string { return prefixEnv + strings.ToUpper(key) }}
	for _, pair := range s.Environ {
		name, value, _ := strings.Cut(pair, "=")
		key, ours := strings.CutPrefix(name, prefixEnv)
		if ours && !slices.Contains(noSettings, name) && !fromKubernetes.MatchString(name) {
			l.values[strings.ToLower(key)] = value
		}
	}
	return l
}

func (s Sources) flags() layer {
	l := layer{Flag, map[string]any{}, func(key string) string { return "--" + strings.ReplaceAll(key, "_", "-") }}
	for _, d := range settings {
		if s.Flags != nil && s.Flags.Changed(d.flag()) {
			l.values[d.key] = s.Flags.Lookup(d.flag()).Value.String()
		}
	}
	return l
}

// Kubernetes gives every container variables about each service by its name; for a service
// called bgremover those look like ours.
var fromKubernetes = regexp.MustCompile(`^BGREMOVER(_[A-Z0-9_]+)?_(SERVICE_(HOST|PORT(_[A-Z0-9_]+)?)|PORT(_[0-9]+_(TCP|UDP)(_(ADDR|PORT|PROTO))?)?)$`)

// place finds the line of a key, for messages only.
func place(path string, content []byte, key string) string {
	name := filepath.Base(path)
	pattern, err := regexp.Compile(`^\s*"?` + regexp.QuoteMeta(key) + `"?\s*=`)
	if err != nil {
		return name
	}
	for i, line := range strings.Split(string(content), "\n") {
		if pattern.MatchString(line) {
			return fmt.Sprintf("%s, line %d", name, i+1)
		}
	}
	return name
}

func defaultDataDir() string {
	if dir := os.Getenv("XDG_DATA_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "bgremover")
	}
	if home, err := os.UserHomeDir(); err == nil {
		return filepath.Join(home, ".local", "share", "bgremover")
	}
	return "" // reported by Load
}
