package backend

import (
	"cmp"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"bgremover.pro/plugins/contract"
)

// Auto stands for the best backend that works: CUDA devices first, the CPU last.
const Auto = "auto"

// Spec is one backend as the operator configures it.
type Spec struct {
	// Name identifies it: lower-case letters, digits, dots, dashes, underscores.
	Name string
	// Command is a path, or a name to be found on PATH; Args follow it.
	Command string
	Args    []string
	// Env lists what the process gets of the host's environment besides a few
	// harmless variables: NAME, a prefix NAME*, or NAME=value to set one.
	Env []string
	// Device is where it runs, such as "cpu" or "cuda:0". It decides the
	// backend's place in the order of Auto; one with an index is also passed on.
	Device string
	// Models names the models it may run, the first of them loaded at start;
	// empty means all.
	Models []string
	// Concurrency is the number of pictures that it gets at a time, at least 1; 0 means 1.
	Concurrency int
	// SHA256 of the command's file, in hex; a file that differs is not started.
	// Empty means unchecked. For a script it covers only the interpreter.
	SHA256 string
	// NoTLS leaves the connection, a socket that only this user may open, as
	// plain text, for languages whose gRPC cannot do go-plugin's AutoMTLS.
	NoTLS bool
	// Memory is what it needs in bytes; 0 means unknown. Two backends that do
	// not fit together are swapped one after the other.
	Memory int64
	// MaxMemory is the resident size in bytes at which a fresh process takes
	// over; 0 means that it may grow.
	MaxMemory int64
	// StartTimeout bounds the handshake; 0 means one minute.
	StartTimeout time.Duration
}

var namePattern = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]*$`)

// Validate reports everything that is wrong with the description, but not
// whether the command exists: that may change while the server runs.
func (s Spec) Validate() error {
	var problems []error
	bad := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	if !namePattern.MatchString(s.Name) || s.Name == Auto {
		bad("the name %q must consist of lower-case letters, digits, dots, dashes and underscores, and cannot be auto", s.Name)
	}
	if s.Command == "" {
		bad("it has no command")
	}
	if s.Concurrency < 0 || s.Memory < 0 || s.MaxMemory < 0 || s.StartTimeout < 0 {
		bad("concurrency, memory, max_memory and start_timeout cannot be negative")
	}
	if sum, err := hex.DecodeString(s.SHA256); err != nil || len(sum) != 0 && len(sum) != 32 {
		bad("its sha256 is not 64 hex digits")
	}
	for _, e := range s.Env {
		if name, _, _ := strings.Cut(e, "="); strings.TrimSuffix(name, "*") == "" {
			bad("%q names no environment variable", e)
		}
	}
	if len(problems) == 0 {
		return nil
	}
	return fmt.Errorf("backend %q: %w", s.Name, errors.Join(problems...))
}

// rank orders backends for Auto.
func (s Spec) rank() int {
	switch {
	case strings.HasPrefix(s.Device, "cuda"):
		return 0
	case s.Device == "cpu":
		return 2
	}
	return 1
}

func (s Spec) startTimeout() time.Duration { return cmp.Or(s.StartTimeout, time.Minute) }

func (s Spec) allows(model string) bool {
	return len(s.Models) == 0 || slices.Contains(s.Models, model)
}

// Path returns the absolute path of the command. Error: *DownError.
func (s Spec) Path() (string, error) {
	path, err := exec.LookPath(s.Command)
	if err == nil {
		return filepath.Abs(path)
	}
	info, statErr := os.Stat(s.Command)
	reason := fmt.Sprintf("%s cannot be run: %v", s.Command, err)
	switch {
	case statErr == nil && info.IsDir():
		reason = s.Command + " is a folder, not a program"
	case statErr == nil:
		reason = s.Command + " is not executable; chmod +x it"
	case strings.ContainsRune(s.Command, filepath.Separator):
		reason = s.Command + " does not exist; is the backend installed?"
	case errors.Is(err, exec.ErrNotFound):
		reason = s.Command + " is not on PATH; is the backend installed?"
	}
	return "", &DownError{Reason: reason, Permanent: true, Err: err}
}

// harmless are the variables that every backend gets: where to find programs,
// libraries and a scratch folder, and the language of messages.
var harmless = []string{"PATH", "HOME", "TMPDIR", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH", "GOTRACEBACK"}

// Environment returns the variables of host that the process gets, and those
// of the contract.
func (s Spec) Environment(host []string) []string {
	var env []string
	allowed := slices.Concat(harmless, s.Env)
	for _, e := range host {
		name, _, _ := strings.Cut(e, "=")
		if slices.ContainsFunc(allowed, func(pattern string) bool {
			prefix, open := strings.CutSuffix(pattern, "*")
			return pattern == name || open && strings.HasPrefix(name, prefix)
		}) {
			env = append(env, e)
		}
	}
	for _, e := range s.Env {
		if strings.Contains(e, "=") {
			env = append(env, e)
		}
	}
	if strings.Contains(s.Device, ":") {
		env = append(env, contract.EnvDevice+"="+s.Device)
	}
	return append(env, contract.EnvConcurrency+"="+strconv.Itoa(max(s.Concurrency, 1)))
}
