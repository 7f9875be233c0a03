// Package web is the public listener: its routes, and a handler for each. Handlers answer
// for pages, cut-outs, the device and health. No picture is kept: a result is part of the
// answer to its POST.
//
// An upload passes, in this order: request.go, which finds the settings in force and
// refuses what no handler should see; the route's handler in cutout.go; limits.go, which
// charges its sender; core/upload, which reads the photos and has the pipeline process
// them; and response.go, for a form with results.go, which answer. What caches may keep is
// made by core/httpcache.
package web

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"time"

	"bgremover.pro/core/accesslog"
	"bgremover.pro/core/cutout"
	"bgremover.pro/core/device"
	"bgremover.pro/core/fetch"
	"bgremover.pro/core/httpcache"
	"bgremover.pro/core/ratelimit"
	"bgremover.pro/core/upload"
	"bgremover.pro/templates"
)

// Limiter counts photos against a device and its network together, or against
// a program's key; *ratelimit.Limiter is one.
type Limiter interface {
	Charge(ctx context.Context, key ratelimit.Key, cost int) ratelimit.Decision
	Peek(ctx context.Context, key ratelimit.Key) ratelimit.Decision
	// Identify finds the program that an API key belongs to.
	Identify(apiKey string) (program string, found bool)
	// HasKeys reports whether any key is configured.
	HasKeys() bool
	// Forget deletes what is listed of a device, without giving back any of its
	// quota.
	Forget(device string)
}

// AccessLog writes a line; it must return at once. *accesslog.Logger is one.
type AccessLog interface{ Log(accesslog.Entry) }

type noLog struct{}

func (noLog) Log(accesslog.Entry) {}

// Settings are what may change while serving. A new pointer is a new
// generation: pages are rendered and compressed once for each.
type Settings struct {
	SiteName     string
	ContactEmail string // empty if the operator set none
	// PublicURL is the canonical address without a trailing slash, or empty.
	PublicURL string
	templates.Limits
	// Mode applies where a visitor chooses none.
	Mode string
	// Privacy is what the privacy page says, apart from what else is here.
	Privacy templates.Privacy
	Cache   httpcache.Lifetimes
	// Processing is where photos are processed unless a visitor chooses:
	// "server", "device" or "auto".
	Processing string
	// OnDevice is what visitors' devices need to process photos themselves; nil:
	// they cannot.
	OnDevice *OnDevice
}

// Options are what the listener is made of.
type Options struct {
	Remover upload.Remover
	Limiter Limiter
	Devices *device.Identifier
	// MayLoad, where set, returns why a sender may not have a model loaded or a
	// backend started by naming it; nil for one that is loaded or running already.
	MayLoad func(ctx context.Context, who ratelimit.Key, options cutout.Options) error
	// Offers, where set, reports whether a request may name a model.
	Offers func(model string) bool
	// Fetcher downloads photos that requests name by address; without one, none is.
	Fetcher *fetch.Fetcher
	// Settings returns the settings in force; it is called on every request.
	Settings func() *Settings
	// Ready returns why photos cannot be processed now, or nil.
	Ready func() error
	// Observe, where set, is called with the record of every request once it is complete.
	Observe func(accesslog.Request)
	// AccessLog, where set, gets a line for every answer.
	AccessLog AccessLog
	Log       *slog.Logger
	// Version names the release; it is part of the tag that edges purge by.
	Version string

	// TLS, where set, encrypts connections; it includes the certificates.
	TLS *tls.Config
	// MaxConnections bounds open connections; 0 means 1024.
	MaxConnections int
	// UploadMemory bounds the bytes of all uploads in flight, and a quarter of it
	// those of one visitor; 0 means 400 MiB.
	UploadMemory int64
	// Tight, where set, reports whether photos wait for memory that results hold.
	Tight func() bool
	// JobTimeout bounds one photo's time in the pipeline; 0 means 2 minutes.
	JobTimeout time.Duration
	// Pace bounds how slowly a client may send or receive; the zero value means
	// the default.
	Pace upload.Pace
}

func (o *Options) complete() error {
	if o.Remover == nil || o.Limiter == nil || o.Devices == nil || o.Settings == nil {
		return errors.New("web: Remover, Limiter, Devices and Settings are required")
	}
	if o.Ready == nil {
		o.Ready = func() error { return nil }
	}
	if o.MayLoad == nil {
		o.MayLoad = func(context.Context, ratelimit.Key, cutout.Options) error { return nil }
	}
	if o.Offers == nil {
		o.Offers = func(string) bool { return false }
	}
	if o.Fetcher == nil {
		o.Fetcher = fetch.New(fetch.Options{})
	}
	if o.Observe == nil {
		o.Observe = func(accesslog.Request) {}
	}
	if o.AccessLog == nil {
		o.AccessLog = noLog{}
	}
	if o.Tight == nil {
		o.Tight = func() bool { return false }
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.MaxConnections == 0 {
		o.MaxConnections = 1024
	}
	if o.UploadMemory == 0 {
		o.UploadMemory = 400 << 20
	}
	if o.JobTimeout == 0 {
		o.JobTimeout = 2 * time.Minute
	}
	if o.Pace == (upload.Pace{}) {
		o.Pace = upload.DefaultPace
	}
	return nil
}
