package main

import (
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
	"github.com/spf13/pflag"

	"bgremover.pro/core/app"
	"bgremover.pro/core/cutout"
)

// docsCommand is for the build.
func docsCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "docs FOLDER",
		Short:  "Write man pages and shell completions into a folder such as /usr/share.",
		Hidden: true,
		Args:   cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			root, man := cmd.Root(), filepath.Join(args[0], "man", "man1")
			if err := os.MkdirAll(man, 0o755); err != nil { //nolint:gosec // G301: for everyone to read, as /usr/share is
				return err
			}
			header := &doc.GenManHeader{Section: "1", Source: "bgremover", Manual: "BGRemover"}
			problems := []error{doc.GenManTree(literal(rootCommand()), header, man)}
			for path, write := range map[string]func(io.Writer) error{
				"bash-completion/completions/bgremover":    func(w io.Writer) error { return root.GenBashCompletionV2(w, true) },
				"zsh/site-functions/_bgremover":            root.GenZshCompletion,
				"fish/vendor_completions.d/bgremover.fish": func(w io.Writer) error { return root.GenFishCompletion(w, true) },
			} {
				problems = append(problems, writeTo(filepath.Join(args[0], filepath.FromSlash(path)), write))
			}
			return errors.Join(problems...)
		},
	}
}

// literal has a command's texts taken as they are: pages are made from Markdown.
func literal(root *cobra.Command) *cobra.Command {
	root.DisableAutoGenTag = true
	escape := strings.NewReplacer("_", `\_`, "*", `\*`, "<", `\<`, "[", `\[`)
	for _, cmd := range all(root) {
		cmd.Long = escape.Replace(cmd.Long)
		cmd.Short = escape.Replace(cmd.Short)
		cmd.Flags().VisitAll(func(f *pflag.Flag) { f.Usage = escape.Replace(f.Usage) })
	}
	return root
}

func writeTo(path string, write func(io.Writer) error) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil { //nolint:gosec // G301: for everyone to read, as /usr/share is
		return err
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(write(f), f.Close())
}

// completeBackends and completeModels offer the names that a running server knows, or the
// names of models in the catalogue.
func completeBackends(cmd *cobra.Command, args []string, _ string) (names []string, _ cobra.ShellCompDirective) {
	var known []cutout.BackendStatus
	if len(args) == 0 && callOperator(cmd.Context(), http.MethodGet, "/backends.json", nil, &known) == nil {
		for _, b := range known {
			names = append(names, b.Name)
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

func completeModels(cmd *cobra.Command, args []string, _ string) (names []string, _ cobra.ShellCompDirective) {
	var known []cutout.ModelStatus
	if callOperator(cmd.Context(), http.MethodGet, "/models.json", nil, &known) != nil {
		store, settings, err := openStore()
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		known, _ = app.Models(store, settings.Inference.Model)
	}
	for _, m := range known {
		if !m.Runtime && !slices.Contains(args, m.Name) {
			names = append(names, m.Name)
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
