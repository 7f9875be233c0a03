package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"bgremover.pro/core/app"
	"bgremover.pro/core/config"
	"bgremover.pro/core/cutout"
	"bgremover.pro/core/model"
)

func modelsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "models",
		Short: "List, install, remove and verify models and ONNX Runtime.",
	}
	list := modelsListCommand()
	cmd.Args, cmd.RunE = cobra.NoArgs, list.RunE
	cmd.Flags().AddFlagSet(list.Flags())
	cmd.AddCommand(list, modelsPullCommand(), modelsRemoveCommand(), modelsUseCommand(), modelsVerifyCommand(),
		modelsDeriveCommand(), modelsCalibrateCommand(), modelsExportCommand())
	return cmd
}

// openStore opens the model store in the configured data folder.
func openStore() (*model.Store, *config.Config, error) {
	settings, err := config.Load(config.Sources{Environ: os.Environ()})
	if err != nil {
		return nil, nil, err
	}
	return model.Open(settings.Folders.Data), settings, nil
}

func modelsListCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the available models, whether they are installed and loaded, and their licences.",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			store, settings, err := openStore()
			if err != nil {
				return err
			}
			all, problems := app.Models(store, settings.Inference.Model)
			loadedByServer(cmd.Context(), all)
			for _, problem := range problems {
				fmt.Fprintln(cmd.ErrOrStderr(), "bgremover:", problem)
			}
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(all)
			}
			w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 8, 2, ' ', 0)
			fmt.Fprintln(w, "NAME\tINSTALLED\tSIZE\tLOADED BY\tWHAT\tLICENCE")
			for _, m := range all {
				name := m.Name
				if m.Default {
					name = "*" + name // requests that name no model get it
				}
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", name, yesNo(m.Installed), size(m.Bytes), cmp.Or(strings.Join(m.Loaded, ","), "-"), m.About, orUnknown(m.Licence))
			}
			return w.Flush()
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON, for scripts")
	return cmd
}

// loadedByServer adds which models a server on this machine has loaded, and which is its
// default. Without a server they stay as the settings say.
func loadedByServer(ctx context.Context, all []cutout.ModelStatus) {
	var running []cutout.ModelStatus
	if callOperator(ctx, http.MethodGet, "/models.json", nil, &running) != nil {
		return
	}
	for _, r := range running {
		for i := range all {
			if all[i].Name == r.Name {
				all[i].Loaded, all[i].Default = r.Loaded, r.Default
			}
		}
	}
}

// refreshServer makes a server on this machine, if there is one, offer what the data folder
// now holds. Failing to is not an error of the command.
func refreshServer(cmd *cobra.Command) {
	err := callOperator(cmd.Context(), http.MethodPost, "/models/refresh", url.Values{}, nil)
	switch {
	case err == nil:
		fmt.Fprintln(cmd.OutOrStdout(), "The running server now offers what is installed.")
	case !errors.Is(err, errNoServer):
		fmt.Fprintln(cmd.ErrOrStderr(), "bgremover: the running server could not load it:", err)
	}
}

func modelsUseCommand() *cobra.Command {
	var persist bool
	cmd := &cobra.Command{
		ValidArgsFunction: completeModels,
		Use:               "use NAME",
		Short:             "Make a model the default of the running server, until its next start.",
		Args:              cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			err := callOperator(cmd.Context(), http.MethodPost, "/models/use", url.Values{"name": args}, nil)
			if err != nil {
				return err
			}
			return chosen(cmd, args[0]+" is the default", "model", args[0], persist)
		},
	}
	cmd.Flags().BoolVar(&persist, "persist", false, "keep it in the settings file too")
	return cmd
}

func modelsRemoveCommand() *cobra.Command {
	return &cobra.Command{
		ValidArgsFunction: completeModels,
		Use:               "remove MODEL...",
		Short:             "Delete installed models and what was derived from them.",
		Args:              cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, names []string) error {
			store, settings, err := openStore()
			if err != nil {
				return err
			}
			for _, name := range names {
				if name == settings.Inference.Model {
					return fmt.Errorf("%s is the default model; set another one first", name)
				}
				if err := store.Remove(cmd.Context(), name); err != nil {
					return err
				}
				fmt.Fprintln(cmd.OutOrStdout(), name, "is removed")
			}
			refreshServer(cmd)
			return nil
		},
	}
}

func modelsPullCommand() *cobra.Command {
	var wanted model.Wanted
	var runtimes []string
	cmd := &cobra.Command{
		ValidArgsFunction: completeModels,
		Use:               "pull [MODEL...]",
		Short:             "Install ONNX Runtime and models (default: the configured model).",
		Long: `Installs ONNX Runtime and the named models (or the configured one) into the data
folder and verifies the checksum of each file. Installed files are left alone,
and interrupted downloads resume. A server that runs on this machine with the same
settings offers them at once.

--from DIR reads the files from a folder instead of the network: either the
packages as published (such as onnxruntime-node-1.30.0.tgz) or the plain files
(such as isnet.onnx and libonnxruntime.so.1).`,
		RunE: func(cmd *cobra.Command, names []string) error {
			store, settings, err := openStore()
			if err != nil {
				return err
			}
			wanted.Models = names
			if len(names) == 0 {
				wanted.Models = []string{settings.Inference.Model}
			}
			bar := newPullBar(cmd.ErrOrStderr())
			defer bar.close()
			for _, name := range runtimes {
				wanted.Runtime = name
				if err := store.Pull(cmd.Context(), wanted, bar.show); err != nil {
					return err
				}
				wanted.Models = nil
			}
			bar.close()
			refreshServer(cmd)
			return nil
		},
	}
	cmd.Flags().StringVar(&wanted.From, "from", "", "install from files in `DIR`")
	cmd.Flags().StringSliceVar(&runtimes, "runtime", []string{"cpu"}, "builds of ONNX Runtime: cpu, cuda (CUDA 13, with its libraries), cuda12 (for older drivers)")
	return cmd
}

func modelsVerifyCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "verify",
		Short: "Verify the checksum of every installed file.",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			store, _, err := openStore()
			if err != nil {
				return err
			}
			checked, err := store.Verify(cmd.Context())
			if err != nil {
				return err
			}
			return report(cmd.OutOrStdout(), checked)
		},
	}
}

func report(out io.Writer, checked []model.Checked) error {
	bad := 0
	for _, c := range checked {
		if c.Err != nil {
			bad++
			fmt.Fprintf(out, "BAD  %s: %s\n", c.File, cutout.MessageOf(c.Err))
			continue
		}
		fmt.Fprintf(out, "ok   %s\n", c.File)
	}
	switch {
	case bad > 0:
		return fmt.Errorf("%d of %d files are damaged; delete them and run `bgremover models pull`", bad, len(checked))
	case len(checked) == 0:
		return errors.New("nothing is installed; run `bgremover models pull`")
	}
	return nil
}

func yesNo(yes bool) string {
	if yes {
		return "yes"
	}
	return "-"
}

func orUnknown(s string) string {
	if s == "" {
		return "unknown"
	}
	return s
}

func size(bytes int64) string {
	if bytes == 0 {
		return "-"
	}
	return fmt.Sprintf("%.0f MB", float64(bytes)/1e6)
}
