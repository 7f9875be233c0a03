package model

import (
	"strings"
	"testing"

	"bgremover.pro/core/cutout"
)

// Browsers are offered a model's integer graph, unless their engine cannot run it.
func TestBrowser(t *testing.T) {
	s := tinyStore(t)
	s.calibrateTiny(t)
	derived, err := s.deriveTiny(t)
	if err != nil {
		t.Fatal(err)
	}
	for i := range derived.Graphs { // whichever is the fastest on this machine
		derived.Graphs[i].Precision = "int8"
	}
	original, err := s.Original("tiny")
	if err != nil {
		t.Fatal(err)
	}
	dir, _ := s.derivedDir(original)
	for _, unfit := range []string{"devices cannot run MatMul", ""} {
		derived.DeviceUnfit = unfit
		if err := writeManifest(dir, derived); err != nil {
			t.Fatal(err)
		}
		b, err := s.Browser(t.Context(), "tiny")
		if unfit == "" {
			if err != nil || len(b.Sizes) < 2 || b.Graph.Path == "" || b.Graph.Transfer == 0 {
				t.Errorf("offered: %+v, %v", b, err)
			}
			continue
		}
		if cutout.CodeOf(err) != cutout.BackendUnavailable || !strings.Contains(cutout.MessageOf(err), unfit) {
			t.Errorf("a graph that the engine cannot run: %v", err)
		}
	}
}
