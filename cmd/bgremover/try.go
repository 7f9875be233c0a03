package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"bgremover.pro/core/cutout"
)

func backendsTryCommand() *cobra.Command {
	var model, to string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "try [NAME]",
		Short: "Have the running server cut out a test photo, and show times and memory.",
		Long: `Has the running server cut out a test photo on a backend, by default the serving
one. A backend that is off is started for it.`,
		ValidArgsFunction: completeBackends,
		Args:              cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var t cutout.Trial
			form := url.Values{"backend": args, "model": {model}}
			if err := callOperator(cmd.Context(), http.MethodPost, "/try", form, &t); err != nil {
				return err
			}
			if to != "" {
				if err := os.WriteFile(to, t.Picture, 0o644); err != nil { //nolint:gosec // a picture for the person who asked for it
					return err
				}
			}
			out := cmd.OutOrStdout()
			if asJSON {
				return json.NewEncoder(out).Encode(t)
			}
			var stages []string
			for _, s := range t.Stages {
				stages = append(stages, fmt.Sprintf("%s %.0f ms", s.Name, s.Times))
			}
			fmt.Fprintf(out, "ran on     %s, %s\nmodel      %s, mode %s, at %s pixels\nsubject    %s\ninference  %.0f ms\nstages     %s\naltogether %.0f ms\nmemory     %s\n",
				t.Backend, t.Device, t.Model, t.Mode, strings.Trim(strings.ReplaceAll(fmt.Sprint(t.Sizes), " ", ", "), "[]"), t.Subject,
				t.Inference, strings.Join(stages, ", "), t.Total, size(t.Memory))
			return nil
		},
	}
	cmd.Flags().StringVar(&model, "model", "", "an installed model (default: the server's)")
	cmd.Flags().StringVar(&to, "to", "", "write the cut-out to `FILE`, as WebP")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON, for scripts, with the picture in base64")
	return cmd
}
