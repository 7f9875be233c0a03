package app

import (
	"log/slog"

	"bgremover.pro/core/config"
	"bgremover.pro/core/model"
	"bgremover.pro/core/ratelimit"
	"bgremover.pro/core/web"
	"bgremover.pro/templates"
)

// Most parts take their settings from the configuration unchanged; these are the
// exceptions.

// webSettings takes what browsers can run, nil while that is not known.
func webSettings(c *config.Config, browser *model.Browser) *web.Settings {
	days := c.Log.Lines.Days
	if c.Log.Access == "off" {
		days = 0
	}
	return &web.Settings{
		SiteName:     c.Server.SiteName,
		ContactEmail: c.Server.ContactEmail,
		PublicURL:    c.Server.PublicURL,
		Limits:       templates.Limits{MaxUpload: c.Inference.MaxUpload, MaxPixels: c.Inference.MaxPixels, MaxPhotos: c.Inference.MaxPhotos},
		Mode:         c.Inference.Mode,
		Privacy: templates.Privacy{
			Device: templates.Rate(c.Limits.Device), Network: templates.Rate(c.Limits.Network),
			LogDays: days, LogAddress: c.Log.Lines.IP,
			Proxies: len(c.Server.TrustedProxies) > 0, SharedKey: c.Server.DeviceSecret != "", SharedCounters: c.Limits.RedisURL != "",
		},
		Processing: c.Inference.Processing,
		OnDevice:   onDevice(c, browser),
		Cache:      c.Cache,
	}
}

// loadRules limit the models that visitors cause to be loaded by naming them.
func loadRules(c *config.Config) ratelimit.Rules {
	r := c.Limits.Loads
	return ratelimit.Rules{Device: r, Network: ratelimit.Rate{Count: 4 * r.Count, Period: r.Period}}
}

func logLevel(c *config.Config) slog.Level {
	var level slog.Level
	if level.UnmarshalText([]byte(c.Log.Level)) != nil {
		return slog.LevelInfo
	}
	return level
}
