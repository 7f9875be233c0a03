package app

import (
	"log/slog"

	"bgremover.pro/core/accesslog"
	"bgremover.pro/core/config"
	"bgremover.pro/core/httpcache"
	"bgremover.pro/core/ratelimit"
	"bgremover.pro/core/web"
	"bgremover.pro/templates"
)

// Every part has settings of its own; these functions translate the configuration.

func webSettings(c *config.Config) *web.Settings {
	days := c.Log.AccessDays
	if c.Log.Access == "off" {
		days = 0
	}
	return &web.Settings{
		SiteName:       c.Server.SiteName,
		ContactEmail:   c.Server.ContactEmail,
		PublicURL:      c.Server.PublicURL,
		MaxUpload:      c.Inference.MaxUpload,
		MaxPixels:      c.Inference.MaxPixels,
		MaxPhotos:      c.Inference.MaxPhotos,
		Mode:           c.Inference.Mode,
		Device:         shownRate(c.Limits.Device),
		Network:        shownRate(c.Limits.Network),
		LogDays:        days,
		Proxies:        len(c.Server.TrustedProxies) > 0,
		SharedCounters: c.Limits.RedisURL != "",
		LogAddress:     c.Log.AccessIP,
		SharedKey:      c.Server.DeviceSecret != "",
		Cache: httpcache.Lifetimes{
			MaxAge:          c.Cache.Browser,
			SharedMaxAge:    c.Cache.Edge,
			WhileRevalidate: c.Cache.Stale,
			IfError:         c.Cache.StaleError,
		},
	}
}

func shownRate(r config.Rate) templates.Rate {
	return templates.Rate{Count: int(r.Count), Period: r.Period}
}

func limitRules(c *config.Config) ratelimit.Rules {
	rules := ratelimit.Rules{
		Device:  ratelimit.Rate(c.Limits.Device),
		Network: ratelimit.Rate(c.Limits.Network),
		Routes:  map[string]ratelimit.Rate{},
	}
	for _, r := range c.Limits.Routes {
		rules.Routes[r.Route] = ratelimit.Rate(r.Rate)
	}
	for _, o := range c.Limits.Overrides {
		rules.Overrides = append(rules.Overrides, ratelimit.Override{
			Device: o.Device, Prefix: o.Prefix, Rate: ratelimit.Rate(o.Rate), Block: o.Block,
		})
	}
	for _, k := range c.Limits.Keys {
		rules.Keys = append(rules.Keys, ratelimit.APIKey{Name: k.Name, SHA256: k.SHA256, Rate: ratelimit.Rate(k.Rate)})
	}
	return rules
}

// loadRules limit the models that visitors cause to be loaded by naming them.
func loadRules(c *config.Config) ratelimit.Rules {
	r := ratelimit.Rate(c.Limits.Loads)
	return ratelimit.Rules{Device: r, Network: ratelimit.Rate{Count: 4 * r.Count, Period: r.Period}}
}

func logLevel(c *config.Config) slog.Level {
	var level slog.Level
	if level.UnmarshalText([]byte(c.Log.Level)) != nil {
		return slog.LevelInfo
	}
	return level
}

func accessSettings(c *config.Config) accesslog.Settings {
	return accesslog.Settings{
		Format: c.Log.AccessFormat,
		IP:     c.Log.AccessIP,
		Days:   c.Log.AccessDays,
		Gzip:   c.Log.AccessGzip,

		DayBytes: c.Log.AccessDay,
	}
}
