//go:build soak

package main

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"bgremover.pro/core/cutout"
	"bgremover.pro/plugins/contract"
	"bgremover.pro/plugins/internal/plugintest"
)

const (
	laps     = 10
	lapRuns  = 50
	maxRatio = 1.05 // of the last lap's memory to that of the second
)

// job is one run: of a model's size, after its model was loaded afresh where
// that is said.
type job struct {
	model string
	size  int
	fresh bool
}

// TestSoak runs the same lap of runs again and again: every size of the
// default model and of one like a user's own, each lap loading each of them
// once more. What the process keeps at the same place of each lap tells
// whether it grows. The first lap is for warming up. BGREMOVER_SOAK_PICTURE
// names a file for the curve.
func TestSoak(t *testing.T) {
	c := command(t)
	p, err := c.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer p.Kill()
	models := map[string]cutout.Model{"isnet": fastISNet(t), "own": network(t, "Sigmoid", 320, 640)}
	var memory []uint64
	for range laps {
		for _, j := range lap(models) {
			if j.fresh {
				renew(t, p.Client, models[j.model])
			}
			if _, _, err := p.Client.Segment(t.Context(), j.model, noise(j.size)); err != nil {
				t.Fatalf("%s at %d: %v", j.model, j.size, err)
			}
			about, err := p.Client.Describe(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			memory = append(memory, about.Memory)
		}
		t.Logf("after %3d runs: %d MB, on average %d MB in this lap", len(memory), memory[len(memory)-1]/1e6, mean(memory[len(memory)-lapRuns:])/1e6)
	}
	growth := float64(mean(memory[len(memory)-lapRuns:])) / float64(mean(memory[lapRuns:2*lapRuns]))
	t.Logf("from the second to the last lap: %+.1f %%", 100*(growth-1))
	if growth > maxRatio {
		t.Errorf("it grows: the last lap takes %.3f times what the second took", growth)
	}
	if file := os.Getenv("BGREMOVER_SOAK_PICTURE"); file != "" {
		if err := os.WriteFile(file, curve(memory, growth), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// lap lists its runs, in an order that is random but always the same.
func lap(models map[string]cutout.Model) []job {
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // no secret
	jobs := []job{{"isnet", 512, true}, {"own", 320, true}}
	for len(jobs) < lapRuns {
		j := job{model: "isnet", size: 512}
		switch n := random.IntN(10); {
		case n == 0:
			j.size = 1024
		case n < 3:
			j.size = 768
		case n < 6:
			j = job{model: "own", size: models["own"].Sizes()[n%2]}
		}
		jobs = append(jobs, j)
	}
	return jobs
}

func renew(t *testing.T, client *contract.Client, m cutout.Model) {
	t.Helper()
	if err := client.Unload(t.Context(), m.Name); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Load(t.Context(), m); err != nil {
		t.Fatal(err)
	}
}

func mean(all []uint64) uint64 {
	var sum uint64
	for _, n := range all {
		sum += n
	}
	return sum / uint64(len(all))
}

// fastISNet is the default model as it serves: the graphs that were derived
// from it on this machine.
func fastISNet(t *testing.T) cutout.Model {
	t.Helper()
	m := plugintest.ISNet(t)
	manifests, _ := filepath.Glob(filepath.Join(filepath.Dir(m.Variants[0].File), "derived", "isnet-*", "manifest.json"))
	if len(manifests) == 0 {
		t.Fatal("nothing was derived from the default model: run `make setup`")
	}
	text, err := os.ReadFile(manifests[len(manifests)-1])
	if err != nil {
		t.Fatal(err)
	}
	var manifest struct {
		Graphs []struct {
			Size            int
			File, Precision string
		}
	}
	if err := json.Unmarshal(text, &manifest); err != nil || len(manifest.Graphs) == 0 {
		t.Fatalf("%s: %v", text, err)
	}
	m.Variants = nil
	for _, v := range manifest.Graphs {
		m.Variants = append(m.Variants, cutout.Variant{Size: v.Size, Precision: v.Precision, File: filepath.Join(filepath.Dir(manifests[len(manifests)-1]), v.File)})
	}
	return m
}
