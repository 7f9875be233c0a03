package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"bgremover.pro/core/admin"
)

func limitsCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "limits",
		Short: "List the limits of the running server, change them, or see whom a change would refuse.",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var all []admin.Limit
			if err := callOperator(cmd.Context(), http.MethodGet, "/limits.json", nil, &all); err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(all)
			}
			w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 8, 2, ' ', 0)
			fmt.Fprintln(w, "LIMIT\tVALUE\tSET BY")
			for _, l := range all {
				origin := l.Origin
				if l.Changed {
					origin = "the operator, until the next start"
				}
				fmt.Fprintf(w, "%s\t%s\t%s\n", l.Key, cmp.Or(l.Value, "-"), cmp.Or(origin, "-"))
			}
			return w.Flush()
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON, for scripts")
	cmd.AddCommand(limitsSetCommand(), limitsPreviewCommand(), limitsRevertCommand())
	return cmd
}

// limitsForm reads KEY=VALUE arguments; key:NAME is the rate of an API key.
func limitsForm(args []string) (url.Values, error) {
	form := url.Values{}
	for _, arg := range args {
		key, value, ok := strings.Cut(arg, "=")
		if !ok || !strings.HasPrefix(key, "limits_") && !strings.HasPrefix(key, admin.KeyPrefix) {
			return nil, fmt.Errorf("%q is not of the form limits_device=100/1h or key:NAME=1000/1h", arg)
		}
		form.Set(key, value)
	}
	return form, nil
}

func limitsSetCommand() *cobra.Command {
	var persist bool
	cmd := &cobra.Command{
		Use:   "set KEY=VALUE...",
		Short: "Change limits, such as limits_device=100/1h, or key:shop=1000/1h for an API key.",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			form, err := limitsForm(args)
			if err != nil {
				return err
			}
			if persist {
				form.Set("persist", "yes")
			}
			return tell(cmd, "/limits", form, "applied")
		},
	}
	cmd.Flags().BoolVar(&persist, "persist", false, "keep them in the settings file too")
	return cmd
}

func limitsRevertCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "revert KEY",
		Short: "Undo a change of a limit: the settings file's value applies again.",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return tell(cmd, "/limits/revert", url.Values{"key": args}, args[0]+" is back to the settings file's value")
		},
	}
}

// tell sends a form to the running server and prints the outcome.
func tell(cmd *cobra.Command, path string, form url.Values, done string) error {
	if err := callOperator(cmd.Context(), http.MethodPost, path, form, nil); err != nil {
		return err
	}
	fmt.Fprintln(cmd.OutOrStdout(), done)
	return nil
}

func limitsPreviewCommand() *cobra.Command {
	var address string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "preview KEY=VALUE...",
		Short: "Show whom a change of limits would refuse now; nothing is changed.",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			form, err := limitsForm(args)
			if err != nil {
				return err
			}
			form.Set("address", address)
			var p struct {
				Senders  int      `json:"senders"`
				Already  int      `json:"already"`
				Refused  []string `json:"refused"`
				Admitted []string `json:"admitted"`
				Address  string   `json:"address"`
			}
			if err := callOperator(cmd.Context(), http.MethodPost, "/limits/preview", form, &p); err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			if asJSON {
				return json.NewEncoder(out).Encode(p)
			}
			fmt.Fprintf(out, "recent senders    %d\nwould be refused  %d %s\nare already       %d\nadmitted again    %d %s\n",
				p.Senders, len(p.Refused), strings.Join(p.Refused, " "), p.Already, len(p.Admitted), strings.Join(p.Admitted, " "))
			if p.Address != "" {
				fmt.Fprintln(out, p.Address)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&address, "address", "", "also say what an `ADDRESS` would get")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON, for scripts")
	return cmd
}

func devicesCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "devices",
		Short: "List the busiest devices of the running server; block, unblock or clear one.",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var all []struct {
				Device  string        `json:"device"`
				Photos  int64         `json:"photos"`
				Refused int64         `json:"refused"`
				Last    time.Duration `json:"last_ns"`
				Blocked bool          `json:"blocked"`
			}
			if err := callOperator(cmd.Context(), http.MethodGet, "/devices.json", nil, &all); err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(all)
			}
			w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 8, 2, ' ', 0)
			fmt.Fprintln(w, "DEVICE\tPHOTOS\tREFUSED\tLAST SEEN\tBLOCKED")
			for _, d := range all {
				fmt.Fprintf(w, "%s\t%d\t%d\t%v ago\t%s\n", d.Device, d.Photos, d.Refused, d.Last, yesNo(d.Blocked))
			}
			return w.Flush()
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON, for scripts")
	for action, what := range map[string]string{"block": "Refuse a device for two days.", "unblock": "End the block of a device.", "clear": "Reset a device's quota."} {
		cmd.AddCommand(&cobra.Command{
			Use: action + " DEVICE", Short: what, Args: cobra.ExactArgs(1),
			RunE: func(cmd *cobra.Command, args []string) error {
				return tell(cmd, "/devices/"+action, url.Values{"device": args}, args[0]+": "+action+" is done")
			},
		})
	}
	return cmd
}

func configReloadCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "reload",
		Short: "Have the running server read its settings again, and show what has changed.",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			changes := []string{}
			if err := callOperator(cmd.Context(), http.MethodPost, "/config/reload", url.Values{}, &changes); err != nil {
				return err
			}
			if len(changes) == 0 {
				changes = []string{"Nothing has changed."}
			}
			fmt.Fprintln(cmd.OutOrStdout(), strings.Join(changes, "\n"))
			return nil
		},
	}
}
