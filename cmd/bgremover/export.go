package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"bgremover.pro/core/app"
	"bgremover.pro/core/model"
)

func modelsExportCommand() *cobra.Command {
	var to model.Export
	cmd := &cobra.Command{
		Use:   "export --for SERVER DIR [MODEL...]",
		Short: "Write a model's graphs for an inference server: Triton, KServe or MLServer.",
		Long: `Writes installed models (default: the configured one) into DIR as an inference
server wants them, each input size as a model NAME-SIZE with its configuration. The
backend open-inference uses them with -model '{model}-{size}'.

    --for triton    DIR is a model repository
    --for kserve    DIR has serve.py, for KServe's Python server
    --for mlserver  DIR is what "mlserver start" is given

The graphs are those that run fastest on this machine's processor, derived first if
they are not yet; with --gpu, the installed file's precision is kept. They take bytes
and normalise samples themselves, so that nothing else needs to know the model.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			store, settings, err := openStore()
			if err != nil {
				return err
			}
			to.Dir = args[0]
			names := args[1:]
			if len(names) == 0 {
				names = []string{settings.Inference.Model}
			}
			for _, name := range names {
				if _, err := store.Derive(cmd.Context(), name, app.DeriveProgram(settings)); err != nil {
					return err
				}
				graphs, err := store.Export(cmd.Context(), name, app.DeriveProgram(settings), to)
				if err != nil {
					return err
				}
				describeExport(cmd.OutOrStdout(), graphs)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&to.Server, "for", "", "the `SERVER`: triton, kserve or mlserver")
	cmd.Flags().BoolVar(&to.GPU, "gpu", false, "for servers with a GPU")
	_ = cmd.MarkFlagRequired("for")
	return cmd
}

func describeExport(out io.Writer, graphs []model.Exported) {
	for _, g := range graphs {
		batch := "any number of pictures at once"
		if !g.Batch {
			batch = "one picture at a time (" + g.Single + ")"
		}
		fmt.Fprintf(out, "%s: %s, %s\n", g.Name, g.File, batch)
	}
}
