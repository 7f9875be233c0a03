package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/spf13/cobra"
)

// healthTimeout is shorter than the time that container engines allow for a check.
const healthTimeout = 3 * time.Second

func healthCommand() *cobra.Command {
	var live bool
	cmd := &cobra.Command{
		Use:   "health",
		Short: "Ask the running server whether it can serve photos; exit status 1 if not.",
		Long: `Asks the operator's listener of the server that runs on this machine with the
same settings; meant for health checks of containers. If admin_client_ca is set,
it presents admin_client_cert or, without that, the listener's own certificate,
which the authority must then have signed for client authentication as well.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, cancel := context.WithTimeout(cmd.Context(), healthTimeout)
			defer cancel()
			path := "/readyz"
			if live {
				path = "/healthz"
			}
			if err := callOperator(ctx, http.MethodGet, path, nil, nil); err != nil {
				return err
			}
			fmt.Fprintln(cmd.OutOrStdout(), "ok")
			return nil
		},
	}
	cmd.Flags().BoolVar(&live, "live", false, "ask only whether the server is alive, not whether it is ready")
	return cmd
}
