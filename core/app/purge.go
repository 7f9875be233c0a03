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

// EdgeCaches are the configured caches in front of the server.
func EdgeCaches(c *config.Config) purge.Caches {
	all := c.EdgeCaches
	all.Tag, all.Paths = httpcache.PagesTag, web.SharedPaths()
	return all
}

// purger is the action of the operator's button; nil if there is nothing to purge.
func purger(c *config.Config) func(context.Context) ([]string, error) {
	if len(c.EdgeCaches.Varnish)+len(c.EdgeCaches.Nginx) == 0 && c.EdgeCaches.Cloudflare.ID == "" && c.EdgeCaches.Fastly.ID == "" {
		return nil
	}
	return func(ctx context.Context) (purged []string, err error) {
		for _, o := range EdgeCaches(c).Purge(ctx) {
			if o.Err != nil {
				err = errors.Join(err, fmt.Errorf("%s: %w", o.Cache, o.Err))
				continue
			}
			purged = append(purged, o.Cache)
		}
		return purged, err
	}
}
