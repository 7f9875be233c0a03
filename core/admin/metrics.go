package admin

import (
	"cmp"
	"net/http"
	"strconv"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"bgremover.pro/core/accesslog"
	"bgremover.pro/core/cutout"
)

// Metrics is what the server counts, in a registry of its own. No label
// identifies a device, an address, a file name or anything else of a visitor.
type Metrics struct {
	registry *prometheus.Registry

	requests   *prometheus.CounterVec
	latency    *prometheus.HistogramVec
	received   prometheus.Counter
	sent       prometheus.Counter
	photos     *prometheus.CounterVec
	stages     *prometheus.HistogramVec
	inference  *prometheus.HistogramVec
	rejections prometheus.Counter
	limited    *prometheus.CounterVec
	logLeftOut prometheus.Counter
	reloads    *prometheus.CounterVec
	reloadGood prometheus.Gauge
	clockJumps prometheus.Counter

	refusals  atomic.Int64 // by limits and queue
	queueFull atomic.Int64 // of these, by the queue
}

// Build identifies the running program.
type Build struct{ Version, Revision, Go string }

// The buckets range from a cached page to a large photo on a slow machine.
var seconds = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60}

// NewMetrics creates the registry and the metrics that are counted as things
// happen. Watch adds those that are read on each scrape.
func NewMetrics(build Build) *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry()}
	counters := func(name, help string, labels ...string) *prometheus.CounterVec {
		v := prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "bgremover", Name: name, Help: help}, labels)
		m.registry.MustRegister(v)
		return v
	}
	times := func(name, help string, labels ...string) *prometheus.HistogramVec {
		v := prometheus.NewHistogramVec(prometheus.HistogramOpts{Namespace: "bgremover", Name: name, Help: help, Buckets: seconds}, labels)
		m.registry.MustRegister(v)
		return v
	}
	m.requests = counters("http_requests_total", "Responses of the public listener.", "route", "method", "code", "cache")
	m.latency = times("http_request_duration_seconds", "Time from a request to the end of its response.", "route")
	m.received = counters("http_received_bytes_total", "Bytes of uploads.").WithLabelValues()
	m.sent = counters("http_sent_bytes_total", "Bytes of responses.").WithLabelValues()
	m.photos = counters("photos_total", "Photos by outcome: ok, no_subject or an error code.", "outcome")
	m.stages = times("stage_duration_seconds", "Time of one stage of the pipeline.", "stage")
	m.inference = times("inference_duration_seconds", "Time inside the backend for one photo.", "backend", "device", "model")
	m.rejections = counters("queue_rejections_total", "Photos rejected because the queue was full.").WithLabelValues()
	m.limited = counters("limit_hits_total", "Requests refused by a limit: device, network, ceiling, key, blocked, or loads of models.", "limit")
	m.logLeftOut = counters("log_left_out_total", "Lines dropped from the server log because there were too many of their kind.").WithLabelValues()
	m.clockJumps = counters("clock_jumps_total", "How often the machine's clock was set by more than a minute.").WithLabelValues()
	m.reloads = counters("config_reloads_total", "Reloads of the configuration.", "result")
	m.reloadGood = prometheus.NewGauge(prometheus.GaugeOpts{Namespace: "bgremover", Name: "config_last_reload_successful", Help: "Whether the last configuration reload succeeded."})
	m.reloadGood.Set(1)
	info := prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: "bgremover", Name: "build_info", Help: "Build information; always 1."}, []string{"version", "revision", "go_version"})
	info.WithLabelValues(build.Version, build.Revision, build.Go).Set(1)
	m.registry.MustRegister(m.reloadGood, info, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))

	// What has not happened yet is a zero, not a gap.
	for _, limit := range []string{"device", "network", "ceiling", "key", "blocked", "loads"} {
		m.limited.WithLabelValues(limit)
	}
	m.reloads.WithLabelValues("ok")
	m.reloads.WithLabelValues("failed")
	return m
}

var methods = map[string]string{http.MethodGet: "GET", http.MethodHead: "HEAD", http.MethodPost: "POST"}

// Request counts a response. Made-up methods do not become labels.
func (m *Metrics) Request(r accesslog.Request) {
	route := cmp.Or(r.Route, "none")
	m.requests.WithLabelValues(route, cmp.Or(methods[r.Method], "other"), strconv.Itoa(r.Status), r.Class).Inc()
	m.latency.WithLabelValues(route).Observe(r.Duration.Seconds())
	m.received.Add(float64(r.Received))
	m.sent.Add(float64(r.Sent))
}

// Photo counts the outcome and the timings of one photo. Result is nil for an
// error.
func (m *Metrics) Photo(result *cutout.Result, err error) {
	code := cutout.CodeOf(err)
	if code == cutout.Busy {
		m.rejections.Inc()
		m.refusals.Add(1)
		m.queueFull.Add(1)
	}
	if err != nil || result == nil {
		m.photos.WithLabelValues(string(cmp.Or(code, cutout.Internal))).Inc()
		return
	}
	outcome := "ok"
	switch result.Subject {
	case cutout.SubjectNone:
		outcome = "no_subject"
	case cutout.SubjectUnsure:
		outcome = "unsure"
	}
	m.photos.WithLabelValues(outcome).Inc()
	for _, t := range result.Timings {
		m.stages.WithLabelValues(string(t.Stage)).Observe(t.Duration.Seconds())
	}
	m.inference.WithLabelValues(result.Run.Backend, result.Run.Device, result.Run.Model).Observe(result.Run.Inference.Seconds())
}

// LogLeftOut counts a line that was dropped from the server log.
func (m *Metrics) LogLeftOut() { m.logLeftOut.Inc() }

// Limited counts a refusal by a limit; ratelimit's Options.Refused.
func (m *Metrics) Limited(by string) {
	m.limited.WithLabelValues(by).Inc()
	m.refusals.Add(1)
}

// Reloaded counts a reload of the configuration.
func (m *Metrics) Reloaded(err error) {
	if err != nil {
		m.reloads.WithLabelValues("failed").Inc()
		m.reloadGood.Set(0)
		return
	}
	m.reloads.WithLabelValues("ok").Inc()
	m.reloadGood.Set(1)
}

// Handler serves the metrics.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{Registry: m.registry})
}
