package load_test

import (
	"bytes"
	"net/http"
	"strings"
	"syscall"
	"testing"
)

// TestDrainFinishesWhatRuns ends the server while it works on a photo.
func TestDrainFinishesWhatRuns(t *testing.T) {
	s := start(t, "limits_device = \"off\"\ndrain_delay = \"1s\"\ndrain_timeout = \"2m\"\n", "backend is ready")
	photo := read(t, photoFile)
	c := client(t, "127.0.7.1")
	statuses := make(chan int, 1)
	go func() {
		// In mode best, so that it is in progress long enough to be seen.
		status, _, err := ask(t.Context(), c, http.MethodPost, s.Base+"/api/v1/cutouts?mode=best", bytes.NewReader(photo))
		if err != nil {
			t.Error(err)
		}
		statuses <- status
	}()
	operator := client(t, "127.0.0.1")
	working := func() bool {
		_, metrics, err := ask(t.Context(), operator, http.MethodGet, s.Operator+"/metrics", nil)
		return err == nil && strings.Contains(metrics, "bgremover_queue_working 1\n")
	}
	for !working() {
		select {
		case status := <-statuses:
			t.Fatalf("answered %d before anybody looked", status)
		default:
		}
	}
	if err := s.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	s.Await(t, "msg=stopping")
	if status, _, err := ask(t.Context(), operator, http.MethodGet, s.Operator+"/readyz", nil); err == nil && status != http.StatusServiceUnavailable {
		t.Errorf("readyz says %d while draining", status)
	}
	if status := <-statuses; status != http.StatusOK {
		t.Errorf("the photo in progress was answered with %d", status)
	}
	if err := s.Wait(); err != nil {
		t.Errorf("exit: %v", err)
	}
	if _, _, err := ask(t.Context(), client(t, "127.0.7.2"), http.MethodGet, s.Base+"/", nil); err == nil {
		t.Error("a new visitor was served after the end")
	}
}
