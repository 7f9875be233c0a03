package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"bgremover.pro/core/app"
	"bgremover.pro/core/cutout"
	"bgremover.pro/core/decode"
	"bgremover.pro/core/model"
	"bgremover.pro/core/tensor"
)

func modelsDeriveCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "derive [MODEL...]",
		Short: "Make faster graphs from installed models; without names, from the default one.",
		Long: `Makes smaller and integer graphs from installed models, compares each with the
model on a built-in picture, and keeps for this machine those that agree and are
faster. The server does the same at its first start. What was decided already
stays; models that cannot be made faster serve as they are.`,
		RunE: func(cmd *cobra.Command, names []string) error {
			store, settings, err := openStore()
			if err != nil {
				return err
			}
			if len(names) == 0 {
				names = []string{settings.Inference.Model}
			}
			for _, name := range names {
				derived, err := store.Derive(cmd.Context(), name, app.DeriveProgram(settings))
				if err != nil {
					return err
				}
				fmt.Fprint(cmd.OutOrStdout(), describe(derived))
			}
			return nil
		},
	}
}

// describe tells what serves a model and how each graph did.
func describe(d model.Derived) string {
	var b strings.Builder
	if d.Reason != "" {
		fmt.Fprintf(&b, "%s: serves as it is: %s\n", d.Model, d.Reason)
		return b.String()
	}
	for _, g := range d.Graphs {
		fmt.Fprintf(&b, "%s: %s serves at %d pixels\n", d.Model, g.Precision, g.Size)
	}
	for _, t := range d.Trials {
		fmt.Fprintf(&b, "  %4d %-4s ", t.Size, t.Precision)
		if t.Milliseconds > 0 {
			fmt.Fprintf(&b, "%6.0f ms, difference %.4f, overlap %.4f", t.Milliseconds, t.Difference, t.Overlap)
		}
		if t.Rejected != "" {
			fmt.Fprintf(&b, " not used: %s", t.Rejected)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func modelsCalibrateCommand() *cobra.Command {
	var name string
	cmd := &cobra.Command{
		Use:   "calibrate PHOTO...",
		Short: "Measure on photos what an integer graph of a model needs.",
		Long: `Measures on photos what values the tensors of a model take, from which
"models derive" makes its integer graphs. Half a dozen photos of what the model
will see are enough. The default model comes measured already.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, photos []string) error {
			store, settings, err := openStore()
			if err != nil {
				return err
			}
			if name == "" {
				name = settings.Inference.Model
			}
			entry, err := store.Entry(name)
			if err != nil {
				return err
			}
			var inputs []*cutout.Input
			for _, file := range photos {
				upload, err := os.ReadFile(file)
				if err != nil {
					return err
				}
				limits := decode.Limits{MaxSide: settings.Inference.MaxSide, MaxPixels: settings.Inference.MaxPixels, MaxMemory: settings.Inference.Memory, Timeout: settings.Inference.Timeout}
				photo, err := decode.Decode(cmd.Context(), upload, limits, false)
				if err != nil {
					return fmt.Errorf("%s: %w", file, err)
				}
				input, err := tensor.FromPhoto(cmd.Context(), photo, entry.Size, false)
				if err != nil {
					return err
				}
				inputs = append(inputs, input)
			}
			file, err := store.Calibrate(cmd.Context(), name, app.DeriveProgram(settings), inputs)
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s: measured on %d photos, written to %s\n", name, len(inputs), file)
			return nil
		},
	}
	cmd.Flags().StringVar(&name, "model", "", "the model to measure (default: the configured one)")
	return cmd
}
