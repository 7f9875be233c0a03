package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"bgremover.pro/core/config"
	"bgremover.pro/core/cutout"
	"bgremover.pro/core/model"
)

func modelsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "models",
		Short: "List, install and verify models and ONNX Runtime.",
	}
	cmd.AddCommand(modelsListCommand(), modelsPullCommand(), modelsVerifyCommand(),
		modelsDeriveCommand(), modelsCalibrateCommand())
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
	return &cobra.Command{
		Use:   "list",
		Short: "List the available models, whether they are installed, and their licences.",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			store, _, err := openStore()
			if err != nil {
				return err
			}
			listed, problems := store.List()
			w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 8, 2, ' ', 0)
			fmt.Fprintln(w, "NAME\tINSTALLED\tSIZE\tWHAT\tLICENCE")
			for _, l := range listed {
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", l.Name, yesNo(l.Installed), size(l.Bytes), l.About, orUnknown(l.Licence))
			}
			if err := w.Flush(); err != nil {
				return err
			}
			for _, problem := range problems {
				fmt.Fprintln(cmd.ErrOrStderr(), "bgremover:", problem)
			}
			return nil
		},
	}
}

func modelsPullCommand() *cobra.Command {
	var wanted model.Wanted
	var runtimes []string
	cmd := &cobra.Command{
		Use:   "pull [MODEL...]",
		Short: "Install ONNX Runtime and models (default: the configured model).",
		Long: `Installs ONNX Runtime and the named models (or the configured one) into the data
folder and verifies the checksum of each file. Installed files are left alone,
and interrupted downloads resume.

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
			return nil
		},
	}
	cmd.Flags().StringVar(&wanted.From, "from", "", "install from files in `DIR`")
	cmd.Flags().StringSliceVar(&runtimes, "runtime", []string{"cpu", "web"}, "builds of ONNX Runtime: cpu, cuda (CUDA 13, with its libraries), cuda12 (for older drivers), web (for photos that visitors process on their own devices)")
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
