package admin

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"bgremover.pro/core/accesslog"
	"bgremover.pro/core/cutout"
	"bgremover.pro/core/ratelimit"
	"bgremover.pro/templates"
)

// Sources is what the operator's page and the metrics read. Only Backends, Queue, Ready
// and Settings are required.
type Sources struct {
	Backends Backends
	Queue    func() Queue
	// Ready returns the reason why photos cannot be served now, or nil.
	Ready     func() error
	Limiter   *ratelimit.Limiter
	AccessLog *accesslog.Logger
	Settings  Settings
	// Folders are those that the server writes into, whose disks may be full.
	Folders []string
	// Purge purges the caches in front of the server and names those that did it;
	// nil if there are none.
	Purge func(ctx context.Context) (purged []string, err error)
	// Certificates are those that the listeners show.
	Certificates func() []Certificate
	// Damaged returns why the default model's file cannot be loaded again, or nil.
	Damaged func() error
	// Workshop is nil where nothing can be tried or installed.
	Workshop Workshop
}

// Workshop is what can be done with models and backends while the server runs. Each
// call returns when it is done, and its error is for the operator to read.
type Workshop interface {
	// Models lists the known models and runtimes.
	Models() []cutout.ModelStatus
	// Pull installs one; Remove deletes one; either takes effect at once.
	Pull(ctx context.Context, name string, progress func(what string, done, total int64)) error
	Remove(ctx context.Context, name string) error
	// Derive makes faster graphs from a model and says which.
	Derive(ctx context.Context, name string) (string, error)
	// Use makes a model the default until the next start.
	Use(ctx context.Context, name string) error
	// Refresh offers what another program has installed or removed.
	Refresh(ctx context.Context) error
	// Try cuts out a test photo; empty names mean those that serve.
	Try(ctx context.Context, backend, model string) (cutout.Trial, error)
	// Check runs the conformance suite on a second process of a backend.
	Check(ctx context.Context, backend string, say func(line string)) error
}

// Backends runs the inference.
type Backends interface {
	Snapshot() []cutout.BackendStatus
	// Switch makes a backend the active one, or "auto". It returns when the new
	// one is serving, or with the reason why the old one still is.
	Switch(ctx context.Context, name string) error
}

// Queue is the load of the pipeline.
type Queue struct {
	Working, Workers, Waiting, Capacity int
	Tight                               bool // photos wait for memory
}

// Certificate is one that a listener shows.
type Certificate struct {
	Listener string // "public" or "operator"
	Expires  time.Time
}

// Settings is the configuration.
type Settings interface {
	// List returns each setting with its origin.
	List() []Setting
	// Keys returns a setting for each API key: its name after KeyPrefix, and its rate.
	Keys() []Setting
	// Apply changes settings, until the next start or in the file too. Its
	// error is for the operator to read.
	Apply(values map[string]string, persist bool) error
	// Preview returns the limits as Apply would make them.
	Preview(values map[string]string) (ratelimit.Rules, error)
	// Revert undoes what Apply has set until the next start.
	Revert(key string) error
	// Reload reads all sources again and returns what changed, or the error.
	Reload() (changes []string, err error)
	// Last returns the latest reload; zero if there was none.
	Last() Reload
}

// KeyPrefix begins the names under which the rates of API keys are settings.
const KeyPrefix = "key:"

// Setting is one key of the configuration, as the page shows it.
type Setting = templates.OperatorSetting

// Reload is what a reload did.
type Reload struct {
	Time    time.Time
	Cause   string
	Changes []string
	Err     error
}

// Watch adds the metrics that are read on each scrape.
func (m *Metrics) Watch(s Sources) { m.registry.MustRegister(collector{s}) }

// collector reads the sources on each scrape.
type collector struct{ Sources }

func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("bgremover_"+name, help, labels, nil)
}

var (
	ready         = describe("ready", "Whether photos can be served.")
	queueWorking  = describe("queue_working", "Photos in progress.")
	queueWorkers  = describe("queue_workers", "Photos that may be in progress at a time.")
	queueWaiting  = describe("queue_waiting", "Photos waiting.")
	queueCapacity = describe("queue_capacity", "Photos that may wait.")
	queueTight    = describe("queue_memory_tight", "Whether photos wait for memory.")

	certificates = describe("certificate_expires_timestamp_seconds", "When a listener's certificate expires, in seconds since 1970.", "listener")
	damaged      = describe("model_damaged", "Whether the default model's file cannot be loaded again.")
	diskFree     = describe("disk_free_bytes", "Free space of the disk of a folder that the server writes into.", "folder")
	diskSize     = describe("disk_size_bytes", "Size of that disk.", "folder")

	backendState    = describe("backend_state", "The state of a backend: 1 for the one it is in.", "backend", "state")
	backendServing  = describe("backend_serving", "Whether requests that name no backend go to it.", "backend", "device", "provider")
	backendRestarts = describe("backend_restarts_total", "Processes started in place of another, which was replaced or crashed, before or after it was ready.", "backend")
	backendRequests = describe("backend_requests_total", "Runs of a backend.", "backend")
	backendFailures = describe("backend_failures_total", "Runs of a backend that failed.", "backend")
	backendRunning  = describe("backend_running", "Runs of a backend in progress.", "backend")
	backendMemory   = describe("backend_memory_bytes", "Resident memory of a backend's process.", "backend")

	limitCounters = describe("limit_counters", "Counters of the limits in memory.")
	limitDegraded = describe("limit_store_degraded", "Whether Redis is configured but does not answer.")
	limitLosses   = describe("limit_store_losses_total", "How often Redis was lost.")

	logLines   = describe("access_log_lines_total", "Lines written to the access log.")
	logDropped = describe("access_log_dropped_total", "Lines that could not be written.")
	logLeftOut = describe("access_log_left_out_total", "Lines dropped on purpose: of a flood from one address, or beyond the size of a day.", "why")
	logFiles   = describe("access_log_files", "Files of the access log.")
	logBytes   = describe("access_log_bytes", "Size of the access log's files.")
	logOldest  = describe("access_log_oldest_seconds", "Age of the oldest day in the access log.")
	logLimit   = describe("access_log_retention_seconds", "Age that no line of the access log reaches.")
	logSwept   = describe("access_log_last_sweep_seconds", "Time since the last sweep for old access logs.")
	logFailing = describe("access_log_sweep_failing", "Whether the last sweep for old access logs failed.")
)

// Describe sends nothing: the metrics depend on the sources.
func (collector) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (c collector) Collect(out chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	count := func(d *prometheus.Desc, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, v, labels...)
	}
	gauge(ready, truth(c.Ready() == nil))
	q := c.Queue()
	gauge(queueWorking, float64(q.Working))
	gauge(queueWorkers, float64(q.Workers))
	gauge(queueWaiting, float64(q.Waiting))
	gauge(queueCapacity, float64(q.Capacity))
	gauge(queueTight, truth(q.Tight))
	if c.Certificates != nil {
		for _, cert := range c.Certificates() {
			gauge(certificates, float64(cert.Expires.Unix()), cert.Listener)
		}
	}
	if c.Damaged != nil {
		gauge(damaged, truth(c.Damaged() != nil))
	}
	for _, folder := range c.Folders {
		if free, size, ok := disk(folder); ok {
			gauge(diskFree, free, folder)
			gauge(diskSize, size, folder)
		}
	}
	for _, b := range c.Backends.Snapshot() {
		for _, state := range []cutout.BackendState{"off", "starting", "warming", "ready", "draining", "failed", "unavailable"} {
			gauge(backendState, truth(b.State == state), b.Name, string(state))
		}
		gauge(backendServing, truth(b.Serving), b.Name, b.Device, b.Provider)
		gauge(backendRunning, float64(b.Running), b.Name)
		gauge(backendMemory, float64(b.Memory), b.Name)
		count(backendRestarts, float64(b.Restarts), b.Name)
		count(backendRequests, float64(b.Requests), b.Name)
		count(backendFailures, float64(b.Failures), b.Name)
	}
	if c.Limiter != nil {
		degraded, losses := c.Limiter.Degraded()
		gauge(limitCounters, float64(c.Limiter.Keys()))
		gauge(limitDegraded, truth(degraded))
		count(limitLosses, float64(losses))
	}
	if c.AccessLog != nil {
		s := c.AccessLog.Status()
		count(logLines, float64(s.Written))
		count(logDropped, float64(s.Dropped))
		count(logLeftOut, float64(s.Flooded), "flood")
		count(logLeftOut, float64(s.Overfull), "day")
		gauge(logFiles, float64(s.Files))
		gauge(logBytes, float64(s.Bytes))
		gauge(logLimit, (time.Duration(s.Days) * 24 * time.Hour).Seconds())
		gauge(logSwept, time.Since(s.Swept).Seconds())
		gauge(logFailing, truth(s.Err != nil))
		if !s.Oldest.IsZero() {
			gauge(logOldest, time.Since(s.Oldest).Seconds())
		}
	}
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
