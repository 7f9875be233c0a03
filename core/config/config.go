// Package config loads the settings: defaults, then the file (bgremover.toml),
// then the environment (BGREMOVER_*), then flags, each overriding those before
// it. Load reports every mistake at once; Live reloads while the server runs.
package config

import (
	"net/netip"
	"time"
)

// Config is a valid set of settings. It never changes once loaded.
type Config struct {
	Server    Server
	Operator  Operator
	Folders   Folders
	Inference Inference
	Limits    Limits
	Log       Log
	Cache     Cache
	Edges     Edges
	Backends  []Backend // in the order of their names

	// File is the file that was read; empty if there is none.
	File string

	values []Value
}

// Server is the public listener.
type Server struct {
	Listen         string
	PublicURL      string // without a trailing slash; empty: taken from the request
	SiteName       string
	ContactEmail   string
	TLSCert        string
	TLSKey         string
	TrustedProxies []netip.Prefix
	DeviceSecret   string // shared by replicas; empty: random, in memory
	MaxConnections int
	DrainDelay     time.Duration // between "not ready" and closing the listener
	DrainTimeout   time.Duration // how long requests may still run after that
}

// Operator is the operator's listener.
type Operator struct {
	Listen   string // host:port, or unix: and an absolute path
	Token    string
	Metrics  string // "auto", "open" or "token"
	TLSCert  string
	TLSKey   string
	ClientCA string // PEM file; clients must show a certificate signed by it
	// ClientCert and ClientKey are the PEM files that our own commands show;
	// empty: TLSCert and TLSKey.
	ClientCert string
	ClientKey  string
}

// Folders are absolute paths.
type Folders struct {
	Data    string
	Plugins string // empty: "plugins" beside the binary
	Logs    string
}

// Inference says which backend and model run, and how much at a time.
type Inference struct {
	Backend      string // "auto" or a name
	Model        string
	Mode         string // "auto", "fast" or "best"
	Models       []string
	BackendNames []string
	MaxUpload    int64 // bytes a photo
	MaxPixels    int   // a photo
	MaxSide      int   // pixels of a photo's width and height each
	MaxPhotos    int   // a form
	Memory       int64 // bytes for uploads, photos in progress and unsent results together
	Queue        int   // photos waiting
	Workers      int   // photos in progress; 0: depends on the number of cores
	Threads      int   // of one inference; 0: depends on the number of cores
	Timeout      time.Duration
	IdleUnload   time.Duration // 0: never
}

// Limits says how much a visitor may send.
type Limits struct {
	Device    Rate
	Network   Rate
	Routes    []RouteRate
	Overrides []Override
	Keys      []APIKey
	RedisURL  string
	Loads     Rate // of models and backends that a device names
}

// Log says what is logged, and how long it is kept.
type Log struct {
	Level        string // "debug", "info", "warn" or "error"
	Format       string // "text" or "json"
	Access       string // "file", "stdout" or "off"
	AccessFormat string // "combined" or "json"
	AccessIP     string // "full", "truncated" or "none"
	AccessDays   int    // 1 to 30
	AccessGzip   bool
	AccessDay    int64 // bytes that the lines of one day may take
}

// Cache says how long public pages may be cached.
type Cache struct {
	Browser    time.Duration
	Edge       time.Duration
	Stale      time.Duration // while it is refreshed
	StaleError time.Duration // while this server is down
}

// Edges are the shared caches in front of the server, which it can purge.
type Edges struct {
	Varnish, Nginx                  []string // URLs without a trailing slash
	CloudflareZone, CloudflareToken string
	FastlyService, FastlyToken      string
}

// Backend is one configured backend.
type Backend struct {
	Name         string
	Command      string
	Args         []string
	Env          []string // names of variables that it inherits, or NAME=value
	Device       string   // such as "cpu", "cuda:0"; empty: its own choice
	Models       []string // the first is loaded at start; empty: all, the default first
	Concurrency  int      // 0: its own choice
	SHA256       string   // of the command's file, in hex; empty: not checked
	TLS          bool
	Memory       int64         // bytes that it needs; 0: what it last used
	MaxMemory    int64         // bytes at which a fresh process takes over; 0: no limit
	StartTimeout time.Duration // from start to handshake; 0: a minute
}

// Rate is a number of requests in a time; the zero Rate means no limit.
type Rate struct {
	Count  int64
	Period time.Duration
}

// RouteRate is a device's own rate on one route.
type RouteRate struct {
	Route string
	Rate  Rate
}

// Override is another rate for one device or for the addresses of a prefix.
type Override struct {
	Device string
	Prefix netip.Prefix
	Rate   Rate
	Block  bool
}

// APIKey is a program's key, known by its SHA-256 only.
type APIKey struct {
	Name   string
	SHA256 [32]byte
	Rate   Rate
}
