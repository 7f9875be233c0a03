package bench

import (
	"encoding/json"
	"math"
	"testing"

	"pgregory.net/rapid"
)

func TestSpreadByHand(t *testing.T) {
	s := NewSpread([]float64{40, 10, math.NaN(), 20, 30, 50})
	for what, c := range map[string][2]Figure{
		"mean": {s.Mean, 30}, "min": {s.Min, 10}, "p50": {s.P50, 30}, "p90": {s.P90, 46}, "p99": {s.P99, 49.6}, "max": {s.Max, 50},
	} {
		near(t, what, c[0], c[1])
	}
	if s.N != 5 {
		t.Errorf("%d values, want 5: an unknown one is none", s.N)
	}
}

func TestSpreadOfNothingIsUnknown(t *testing.T) {
	if s := NewSpread(nil); s.N != 0 || s.P50.Known() || s.Mean.Known() {
		t.Errorf("got %+v", s)
	}
}

func TestSpreadIsInOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Float64Range(0, 1e6), 1, 50).Draw(t, "values")
		s := NewSpread(values)
		if s.Min > s.P50 || s.P50 > s.P90 || s.P90 > s.P99 || s.P99 > s.Max {
			t.Fatalf("%+v", s)
		}
		if s.Mean < s.Min-1e-6 || s.Mean > s.Max+1e-6 {
			t.Fatalf("the mean of %+v lies outside", s)
		}
	})
}

func TestFigureKeepsUnknown(t *testing.T) {
	for _, f := range []Figure{0, 1.5, 123456, unknown, Figure(math.Inf(1))} {
		text, err := json.Marshal(f)
		if err != nil {
			t.Fatal(err)
		}
		got := Figure(-1)
		if err := json.Unmarshal(text, &got); err != nil {
			t.Fatal(err)
		}
		near(t, string(text), got, f)
	}
}
