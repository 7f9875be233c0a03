package app

import (
	"context"
	"errors"
	"fmt"

	"bgremover.pro/core/config"
	"bgremover.pro/core/httpcache"
	"bgremover.pro/core/purge"
	"bgremover.pro/core/web"
)

// Edges are the configured caches in front of the server.
func Edges(c *config.Config) purge.Edges {
	all := c.Edges
	all.Tag, all.Paths = httpcache.PagesTag, web.SharedPaths()
	return all
}

// purger is the action of the operator's button; nil if there is nothing to purge.
func purger(c *config.Config) func(context.Context) ([]string, error) {
	if len(c.Edges.Varnish)+len(c.Edges.Nginx) == 0 && c.Edges.Cloudflare.ID == "" && c.Edges.Fastly.ID == "" {
		return nil
	}
	return func(ctx context.Context) (purged []string, err error) {
		for _, o := range Edges(c).Purge(ctx) {
			if o.Err != nil {
				err = errors.Join(err, fmt.Errorf("%s: %w", o.Edge, o.Err))
				continue
			}
			purged = append(purged, o.Edge)
		}
		return purged, err
	}
}
