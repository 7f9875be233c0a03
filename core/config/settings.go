package config

import (
	"net/netip"
	"strings"
	"time"
)

// setting describes one key: in the file as it is, in the environment as
// BGREMOVER_ and capitals, as a flag with dashes.
type setting struct {
	key, initial, help, accepts string
	secret                      bool // never shown; KEY_file names a file that holds it
	live                        bool // a reload brings it into effect; others wait for the next start
	set                         func(*Config, string) error
	get                         func(*Config) string
	copy                        func(to, from *Config)
}

func define[T any](key, initial, help string, k kind[T], field func(*Config) *T) setting {
	return setting{key: key, initial: initial, help: help, accepts: k.accepts,
		set: func(c *Config, s string) error {
			v, err := k.parse(s)
			if err == nil {
				*field(c) = v
			}
			return err
		},
		get:  func(c *Config) string { return k.format(*field(c)) },
		copy: func(to, from *Config) { *field(to) = *field(from) },
	}
}

func secret(s setting) setting { s.secret = true; return s }
func live(s setting) setting   { s.live = true; return s }

const day = 24 * time.Hour

// minDeviceSecret is the least length of device_secret: half the bits would do
// if they were random, but people type words.
const minDeviceSecret = 32

var (
	address = text("host:port, such as 127.0.0.1:9090 or :8080", isAddress)
	name    = text("a name in small letters, digits, dashes", isName)
	pemFile = folder
	free    = text("any text on one line", anything)
)

var settings = concat(serverSettings, operatorSettings, inferenceSettings, limitSettings, logSettings, cacheSettings, edgeSettings)

var serverSettings = []setting{
	define("listen", ":8080", "where visitors are served", address, func(c *Config) *string { return &c.Server.Listen }),
	live(define("public_url", "", "the site's address as visitors type it",
		text("http(s)://host without a path, or nothing", optional(isWebURL)), func(c *Config) *string { return &c.Server.PublicURL })),
	live(define("site_name", "BGRemover", "what the pages call the site", free, func(c *Config) *string { return &c.Server.SiteName })),
	live(define("contact_email", "", "shown on the contact page", text("an e-mail address, or nothing", optional(isEmail)),
		func(c *Config) *string { return &c.Server.ContactEmail })),
	define("tls_cert", "", "certificate of the public listener (PEM file)", pemFile, func(c *Config) *string { return &c.Server.TLSCert }),
	define("tls_key", "", "its key (PEM file)", pemFile, func(c *Config) *string { return &c.Server.TLSKey }),
	define("trusted_proxies", "", "whose X-Forwarded-For counts", list(proxy), func(c *Config) *[]netip.Prefix { return &c.Server.TrustedProxies }),
	secret(define("device_secret", "", "makes device ids the same on several replicas, and hides them in Redis; needed with redis_url",
		text("at least 32 characters, or nothing", optional(func(s string) bool { return len(s) >= minDeviceSecret })),
		func(c *Config) *string { return &c.Server.DeviceSecret })),
	define("max_connections", "4096", "connections open at a time", number(1, 1_000_000), func(c *Config) *int { return &c.Server.MaxConnections }),
	live(define("drain_delay", "2s", "at the end: not ready, but still serving, for so long", duration(0, 5*time.Minute),
		func(c *Config) *time.Duration { return &c.Server.DrainDelay })),
	live(define("drain_timeout", "30s", "at the end: how long requests may finish", duration(0, time.Hour),
		func(c *Config) *time.Duration { return &c.Server.DrainTimeout })),
	define("data_dir", defaultDataDir(), "runtime and models", folder, func(c *Config) *string { return &c.Folders.Data }),
	define("plugin_dir", "", "the backends' binaries; empty: plugins beside the binary", folder, func(c *Config) *string { return &c.Folders.Plugins }),
	define("log_dir", "", "access logs, and nothing else; empty: logs in data_dir", folder, func(c *Config) *string { return &c.Folders.Logs }),
}

var operatorSettings = []setting{
	define("admin_listen", "127.0.0.1:9090", "the operator's page and the metrics",
		text("host:port, such as 127.0.0.1:9090, or a socket that only this user may open, such as unix:/run/bgremover/operator",
			func(s string) bool { return isAddress(s) || isSocket(s) }), func(c *Config) *string { return &c.Operator.Listen }),
	secret(define("admin_token", "", "asked for on the operator's listener; empty: one is made in the file admin-token of data_dir",
		text("at least 16 characters, or nothing", optional(func(s string) bool { return len(s) >= 16 })),
		func(c *Config) *string { return &c.Operator.Token })),
	define("admin_metrics", "auto", "who reads /metrics; auto: everyone on this machine, unless admin_token is set", choice("auto", "open", "token"),
		func(c *Config) *string { return &c.Operator.Metrics }),
	define("admin_tls_cert", "", "certificate of the operator's listener (PEM file)", pemFile, func(c *Config) *string { return &c.Operator.TLSCert }),
	define("admin_tls_key", "", "its key (PEM file)", pemFile, func(c *Config) *string { return &c.Operator.TLSKey }),
	define("admin_client_ca", "", "whose client certificates are let in (PEM file)", pemFile, func(c *Config) *string { return &c.Operator.ClientCA }),
	define("admin_client_cert", "", "what bgremover health and backends show (PEM file); empty: admin_tls_cert", pemFile, func(c *Config) *string { return &c.Operator.ClientCert }),
	define("admin_client_key", "", "its key (PEM file)", pemFile, func(c *Config) *string { return &c.Operator.ClientKey }),
}

var inferenceSettings = []setting{
	live(define("backend", "auto", "which backend serves; auto: CUDA if it works, else the CPU", name, func(c *Config) *string { return &c.Inference.Backend })),
	live(define("model", "isnet", "which model serves", name, func(c *Config) *string { return &c.Inference.Model })),
	live(define("mode", "auto", "the mode where a request names none", choice("auto", "fast", "best"), func(c *Config) *string { return &c.Inference.Mode })),
	define("api_models", "", "models that a request may name; empty: all installed", list(name), func(c *Config) *[]string { return &c.Inference.Models }),
	define("api_backends", "", "backends that a request may name; empty: all configured", list(name), func(c *Config) *[]string { return &c.Inference.BackendNames }),
	live(define("max_upload", "30MiB", "a photo's size", size(1<<10, 1<<30), func(c *Config) *int64 { return &c.Inference.MaxUpload })),
	live(define("max_pixels", "50000000", "a photo's width times height", number(1, 1_000_000_000), func(c *Config) *int { return &c.Inference.MaxPixels })),
	live(define("max_side", "32767", "a photo's width and height each, in pixels", number(1, 1_000_000), func(c *Config) *int { return &c.Inference.MaxSide })),
	live(define("max_photos", "10", "photos in one form", number(1, 100), func(c *Config) *int { return &c.Inference.MaxPhotos })),
	define("memory", "1600MiB", "what photos may take in the server's process: a quarter for uploads, the rest for photos at work and results until they are sent", size(64<<20, 1<<40), func(c *Config) *int64 { return &c.Inference.Memory }),
	live(define("queue", "32", "photos waiting; more are told to come back", number(1, 100_000), func(c *Config) *int { return &c.Inference.Queue })),
	live(define("workers", "0", "photos at work at a time; 0: by the processor", number(0, 1024), func(c *Config) *int { return &c.Inference.Workers })),
	define("threads", "0", "threads of one inference; 0: by the processor", number(0, 1024), func(c *Config) *int { return &c.Inference.Threads }),
	define("timeout", "60s", "from a photo's arrival to its answer", duration(time.Second, time.Hour), func(c *Config) *time.Duration { return &c.Inference.Timeout }),
	define("idle_unload", "off", "free the model after so long without work; off: never", duration(0, 30*day), func(c *Config) *time.Duration { return &c.Inference.IdleUnload }),
}

var limitSettings = []setting{
	live(define("limits_device", "60/1h", "photos a device may send", rate, func(c *Config) *Rate { return &c.Limits.Device })),
	live(define("limits_network", "600/1h", "photos a network may send (IPv4 /32, IPv6 /64; 4 times it per /24 and /56, 16 times per /48)", rate,
		func(c *Config) *Rate { return &c.Limits.Network })),
	live(define("limits_routes", "", "a device's own rate on a route, such as /api/v1/cutouts=120/1h", list(routeRate),
		func(c *Config) *[]RouteRate { return &c.Limits.Routes })),
	live(define("limits_model_loads", "6/1h", "models and backends that a device may have loaded by naming them; those that are loaded cost nothing", rate,
		func(c *Config) *Rate { return &c.Limits.Loads })),
	live(define("limits_overrides", "", "other rates for some, such as 198.51.100.7=off or 203.0.113.0/24=block", list(override),
		func(c *Config) *[]Override { return &c.Limits.Overrides })),
	secret(live(define("api_keys", "", "programs' keys with their own rate (bgremover config key NAME makes one)", list(apiKey),
		func(c *Config) *[]APIKey { return &c.Limits.Keys }))),
	secret(define("redis_url", "", "counts for several replicas", text("redis://host:port/0, rediss:// or unix://, or nothing", optional(isRedisURL)),
		func(c *Config) *string { return &c.Limits.RedisURL })),
}

var logSettings = []setting{
	live(define("log_level", "info", "what the server says of itself", choice("debug", "info", "warn", "error"), func(c *Config) *string { return &c.Log.Level })),
	define("log_format", "text", "how it says it", choice("text", "json"), func(c *Config) *string { return &c.Log.Format }),
	define("access_log", "file", "where requests are written down", choice("file", "stdout", "off"), func(c *Config) *string { return &c.Log.Access }),
	live(define("access_log_format", "combined", "how", choice("combined", "json"), func(c *Config) *string { return &c.Log.AccessFormat })),
	live(define("access_log_ip", "full", "how much of the address", choice("full", "truncated", "none"), func(c *Config) *string { return &c.Log.AccessIP })),
	live(define("access_log_days", "30", "days that lines are kept", number(1, 30), func(c *Config) *int { return &c.Log.AccessDays })),
	live(define("access_log_gzip", "false", "compress the files of past days", flag, func(c *Config) *bool { return &c.Log.AccessGzip })),
	live(define("access_log_day_size", "256MiB", "what the lines of one day (UTC) may take; further ones are counted, not written", size(1<<20, 1<<40),
		func(c *Config) *int64 { return &c.Log.AccessDay })),
}

var cacheSettings = []setting{
	live(define("cache_browser", "1m", "browsers keep public pages", duration(0, day), func(c *Config) *time.Duration { return &c.Cache.Browser })),
	live(define("cache_edge", "10m", "shared caches keep them", duration(0, 30*day), func(c *Config) *time.Duration { return &c.Cache.Edge })),
	live(define("cache_stale", "1d", "old pages may stand in while a new one is fetched", duration(0, 30*day), func(c *Config) *time.Duration { return &c.Cache.Stale })),
	live(define("cache_stale_error", "7d", "old pages may stand in while the server is down", duration(0, 30*day), func(c *Config) *time.Duration { return &c.Cache.StaleError })),
}

var (
	webURL  = text("http(s)://host[:port] without a path or a slash at the end", func(s string) bool { return isWebURL(s) && !strings.HasSuffix(s, "/") })
	account = text("letters, digits, dashes, underscores, or nothing", optional(isAccount))
)

var edgeSettings = []setting{
	define("edge_varnish", "", "Varnishes to purge", list(webURL), func(c *Config) *[]string { return &c.Edges.Varnish }),
	define("edge_nginx", "", "nginxes to purge", list(webURL), func(c *Config) *[]string { return &c.Edges.Nginx }),
	define("edge_cloudflare_zone", "", "Cloudflare zone to purge", account, func(c *Config) *string { return &c.Edges.CloudflareZone }),
	secret(define("edge_cloudflare_token", "", "an API token that may purge it", free, func(c *Config) *string { return &c.Edges.CloudflareToken })),
	define("edge_fastly_service", "", "Fastly service to purge", account, func(c *Config) *string { return &c.Edges.FastlyService }),
	secret(define("edge_fastly_token", "", "an API token that may purge it", free, func(c *Config) *string { return &c.Edges.FastlyToken })),
}

func (s setting) flag() string { return strings.ReplaceAll(s.key, "_", "-") }

func concat(groups ...[]setting) []setting {
	var all []setting
	for _, g := range groups {
		all = append(all, g...)
	}
	return all
}
