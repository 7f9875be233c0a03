package app

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"bgremover.pro/core/cutout"
	"bgremover.pro/core/ratelimit"
)

// TestVisitorsCannotThrashModels: by naming a backend that must be started
// first, a device makes the server load things until its limit is reached; what is
// already loaded stays free, and other devices are not affected.
func TestVisitorsCannotThrashModels(t *testing.T) {
	s := serve(t, "BGREMOVER_LIMITS_MODEL_LOADS=2/1h")
	who := ratelimit.Key{Device: "aaaaaaaaaaaaaaaa"}
	cold := cutout.Options{Model: "isnet", Backend: "onnx-cpu"}
	if err := s.mayLoad(t.Context(), who, cold); err != nil || s.loads.Keys() != 0 {
		t.Errorf("a model that is loaded: %v, %d counters", err, s.loads.Keys())
	}
	for _, o := range []cutout.Options{{}, {Model: "nothing"}, {Backend: "nothing"}} {
		if err := s.mayLoad(t.Context(), who, o); err != nil || s.loads.Keys() != 0 {
			t.Errorf("%+v: %v", o, err)
		}
	}
	s.engine.Backends.Close() // now nothing is loaded
	for i, want := range []cutout.Code{"", "", cutout.RateLimited} {
		err := s.mayLoad(t.Context(), who, cold)
		if i < 2 != (err == nil) || err != nil && (cutout.CodeOf(err) != want || !strings.Contains(err.Error(), "Leave out model and backend")) {
			t.Errorf("load %d: %v", i+1, err)
		}
	}
	if err := s.mayLoad(t.Context(), ratelimit.Key{Device: "bbbbbbbbbbbbbbbb"}, cold); err != nil {
		t.Errorf("another device: %v", err)
	}
	counted := httptest.NewRecorder()
	s.metrics.Handler().ServeHTTP(counted, httptest.NewRequest(http.MethodGet, "/metrics", http.NoBody))
	if !strings.Contains(counted.Body.String(), `bgremover_limit_hits_total{limit="loads"} 1`) {
		t.Error("the refusal is not counted")
	}
}
