package app

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"bgremover.pro/core/config"
	"bgremover.pro/ops/testing/ports"
)

// One server answers at all its addresses, the log names them, and closing it ends
// them all.
func TestSeveralAddresses(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	first, second := ports.Free(t), ports.Free(t)
	settings := base(t)
	settings["listen"] = first + "," + second
	p := open(t, settings, false)
	if p.App == nil {
		t.Fatal(p.said)
	}
	if p.Address().String() != first || shownListeners(p.public) != fmt.Sprintf("http://%s, http://%s", first, second) {
		t.Errorf("%s, %s", p.Address(), shownListeners(p.public))
	}
	done := make(chan error, 1)
	go func() { done <- p.web.Serve(p.public) }()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for range 3 {
		for _, address := range []string{first, second} {
			answer, err := client.Get("http://" + address + "/healthz")
			if err != nil {
				t.Fatal(err)
			}
			answer.Body.Close()
			if answer.StatusCode != http.StatusOK {
				t.Errorf("%s: %d", address, answer.StatusCode)
			}
		}
	}
	p.end()
	<-done
	for _, address := range []string{first, second} {
		if _, err := client.Get("http://" + address + "/healthz"); err == nil {
			t.Errorf("%s still answers", address)
		}
	}
	settings["listen"] = first + "," + first[:strings.LastIndex(first, ":")] + ":65536"
	if _, err := config.Load(config.Sources{File: p.file, Environ: []string{"HOME=" + t.TempDir(), "BGREMOVER_LISTEN=" + settings["listen"]}}); err == nil {
		t.Error("a port that does not exist is accepted")
	}
	// Where one of them is taken, none stays open.
	taken := ports.Free(t)
	settings["listen"] = taken + "," + second
	holder := open(t, func() map[string]string { s := base(t); s["listen"] = second; return s }(), false)
	if other := open(t, settings, false); other.App != nil {
		t.Error("a server starts on an address that is taken")
	}
	holder.end()
	settings["listen"] = taken
	if again := open(t, settings, false); again.App == nil {
		t.Error("the free address stayed taken")
	} else {
		again.end()
	}
}
