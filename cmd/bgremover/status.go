package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"bgremover.pro/core/admin"
)

// status is what the operator's page shows first.
type status struct {
	Ready      bool             `json:"ready"`
	Why        string           `json:"why"`
	Version    string           `json:"version"`
	Up         int              `json:"up_seconds"`
	Backend    string           `json:"backend"`
	Device     string           `json:"device"`
	Models     string           `json:"models"`
	Working    int              `json:"working"`
	Workers    int              `json:"workers"`
	Waiting    int              `json:"waiting"`
	Queue      int              `json:"queue"`
	NeedsDoing []string         `json:"needs_doing"`
	Photos     map[string]int64 `json:"photos_today"`
	Refused    map[string]int64 `json:"refused"`
	Errors     int              `json:"errors"`
	// Figures are the latest of the page's charts: times in seconds, memory in bytes.
	Figures map[string]map[string]float64 `json:"figures"`
}

func statusCommand() *cobra.Command {
	var asJSON bool
	var every time.Duration
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show the state of the running server, once or repeatedly.",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			server, err := findOperator()
			if err != nil {
				return err
			}
			for {
				var s status
				if err := server.call(cmd.Context(), http.MethodGet, "/status.json", nil, &s); err != nil {
					return err
				}
				if asJSON {
					err = json.NewEncoder(cmd.OutOrStdout()).Encode(s)
				} else {
					if every > 0 {
						fmt.Fprint(cmd.OutOrStdout(), "\x1b[H\x1b[2J") // clears the terminal
					}
					err = s.print(cmd.OutOrStdout())
				}
				if err != nil || every == 0 {
					return err
				}
				select {
				case <-time.After(every):
				case <-cmd.Context().Done():
					return nil
				}
			}
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON, for scripts")
	cmd.Flags().DurationVar(&every, "every", 0, "refresh it at this `interval`, such as 2s, until interrupted")
	return cmd
}

func (s status) print(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	state := "ready"
	if !s.Ready {
		state = "NOT READY: " + s.Why
	}
	fmt.Fprintf(w, "state\t%s\nversion\t%s, up for %v\n", state, s.Version, time.Duration(s.Up)*time.Second)
	if s.Backend != "" {
		fmt.Fprintf(w, "serving\t%s on %s, %s\n", s.Backend, s.Device, s.Models)
	}
	fmt.Fprintf(w, "queue\t%d of %d workers busy, %d of %d waiting\n", s.Working, s.Workers, s.Waiting, s.Queue)
	fmt.Fprintf(w, "photos today\t%s\nrefused\t%s\nerrors\t%d\n", listed(s.Photos), listed(s.Refused), s.Errors)
	for _, chart := range slices.Sorted(maps.Keys(s.Figures)) {
		fmt.Fprintf(w, "%s\t%s\n", strings.ToLower(chart), figures(chart, s.Figures[chart]))
	}
	for _, todo := range s.NeedsDoing {
		fmt.Fprintf(w, "needs doing\t%s\n", todo)
	}
	return w.Flush()
}

// figures lists the latest values of one chart.
func figures(chart string, values map[string]float64) string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(values)) {
		text := fmt.Sprintf("%.3g", values[name])
		switch {
		case strings.Contains(chart, "time"):
			text = time.Duration(values[name] * float64(time.Second)).Round(time.Millisecond).String()
		case chart == "Memory":
			text = size(int64(values[name]))
		}
		all = append(all, name+" "+text)
	}
	if len(all) == 0 {
		return "nothing measured"
	}
	return strings.Join(all, ", ")
}

// listed lists the counts that are not 0.
func listed(counts map[string]int64) string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		if counts[name] > 0 {
			all = append(all, fmt.Sprintf("%d %s", counts[name], name))
		}
	}
	if len(all) == 0 {
		return "none"
	}
	return strings.Join(all, ", ")
}

func errorsCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "errors",
		Short: "List the running server's latest errors, with their request ids and causes.",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var all []admin.Failure
			if err := callOperator(cmd.Context(), http.MethodGet, "/errors.json", nil, &all); err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(all)
			}
			w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 8, 2, ' ', 0)
			fmt.Fprintln(w, "TIME\tREQUEST\tSTATUS\tCODE\tROUTE\tCAUSE")
			for _, f := range all {
				fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%s\t%s\n", f.Time.UTC().Format(time.RFC3339), f.Request, f.Status, f.Code, f.Route, f.Cause)
			}
			return w.Flush()
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON, for scripts")
	return cmd
}

func actionsCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "actions",
		Short: "List what the operator has done since the running server's start.",
		Long: `Lists what the operator has done since the running server's start, on the page and
by commands. Earlier actions are in operator.DATE.log, next to the access log.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var all []admin.Action
			if err := callOperator(cmd.Context(), http.MethodGet, "/actions.json", nil, &all); err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(all)
			}
			w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 8, 2, ' ', 0)
			fmt.Fprintln(w, "TIME\tACTION\tOUTCOME")
			for _, a := range all {
				outcome := "done"
				if a.Failed {
					outcome = "failed"
				}
				fmt.Fprintf(w, "%s\t%s\t%s\n", a.Time.UTC().Format(time.RFC3339), a.What, outcome)
			}
			return w.Flush()
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON, for scripts")
	return cmd
}
