package main

import (
	"os"

	"github.com/spf13/cobra"

	"bgremover.pro/core/app"
	"bgremover.pro/core/config"
)

func serveCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve the web app.",
		Long: `Serves the web app until SIGINT or SIGTERM, then finishes the running requests; a
second signal stops at once. SIGHUP, or saving the settings file, reloads the
settings. Every setting is also a flag.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			live, err := config.Open(config.Sources{Environ: os.Environ(), Flags: cmd.Flags()})
			if err != nil {
				return err
			}
			server, err := app.New(live, cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			defer server.Close()
			return server.Run(cmd.Context())
		},
	}
	config.AddFlags(cmd.Flags())
	return cmd
}
