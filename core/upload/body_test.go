package upload

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// A client that keeps the pace gets more time with every window that it fills,
// up to what the overall rate and the end of all uploads allow, and no deadline
// is left running at the end.
func TestSteadyClientsAreNotCut(t *testing.T) {
	conn := &conn{}
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(strings.Repeat("x", 8<<10)))
	b := newBody(conn, r, Pace{Window: time.Hour, Bytes: 1 << 10, Rate: 1 << 10, Upload: firstMinute + 6*time.Second})
	b.limit = 1 << 20
	for piece := make([]byte, 512); ; {
		if _, err := b.Read(piece); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if len(conn.set) != 1+8+1 || !conn.set[9].IsZero() {
		t.Fatalf("deadlines: %v", conn.set)
	}
	for i := 1; i <= 8; i++ {
		// However much has come, an upload ends some time.
		want := firstMinute + time.Duration(min(6, i))*time.Second
		if rate := conn.set[i].Sub(b.started); rate != want {
			t.Errorf("after %d KiB at 1 KiB/s: %s", i, rate)
		}
	}
}
