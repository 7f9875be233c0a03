package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"bgremover.pro/core/app"
	"bgremover.pro/core/backend"
	"bgremover.pro/core/cutout"
	"bgremover.pro/core/model"
	"bgremover.pro/plugins/contract"
	"bgremover.pro/plugins/contracttest"
)

func backendsCommand() *cobra.Command {
	list := backendsListCommand()
	cmd := &cobra.Command{
		Use:   "backends",
		Short: "List the backends of the running server, switch between them, or check a new one.",
		Args:  cobra.NoArgs,
		RunE:  list.RunE,
	}
	cmd.Flags().AddFlagSet(list.Flags())
	cmd.AddCommand(list, backendsSwitchCommand(), backendsTryCommand(), backendsCheckCommand())
	return cmd
}

func backendsListCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the backends of the running server: state, device, models, memory, last error.",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var all []cutout.BackendStatus
			if err := callOperator(cmd.Context(), http.MethodGet, "/backends.json", nil, &all); err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(all)
			}
			w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 8, 2, ' ', 0)
			fmt.Fprintln(w, "NAME\tSTATE\tDEVICE\tPROVIDER\tMODELS\tMEMORY\tREQUESTS\tRESTARTS\tWHY")
			for _, s := range all {
				name := s.Name
				if s.Serving {
					name = "*" + name // serves requests that name no backend
				}
				why := s.Why
				if why == "" && s.LastError != "" {
					why = "last error: " + s.LastError
				}
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%d MiB\t%d\t%d\t%s\n", name, s.State, s.Device, s.Provider,
					strings.Join(s.Models, ","), s.Memory>>20, s.Requests, s.Restarts, why)
			}
			return w.Flush()
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON, for scripts")
	return cmd
}

func backendsSwitchCommand() *cobra.Command {
	var persist bool
	cmd := &cobra.Command{
		Use:               "switch NAME",
		ValidArgsFunction: completeBackends,
		Aliases:           []string{"use"},
		Short:             `Switch the running server to another backend; "auto" picks the best one that works.`,
		Long: `Starts the backend, tests it, and only then switches to it. No request is lost;
if the new backend fails, the old one keeps serving. The choice lasts until
the server's next start, unless it is saved in the settings file.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			err := callOperator(cmd.Context(), http.MethodPost, "/backends/active", url.Values{"name": args}, nil)
			if err != nil {
				return err
			}
			return chosen(cmd, args[0]+" serves", "backend", args[0], persist)
		},
	}
	cmd.Flags().BoolVar(&persist, "persist", false, "keep it in the settings file too")
	return cmd
}

// chosen tells how long a choice holds, and saves it in the settings file if it is to
// be kept.
func chosen(cmd *cobra.Command, said, key, name string, persist bool) error {
	if !persist {
		fmt.Fprintf(cmd.OutOrStdout(), "%s until the server's next start; to keep it, set %s = %q in the settings file, or use --persist\n", said, key, name)
		return nil
	}
	err := callOperator(cmd.Context(), http.MethodPost, "/config/keep", url.Values{"key": {key}}, nil)
	if err == nil {
		fmt.Fprintln(cmd.OutOrStdout(), said+", also after the next start: it is saved in the settings file")
	}
	return err
}

func backendsCheckCommand() *cobra.Command {
	var name string
	var env []string
	var noTLS, verbose bool
	cmd := &cobra.Command{
		Use:   "check [flags] NAME | COMMAND [ARGUMENT...]",
		Short: "Check that a configured backend, or a program, implements the backend contract.",
		Long: `Starts a backend of the settings, or a program, as the server would, runs the
conformance suite on it and reports for each rule whether it passed. The program
must be able to run the model.`,
		ValidArgsFunction: completeBackends,
		Args:              cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			store, settings, err := openStore()
			if err != nil {
				return err
			}
			if name == "" {
				name = settings.Inference.Model
			}
			m, err := store.Installed(name)
			if err != nil {
				return err
			}
			if len(args) == 1 && !strings.Contains(args[0], "/") && app.HasBackend(settings, store, args[0]) {
				return app.CheckBackend(cmd.Context(), settings, store, args[0], printTo(cmd))
			}
			if filepath.Base(args[0]) == "onnx-cuda" {
				if err := showGPU(cmd.OutOrStdout(), store); err != nil {
					return err
				}
				if library, err := store.CUDARuntime(); err == nil {
					env = append([]string{contract.EnvRuntime + "=" + library, app.GPULibraryPath(library)}, env...)
				}
			} else if library, err := store.Runtime(); err == nil {
				env = append([]string{contract.EnvRuntime + "=" + library}, env...)
			}
			spec := backend.Spec{Name: "checked", Command: args[0], Args: args[1:], Env: env}
			if err := spec.Validate(); err != nil {
				return err
			}
			path, err := spec.Path()
			if err != nil {
				return err
			}
			program := contracttest.Command{Path: path, Args: spec.Args, Env: spec.Environment(os.Environ()), TLS: !noTLS}
			if verbose {
				program.Stderr = cmd.ErrOrStderr()
			}
			return app.Conform(cmd.Context(), program, m, printTo(cmd))
		},
	}
	cmd.Flags().SetInterspersed(false) // flags after COMMAND belong to it
	cmd.Flags().StringVar(&name, "model", "", "an installed model (default: the configured one)")
	cmd.Flags().StringArrayVar(&env, "env", nil, "pass the environment variable `NAME` through, or set it with NAME=value")
	cmd.Flags().BoolVar(&noTLS, "no-tls", false, "the program does not support go-plugin's mutual TLS")
	cmd.Flags().BoolVarP(&verbose, "verbose", "v", false, "show what the program writes to standard error")
	return cmd
}

// printTo prints lines to a command's output.
func printTo(cmd *cobra.Command) func(string) {
	return func(line string) { fmt.Fprintln(cmd.OutOrStdout(), line) }
}

// showGPU prints which of the libraries that onnx-cuda needs are there, and which package
// has the others.
func showGPU(out io.Writer, store *model.Store) error {
	packages, err := store.GPULibraries()
	if err != nil {
		return err
	}
	for _, p := range packages {
		folders := map[string]bool{}
		for _, path := range p.Found {
			folders[filepath.Dir(path)] = true
		}
		if len(p.Found) > 0 {
			fmt.Fprintf(out, "found   %s, in %s\n", p.Package, strings.Join(slices.Sorted(maps.Keys(folders)), ", "))
		}
		if len(p.Missing) > 0 {
			fmt.Fprintf(out, "MISSING %s: %s\n", p.Package, strings.Join(p.Missing, ", "))
		}
	}
	return nil
}
