package config

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
)

// Print writes the settings as a file, each value with its origin.
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
			fmt.Fprintln(w, "# A reload applies a change.")
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
	fmt.Fprint(w, `# Further backends, one table each; a table named like a built-in one (onnx-cpu)
# changes that. A reload applies a change.
#[backends.mine]
#command = "/usr/local/bin/my-backend"
#args = []
# Variables that it inherits from the environment, or that are set for it.
#env = ["HTTPS_PROXY", "MY_SETTING=1"]
# Where it runs: cpu, cuda, cuda:1 or another name. Auto prefers CUDA.
#device = "cpu"
# The installed models that it may run, the first of them loaded at start.
# Empty: all, the default one first.
#models = ["isnet"]
# Pictures that it gets at a time.
#concurrency = 1
# SHA-256 of the command's file; a file that differs is not started. Empty: not
# checked.
#sha256 = ""
# false if its gRPC library does not support go-plugin's mutual TLS.
#tls = true
# Memory that it needs. Two backends that do not fit into memory together are
# swapped one after the other. Unset: what it used last.
#memory = "2GiB"
# Memory at which a fresh process takes its place. Unset: no limit.
#max_memory = "6GiB"
# Time from its start to its handshake.
#start_timeout = "1m"
`)
}
