package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"bgremover.pro/core/app"
	"bgremover.pro/core/config"
	"bgremover.pro/core/purge"
)

func edgeCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "edge",
		Short: "Manage the caches in front of the server.",
	}
	cmd.AddCommand(edgePurgeCommand())
	return cmd
}

func edgePurgeCommand() *cobra.Command {
	return withSettings(&cobra.Command{
		Use:   "purge",
		Short: "Purge old pages from the edge caches.",
		Long: `Purges old pages after a release, or after a change of settings that pages show:
every cache named in the settings edge_varnish, edge_nginx,
edge_cloudflare_zone and edge_fastly_service. Varnish, nginx and Fastly keep the
old pages in case the server is down.`,
	}, func(cmd *cobra.Command, c *config.Config) error {
		return purgeAll(cmd.Context(), cmd.OutOrStdout(), app.EdgeCaches(c))
	})
}

// purgeAll purges all caches and reports the outcome of each.
func purgeAll(ctx context.Context, out io.Writer, all purge.Caches) error {
	outcomes := all.Purge(ctx)
	if len(outcomes) == 0 {
		return errors.New("the settings name no cache to purge; see ops/edge.md")
	}
	failed := 0
	for _, o := range outcomes {
		if o.Err != nil {
			failed++
			fmt.Fprintf(out, "%s: %v\n", o.Cache, o.Err)
			continue
		}
		fmt.Fprintf(out, "%s: purged\n", o.Cache)
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d caches could not be purged", failed, len(outcomes))
	}
	return nil
}
