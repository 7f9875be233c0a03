package admin_test

import (
	"errors"
	"net/netip"
	"os/exec"
	"strings"
	"testing"
	"time"

	"bgremover.pro/core/accesslog"
	"bgremover.pro/core/admin"
	"bgremover.pro/core/cutout"
	"bgremover.pro/core/ratelimit"
)

// busy gives every metric a value.
func busy(o *operator) {
	o.metrics.Request(accesslog.Request{Route: "/device/cutouts", Method: "POST", Status: 200, Class: "private", Received: 100, Sent: 200, Duration: time.Second})
	o.metrics.Request(accesslog.Request{Method: "PROPFIND", Status: 404, Class: "private", Duration: time.Millisecond})
	o.metrics.Photo(&cutout.Result{Subject: cutout.SubjectFound, Run: cutout.Run{Backend: "onnx-cpu", Device: "cpu", Model: "isnet", Inference: time.Second},
		Timings: []cutout.Timing{{Stage: cutout.Infer, Duration: time.Second}, {Stage: cutout.Decode, Duration: time.Millisecond}}}, nil)
	o.metrics.Photo(&cutout.Result{Subject: cutout.SubjectNone}, nil)
	o.metrics.Photo(&cutout.Result{Subject: cutout.SubjectUnsure}, nil)
	o.metrics.Photo(nil, cutout.Errorf(cutout.Busy, "full"))
	o.metrics.Photo(nil, errors.New("unknown"))
	for range 61 {
		o.limiter.Charge(o.t.Context(), ratelimit.Key{Device: "abcdefgh", Addr: netip.MustParseAddr("192.0.2.1")}, 1)
	}
	o.metrics.Reloaded(errors.New("bad file"))
}

func TestMetrics(t *testing.T) {
	o := start(t, admin.Access{})
	busy(o)
	got := o.ask("GET", "/metrics", nil).body
	for _, want := range []string{
		`bgremover_http_requests_total{cache="private",code="200",method="POST",route="/device/cutouts"} 1`,
		`bgremover_http_requests_total{cache="private",code="404",method="other",route="none"} 1`,
		`bgremover_http_request_duration_seconds_bucket{route="/device/cutouts",le="1"} 1`,
		`bgremover_stage_duration_seconds_count{stage="infer"} 1`,
		`bgremover_inference_duration_seconds_sum{backend="onnx-cpu",device="cpu",model="isnet"} 1`,
		`bgremover_photos_total{outcome="ok"} 1`, `bgremover_photos_total{outcome="no_subject"} 1`, `bgremover_photos_total{outcome="unsure"} 1`, `bgremover_photos_total{outcome="internal"} 1`,
		`bgremover_queue_rejections_total 1`, `bgremover_queue_waiting 3`, `bgremover_queue_capacity 32`,
		`bgremover_limit_hits_total{limit="device"} 1`, `bgremover_limit_hits_total{limit="network"} 0`, `bgremover_limit_store_degraded 0`,
		`bgremover_backend_state{backend="onnx-cuda",state="failed"} 1`, `bgremover_backend_restarts_total{backend="onnx-cuda"} 3`,
		`bgremover_backend_serving{backend="onnx-cpu",device="cpu",provider="CPUExecutionProvider"} 1`,
		`bgremover_access_log_lines_total 0`, `bgremover_access_log_dropped_total 0`, `bgremover_access_log_retention_seconds 2.592e+06`,
		`bgremover_config_reloads_total{result="failed"} 1`, `bgremover_config_last_reload_successful 0`, `bgremover_ready 1`,
		`bgremover_build_info{go_version="go1.26",revision="abc",version="1.2.3"} 1`, `process_resident_memory_bytes`, `go_goroutines`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("missing: %s", want)
		}
	}
	if strings.Contains(got, "abcdefgh") || strings.Contains(got, "192.0.2") {
		t.Error("a metric reveals a device or an address")
	}

	check := exec.Command("promtool", "check", "metrics")
	check.Stdin = strings.NewReader(got)
	if out, err := check.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("promtool (see ops/testing/packages.txt): %v\n%s", err, out)
	}
}
