package config

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
)

// Print writes the tree as a settings file, each value with its origin.
// Secrets are left out.
func (c *Config) Print(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, v := range c.values {
		line := fmt.Sprintf("%s = %q", v.Key, v.Text)
		if v.Secret {
			line = fmt.Sprintf("# %s is secret and %s", v.Key, map[bool]string{true: "set", false: "not set"}[v.IsSet])
		}
		fmt.Fprintf(table, "%s\t# %s\n", line, v.Origin)
	}
	for _, b := range c.Backends {
		fmt.Fprintf(table, "\n[backends.%s]\n", b.Name)
		b.print(table)
	}
	return table.Flush()
}

func (b Backend) print(w io.Writer) {
	quote := func(all []string) string {
		quoted := make([]string, len(all))
		for i, s := range all {
			quoted[i] = strconv.Quote(s)
		}
		return "[" + strings.Join(quoted, ", ") + "]"
	}
	fmt.Fprintf(w, "command = %q\nargs = %s\n", b.Command, quote(b.Args))
	visible := make([]string, len(b.Env))
	for i, v := range b.Env {
		name, _, hasValue := strings.Cut(v, "=")
		if visible[i] = name; hasValue {
			visible[i] += "=..." // may well be a password
		}
	}
	fmt.Fprintf(w, "env = %s\ndevice = %q\nmodels = %s\nsha256 = %q\ntls = %t\n", quote(visible), b.Device, quote(b.Models), b.SHA256, b.TLS)
	if b.Concurrency > 0 {
		fmt.Fprintf(w, "concurrency = %d\n", b.Concurrency)
	}
	if b.Memory > 0 {
		fmt.Fprintf(w, "memory = %q\n", formatSize(b.Memory))
	}
	if b.MaxMemory > 0 {
		fmt.Fprintf(w, "max_memory = %q\n", formatSize(b.MaxMemory))
	}
	if b.StartTimeout > 0 {
		fmt.Fprintf(w, "start_timeout = %q\n", formatDuration(b.StartTimeout))
	}
}

// Example writes a settings file in which everything is explained and nothing
// is set.
func Example(w io.Writer) {
	for _, s := range settings {
		fmt.Fprintf(w, "# %s\n# %s\n", s.help, s.accepts)
		if s.live {
			fmt.Fprintln(w, "# A reload is enough.")
		}
		if s.secret {
			fmt.Fprintf(w, "# %s_file names a file that holds it.\n", s.key)
		}
		initial := s.initial
		if s.key == "data_dir" {
			initial = "$XDG_DATA_HOME/bgremover"
		}
		fmt.Fprintf(w, "#%s = %q\n\n", s.key, initial)
	}
	fmt.Fprint(w, `# Other backends, one table each; one named like a built-in (onnx-cpu) changes
# that. A reload is enough for all of it.
#[backends.mine]
#command = "/usr/local/bin/my-backend"
#args = []
# What it gets of the environment, and what is set for it.
#env = ["HTTPS_PROXY", "MY_SETTING=1"]
# Where it runs: cpu, cuda, cuda:1 or another word. Auto prefers CUDA.
#device = "cpu"
# The installed models that it may run, the first of them loaded at start.
# Empty: all, the default one first.
#models = ["isnet"]
# Runs at a time.
#concurrency = 1
# Of the command's file; another one is not started. Empty: not checked.
#sha256 = ""
# false where its language's gRPC cannot do go-plugin's mutual TLS.
#tls = true
# What it needs. Two that do not fit into memory together are swapped one after
# the other. Without it: what it took the last time.
#memory = "2GiB"
# The size at which a fresh process takes its place. Without it: it may grow.
#max_memory = "6GiB"
# From its start to its handshake.
#start_timeout = "1m"
`)
}
