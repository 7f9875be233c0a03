package config

import (
	"fmt"
	"io"
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
		for i, s := range all {
			all[i] = fmt.Sprintf("%q", s)
		}
		return "[" + strings.Join(all, ", ") + "]"
	}
	fmt.Fprintf(w, "command = %q\nargs = %s\n", b.Command, quote(append([]string(nil), b.Args...)))
	visible := make([]string, len(b.Env))
	for i, v := range b.Env {
		name, _, hasValue := strings.Cut(v, "=")
		if visible[i] = name; hasValue {
			visible[i] += "=..." // may well be a password
		}
	}
	fmt.Fprintf(w, "env = %s\ndevice = %q\nmodel = %q\nsha256 = %q\ntls = %t\n", quote(visible), b.Device, b.Model, b.SHA256, b.TLS)
	if b.Concurrency > 0 {
		fmt.Fprintf(w, "concurrency = %d\n", b.Concurrency)
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
	fmt.Fprint(w, `# Other backends, one table each.
#[backends.mine]
#command = "/usr/local/bin/my-backend"
#args = []
#env = ["HTTPS_PROXY"]
#device = "cpu"
#model = ""
#concurrency = 1
#sha256 = ""
#tls = true
`)
}
