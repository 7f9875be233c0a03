package main

import (
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

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
			root.DisableAutoGenTag = true
			if err := os.MkdirAll(man, 0o755); err != nil { //nolint:gosec // G301: for everyone to read, as /usr/share is
				return err
			}
			header := &doc.GenManHeader{Section: "1", Source: "bgremover", Manual: "BGRemover"}
			problems := []error{doc.GenManTree(root, header, man)}
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

// completeBackends and completeModels offer the names that a running server knows.
func completeBackends(cmd *cobra.Command, args []string, _ string) (names []string, _ cobra.ShellCompDirective) {
	return complete(cmd, args, "/backends.json", func(b cutout.BackendStatus) string { return b.Name })
}

func completeModels(cmd *cobra.Command, args []string, _ string) (names []string, _ cobra.ShellCompDirective) {
	return complete(cmd, args, "/models.json", func(m cutout.ModelStatus) string {
		if m.Runtime {
			return ""
		}
		return m.Name
	})
}

func complete[T any](cmd *cobra.Command, args []string, path string, name func(T) string) (names []string, _ cobra.ShellCompDirective) {
	var all []T
	if len(args) > 0 || callOperator(cmd.Context(), http.MethodGet, path, nil, &all) != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	for _, each := range all {
		if text := name(each); text != "" {
			names = append(names, text)
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
