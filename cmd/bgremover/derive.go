package main

import (
	"fmt"
	"os"
	"strconv"
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
		ValidArgsFunction: completeModels,
		Use:               "derive [MODEL...]",
		Short:             "Derive faster graphs from installed models (default: the configured one).",
		Long: `Derives smaller and integer graphs from installed models, compares each with its
model on a built-in picture, and keeps those that agree and are faster on this
machine. The server does the same at its first start. Both also compress what
visitors' own devices fetch. Earlier decisions are kept; models that cannot be made
faster are used as published.`,
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
				if err := prepareForBrowsers(cmd, store, name); err != nil {
					return err
				}
			}
			refreshServer(cmd)
			return nil
		},
	}
}

// prepareForBrowsers makes what visitors' own devices fetch, and says what it costs
// each of them.
func prepareForBrowsers(cmd *cobra.Command, store *model.Store, name string) error {
	browser, err := store.Browser(cmd.Context(), name)
	switch {
	case cmd.Context().Err() != nil:
		return err
	case err != nil:
		fmt.Fprintf(cmd.OutOrStdout(), "%s: not for visitors' own devices: %s\n", name, cutout.MessageOf(err))
		return nil
	}
	var sizes []string
	for _, s := range browser.Sizes {
		sizes = append(sizes, strconv.Itoa(s))
	}
	fmt.Fprintf(cmd.OutOrStdout(), "%s: visitors' own devices fetch %.1f MB once, for %s pixels\n",
		name, float64(browser.Graph.Transfer)/1e6, strings.Join(sizes, ", "))
	return nil
}

// describe reports which graphs will be used for a model and how each trial went.
func describe(d model.Derived) string {
	var b strings.Builder
	if d.Reason != "" {
		fmt.Fprintf(&b, "%s: used as published: %s\n", d.Model, d.Reason)
		return b.String()
	}
	for _, g := range d.Graphs {
		fmt.Fprintf(&b, "%s: using %s at %d pixels\n", d.Model, g.Precision, g.Size)
	}
	for _, t := range d.Trials {
		fmt.Fprintf(&b, "  %4d %-4s ", t.Size, t.Precision)
		if t.Milliseconds > 0 {
			fmt.Fprintf(&b, "%6.0f ms, difference %.4f, overlap %.4f", t.Milliseconds, t.Difference, t.Overlap)
		}
		if t.Rejected != "" {
			fmt.Fprintf(&b, " rejected: %s", t.Rejected)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func modelsCalibrateCommand() *cobra.Command {
	var name string
	cmd := &cobra.Command{
		Use:   "calibrate PHOTO...",
		Short: "Measure tensor ranges on photos, for integer graphs of a model.",
		Long: `Measures on photos the range of values in each tensor of a model; "models derive"
needs these for integer graphs. Half a dozen typical photos are enough. For the
default model they are built in.`,
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
			fmt.Fprintf(cmd.OutOrStdout(), "%s: measured on %d photos; wrote %s\n", name, len(inputs), file)
			return nil
		},
	}
	cmd.Flags().StringVar(&name, "model", "", "the model to measure (default: the configured one)")
	return cmd
}
