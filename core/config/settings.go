package config

import (
	"net/netip"
	"regexp"
	"strings"
	"time"

	"bgremover.pro/core/ratelimit"
)

// setting describes one key: in the file unchanged, in the environment as
// BGREMOVER_ and capitals, as a flag with dashes.
type setting struct {
	key, initial, help, accepts string
	group                       string // with what it is shown
	secret                      bool   // never shown; KEY_file names a file that holds it
	live                        bool   // a reload applies it; others need a restart
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

var sizesForm = regexp.MustCompile(`^[1-9][0-9]{1,3}(,[1-9][0-9]{1,3})*$`)

var (
	address = text("host:port, such as 127.0.0.1:9090 or :8080", isAddress)
	// Ports other than 80 and 443 have to be named.
	fetchHost = text("host names such as photos.example.com, *.example.com or example.com:8443, or * for all public ones", isHostPattern)

	name    = text("a name in lower-case letters, digits and dashes", isName)
	pemFile = folder
	// deviceSizes leaves it to the model which sizes there are.
	deviceSizes = text("all, off, or a comma-separated list of pixels a side, such as 512,1024", func(s string) bool {
		return s == "all" || s == "off" || sizesForm.MatchString(s)
	})
	free = text("any text on one line", anything)
)

var settings = concat(grouped("Site and server", serverSettings), grouped("Operator", operatorSettings), grouped("Photos and models", inferenceSettings),
	grouped("Limits", limitSettings), grouped("Logs", logSettings), grouped("Caching", cacheSettings), grouped("Edge caches", edgeSettings))

var serverSettings = []setting{
	define("listen", ":8080", "addresses of the public listener", list(address), func(c *Config) *[]string { return &c.Server.Listen }),
	live(define("fetch_hosts", "", "hosts that photos may be downloaded from where a request names an address; *: all public ones; empty: none", list(fetchHost),
		func(c *Config) *[]string { return &c.Server.FetchHosts })),
	live(define("public_url", "", "public URL of the site",
		text("http(s)://host without a path, or nothing", optional(isWebURL)), func(c *Config) *string { return &c.Server.PublicURL })),
	live(define("site_name", "BGRemover", "name of the site on its pages", free, func(c *Config) *string { return &c.Server.SiteName })),
	live(define("contact_email", "", "e-mail address on the contact page", text("an e-mail address, or nothing", optional(isEmail)),
		func(c *Config) *string { return &c.Server.ContactEmail })),
	define("tls_cert", "", "certificate of the public listener (PEM file)", pemFile, func(c *Config) *string { return &c.Server.TLSCert }),
	define("tls_key", "", "private key for tls_cert (PEM file)", pemFile, func(c *Config) *string { return &c.Server.TLSKey }),
	define("trusted_proxies", "", "proxies whose X-Forwarded-For is trusted", list(proxy), func(c *Config) *[]netip.Prefix { return &c.Server.TrustedProxies }),
	secret(define("device_secret", "", "secret that makes device ids the same on all replicas and unreadable in Redis; required with redis_url",
		text("at least 32 characters, or nothing", optional(func(s string) bool { return len(s) >= minDeviceSecret })),
		func(c *Config) *string { return &c.Server.DeviceSecret })),
	define("max_connections", "4096", "maximum number of open connections", number(1, 1_000_000), func(c *Config) *int { return &c.Server.MaxConnections }),
	live(define("drain_delay", "2s", "on shutdown: how long to report not ready while still serving", duration(0, 5*time.Minute),
		func(c *Config) *time.Duration { return &c.Server.DrainDelay })),
	live(define("drain_timeout", "30s", "on shutdown: how long running requests may take to finish", duration(0, time.Hour),
		func(c *Config) *time.Duration { return &c.Server.DrainTimeout })),
	define("data_dir", defaultDataDir(), "folder of the runtime and the models", folder, func(c *Config) *string { return &c.Folders.Data }),
	define("plugin_dir", "", "folder of the backends' binaries; empty: plugins next to the binary", folder, func(c *Config) *string { return &c.Folders.Plugins }),
	define("log_dir", "", "folder of the access logs, and nothing else; empty: logs in data_dir", folder, func(c *Config) *string { return &c.Folders.Logs }),
}

var operatorSettings = []setting{
	define("admin_listen", "127.0.0.1:9090", "address of the operator's page and the metrics",
		text("host:port, such as 127.0.0.1:9090, or a socket that only this user may open, such as unix:/run/bgremover/operator",
			func(s string) bool { return isAddress(s) || isSocket(s) }), func(c *Config) *string { return &c.Operator.Listen }),
	secret(define("admin_token", "", "token for the operator's listener; empty: one is generated in the file admin-token of data_dir",
		text("at least 16 characters, or nothing", optional(func(s string) bool { return len(s) >= 16 })),
		func(c *Config) *string { return &c.Operator.Token })),
	define("admin_metrics", "auto", "who may read /metrics; auto: everyone on this machine, unless admin_token is set", choice("auto", "open", "token"),
		func(c *Config) *string { return &c.Operator.Metrics }),
	define("admin_tls_cert", "", "certificate of the operator's listener (PEM file)", pemFile, func(c *Config) *string { return &c.Operator.TLSCert }),
	define("admin_tls_key", "", "private key for admin_tls_cert (PEM file)", pemFile, func(c *Config) *string { return &c.Operator.TLSKey }),
	define("admin_client_ca", "", "CA whose client certificates are accepted (PEM file)", pemFile, func(c *Config) *string { return &c.Operator.ClientCA }),
	define("admin_client_cert", "", "client certificate of bgremover health and backends (PEM file); empty: admin_tls_cert", pemFile, func(c *Config) *string { return &c.Operator.ClientCert }),
	define("admin_client_key", "", "private key for admin_client_cert (PEM file)", pemFile, func(c *Config) *string { return &c.Operator.ClientKey }),
}

var inferenceSettings = []setting{
	live(define("backend", "auto", "backend for requests that name none; auto: CUDA if it works, else the CPU", name, func(c *Config) *string { return &c.Inference.Backend })),
	live(define("model", "isnet", "model for requests that name none", name, func(c *Config) *string { return &c.Inference.Model })),
	live(define("mode", "auto", "mode for requests that name none", choice("auto", "fast", "best"), func(c *Config) *string { return &c.Inference.Mode })),
	live(define("processing", "server", "where photos are processed unless a visitor chooses: on the server, on the visitor's own device, or auto: on the server, and on the device where the server cannot",
		choice("server", "device", "auto"), func(c *Config) *string { return &c.Inference.Processing })),
	live(define("device_sizes", "all", "input sizes at which visitors' devices may process photos; off: visitors cannot choose their device", deviceSizes, func(c *Config) *string { return &c.Inference.DeviceSizes })),
	define("api_models", "", "models that a request may name; empty: all installed", list(name), func(c *Config) *[]string { return &c.Inference.Models }),
	define("api_backends", "", "backends that a request may name; empty: all configured", list(name), func(c *Config) *[]string { return &c.Inference.BackendNames }),
	live(define("max_upload", "30MiB", "maximum size of a photo's file", size(1<<10, 1<<30), func(c *Config) *int64 { return &c.Inference.MaxUpload })),
	live(define("max_pixels", "50000000", "maximum width times height of a photo", number(1, 1_000_000_000), func(c *Config) *int { return &c.Inference.MaxPixels })),
	live(define("max_side", "32767", "maximum width and height of a photo, in pixels", number(1, 1_000_000), func(c *Config) *int { return &c.Inference.MaxSide })),
	live(define("max_photos", "10", "maximum number of photos in one form", number(1, 100), func(c *Config) *int { return &c.Inference.MaxPhotos })),
	define("memory", "1600MiB", "memory for photos in the server's process: a quarter for uploads, the rest for photos in progress and results not yet sent", size(64<<20, 1<<40), func(c *Config) *int64 { return &c.Inference.Memory }),
	live(define("queue", "32", "maximum number of waiting photos; further ones are rejected", number(1, 100_000), func(c *Config) *int { return &c.Inference.Queue })),
	live(define("workers", "0", "photos processed at a time; 0: depends on the number of cores", number(0, 1024), func(c *Config) *int { return &c.Inference.Workers })),
	define("threads", "0", "threads of one inference; 0: depends on the number of cores", number(0, 1024), func(c *Config) *int { return &c.Inference.Threads }),
	define("timeout", "60s", "maximum time from a photo's arrival to its result", duration(time.Second, time.Hour), func(c *Config) *time.Duration { return &c.Inference.Timeout }),
	define("idle_unload", "off", "stop an idle backend after this time, to free its memory; off: never", duration(0, 30*day), func(c *Config) *time.Duration { return &c.Inference.IdleUnload }),
}

var limitSettings = []setting{
	live(define("limits_device", "60/1h", "photos that a device may send", rate, func(c *Config) *ratelimit.Rate { return &c.Limits.Device })),
	live(define("limits_network", "600/1h", "photos that a network may send (IPv4 /32, IPv6 /64; 4 times as many per /24 and /56, 16 times per /48)", rate,
		func(c *Config) *ratelimit.Rate { return &c.Limits.Network })),
	live(define("limits_routes", "", "separate rate of a device on a route, such as /api/v1/cutouts=120/1h", list(routeRate),
		func(c *Config) *[]ratelimit.RouteRate { return &c.Limits.Routes })),
	live(define("limits_model_loads", "6/1h", "loads that a device may cause by naming models or backends; those already loaded cost nothing", rate,
		func(c *Config) *ratelimit.Rate { return &c.Limits.Loads })),
	live(define("limits_overrides", "", "exceptions for devices and networks, such as 198.51.100.7=off or 203.0.113.0/24=block", list(override),
		func(c *Config) *[]ratelimit.Override { return &c.Limits.Overrides })),
	secret(live(define("api_keys", "", "API keys of programs, each with its rate (bgremover config key NAME makes one)", list(apiKey),
		func(c *Config) *[]ratelimit.APIKey { return &c.Limits.Keys }))),
	secret(define("redis_url", "", "Redis server for counters that several replicas share", text("redis://host:port/0, rediss:// or unix://, or nothing", optional(isRedisURL)),
		func(c *Config) *string { return &c.Limits.RedisURL })),
}

var logSettings = []setting{
	live(define("log_level", "info", "server log level", choice("debug", "info", "warn", "error"), func(c *Config) *string { return &c.Log.Level })),
	define("log_format", "text", "server log format", choice("text", "json"), func(c *Config) *string { return &c.Log.Format }),
	define("access_log", "file", "where requests are logged", choice("file", "stdout", "off"), func(c *Config) *string { return &c.Log.Access }),
	live(define("access_log_format", "combined", "access log format", choice("combined", "json"), func(c *Config) *string { return &c.Log.Lines.Format })),
	live(define("access_log_ip", "full", "how much of a visitor's address is logged", choice("full", "truncated", "none"), func(c *Config) *string { return &c.Log.Lines.IP })),
	live(define("access_log_days", "30", "days that access log lines are kept", number(1, 30), func(c *Config) *int { return &c.Log.Lines.Days })),
	live(define("access_log_gzip", "false", "compress the access logs of past days", flag, func(c *Config) *bool { return &c.Log.Lines.Gzip })),
	live(define("access_log_day_size", "256MiB", "maximum size of one day's access log (UTC); further lines are counted, not written", size(1<<20, 1<<40),
		func(c *Config) *int64 { return &c.Log.Lines.DayBytes })),
}

var cacheSettings = []setting{
	live(define("cache_browser", "1m", "how long browsers cache public pages", duration(0, day), func(c *Config) *time.Duration { return &c.Cache.MaxAge })),
	live(define("cache_edge", "10m", "how long shared caches keep public pages", duration(0, 30*day), func(c *Config) *time.Duration { return &c.Cache.SharedMaxAge })),
	live(define("cache_stale", "1d", "how long a stale page may be served while it is refreshed", duration(0, 30*day), func(c *Config) *time.Duration { return &c.Cache.WhileRevalidate })),
	live(define("cache_stale_error", "7d", "how long a stale page may be served while the server is down", duration(0, 30*day), func(c *Config) *time.Duration { return &c.Cache.IfError })),
}

var (
	webURL  = text("http(s)://host[:port] without a path or a slash at the end", func(s string) bool { return isWebURL(s) && !strings.HasSuffix(s, "/") })
	account = text("letters, digits, dashes, underscores, or nothing", optional(isAccount))
)

var edgeSettings = []setting{
	define("edge_varnish", "", "Varnish servers to purge", list(webURL), func(c *Config) *[]string { return &c.EdgeCaches.Varnish }),
	define("edge_nginx", "", "nginx servers to purge", list(webURL), func(c *Config) *[]string { return &c.EdgeCaches.Nginx }),
	define("edge_cloudflare_zone", "", "Cloudflare zone to purge", account, func(c *Config) *string { return &c.EdgeCaches.Cloudflare.ID }),
	secret(define("edge_cloudflare_token", "", "API token that may purge the zone", free, func(c *Config) *string { return &c.EdgeCaches.Cloudflare.Token })),
	define("edge_fastly_service", "", "Fastly service to purge", account, func(c *Config) *string { return &c.EdgeCaches.Fastly.ID }),
	secret(define("edge_fastly_token", "", "API token that may purge the service", free, func(c *Config) *string { return &c.EdgeCaches.Fastly.Token })),
}

func (s setting) flag() string { return strings.ReplaceAll(s.key, "_", "-") }

func grouped(name string, all []setting) []setting {
	for i := range all {
		all[i].group = name
	}
	return all
}

func concat(groups ...[]setting) []setting {
	var all []setting
	for _, g := range groups {
		all = append(all, g...)
	}
	return all
}
