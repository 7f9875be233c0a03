package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/knadh/koanf/parsers/toml/v2"
	"github.com/knadh/koanf/providers/confmap"
	"github.com/knadh/koanf/providers/env/v2"
	"github.com/knadh/koanf/providers/file"
	"github.com/knadh/koanf/providers/posflag"
	"github.com/knadh/koanf/v2"
	"github.com/spf13/pflag"
)

const (
	prefixEnv   = "BGREMOVER_"
	variable    = prefixEnv + "CONFIG"
	defaultFile = "bgremover.toml"
)

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
	values *koanf.Koanf
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

// layers reads all sources, the lowest layer first.
func (s Sources) layers() (all []layer, path string, problems Errors) {
	defaults := map[string]any{}
	for _, d := range settings {
		defaults[d.key] = d.initial
	}
	add := func(kind OriginKind, provider koanf.Provider, parser koanf.Parser, where func(string) string) error {
		k := koanf.New(".")
		err := k.Load(provider, parser)
		all = append(all, layer{kind, k, where})
		return err
	}
	nowhere := func(string) string { return "" }
	mustWork(add(Default, confmap.Provider(defaults, ""), nil, nowhere))

	path, mustExist := s.path()
	content, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !mustExist:
		path = ""
	case err != nil:
		problems = append(problems, Error{Message: fmt.Sprintf("the settings file cannot be read: %v", err)})
	default:
		err := add(File, file.Provider(path), toml.Parser(), func(key string) string { return place(path, content, key) })
		if err != nil {
			problems = append(problems, Error{Message: fmt.Sprintf("%s is not valid TOML: %s", path, strings.TrimPrefix(err.Error(), "toml: "))})
		}
	}

	operator := map[string]any{}
	for key, value := range s.Operator {
		operator[key] = value
	}
	mustWork(add(Operation, confmap.Provider(operator, ""), nil, nowhere))
	mustWork(add(Environment, env.Provider("", env.Opt{Prefix: prefixEnv, TransformFunc: fromEnvironment,
		EnvironFunc: func() []string { return s.Environ }}), nil, func(key string) string { return prefixEnv + strings.ToUpper(key) }))
	if s.Flags != nil {
		mustWork(add(Flag, posflag.ProviderWithFlag(s.Flags, ".", nil, fromFlag), nil,
			func(key string) string { return "--" + strings.ReplaceAll(key, "_", "-") }))
	}
	return all, path, problems
}

// mustWork is for providers that only read memory and cannot fail.
func mustWork(err error) {
	if err != nil {
		panic("config: " + err.Error())
	}
}

// Kubernetes gives every container variables about each service by its name;
// beside a service called bgremover those look like ours.
var fromKubernetes = regexp.MustCompile(`^BGREMOVER(_[A-Z0-9_]+)?_(SERVICE_(HOST|PORT(_[A-Z0-9_]+)?)|PORT(_[0-9]+_(TCP|UDP)(_(ADDR|PORT|PROTO))?)?)$`)

func fromEnvironment(key, value string) (string, any) {
	switch key {
	case variable,
		"BGREMOVER_ONNXRUNTIME", // for backends started by hand
		"BGREMOVER_SERVER_KEY":  // for bgremover remove --server
		return "", nil
	}
	if fromKubernetes.MatchString(key) {
		return "", nil
	}
	return strings.ToLower(strings.TrimPrefix(key, prefixEnv)), value
}

func fromFlag(f *pflag.Flag) (string, any) {
	for _, s := range settings {
		if s.flag() == f.Name {
			return s.key, f.Value.String()
		}
	}
	return "", nil // another command's own flag
}

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
