// Package config loads the settings into one tree, which holds the parts' own settings
// as they are: defaults, then the file (bgremover.toml),
// then the environment (BGREMOVER_*), then flags, each overriding those before
// it. Load reports every mistake at once; Live reloads while the server runs.
package config

import (
	"net/netip"
	"time"

	"bgremover.pro/core/accesslog"
	"bgremover.pro/core/httpcache"
	"bgremover.pro/core/purge"
	"bgremover.pro/core/ratelimit"
)

// Config is a valid set of settings. It never changes once loaded.
type Config struct {
	Server     Server
	Operator   Operator
	Folders    Folders
	Inference  Inference
	Limits     Limits
	Log        Log
	Cache      httpcache.Lifetimes // of public pages
	EdgeCaches purge.Caches        // the shared caches in front of the server
	Backends   []Backend           // in the order of their names

	// File is the file that was read; empty if there is none.
	File string

	values []Value
}

// Server is the public listener.
type Server struct {
	Listen         []string
	FetchHosts     []string // that photos may be downloaded from; "*" for all
	PublicURL      string   // without a trailing slash; empty: taken from the request
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
	Plugins string // empty: "plugins" next to the binary
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
	Processing   string        // where photos are processed unless a visitor chooses: "server", "device" or "auto"
	// DeviceSizes are the input sizes that visitors' devices are offered, "all" or
	// numbers; "off" offers none.
	DeviceSizes string
}

// Limits says how much a visitor may send.
type Limits struct {
	ratelimit.Rules
	RedisURL string
	Loads    ratelimit.Rate // of models and backends that a device names
}

// Log says what is logged, and how long it is kept.
type Log struct {
	Level  string // "debug", "info", "warn" or "error"
	Format string // "text" or "json"
	Access string // "file", "stdout" or "off"
	Lines  accesslog.Settings
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
