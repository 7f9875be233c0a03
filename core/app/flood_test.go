package app

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// TestAFloodFillsNoDisk floods a running server with long unknown paths, and
// makes it log many failed requests: neither the access log nor the
// server log grows with their number.
func TestAFloodFillsNoDisk(t *testing.T) {
	logs := t.TempDir()
	s := serve(t, "BGREMOVER_LOG_DIR="+logs, "BGREMOVER_ACCESS_LOG_DAY_SIZE=1MiB")
	const connections, each = 4, 2500
	line := "GET /" + strings.Repeat("x", 4000) + " HTTP/1.1\r\nHost: a\r\nUser-Agent: " + strings.Repeat("y", 4000) + "\r\n\r\n"
	var all sync.WaitGroup
	for range connections {
		all.Go(func() {
			conn, err := net.Dial("tcp", s.Address().String())
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			answers := bufio.NewReader(conn)
			for range each {
				if _, err := conn.Write([]byte(line)); err != nil {
					t.Error(err)
					return
				}
				answer, err := http.ReadResponse(answers, nil)
				if err != nil || answer.StatusCode != http.StatusNotFound {
					t.Errorf("%v, %v", answer, err)
					return
				}
				_, _ = answers.Discard(int(answer.ContentLength))
			}
		})
	}
	all.Wait()
	for range 100 {
		s.log.Error("request failed", "error", "as a client makes it fail")
	}
	log := s.access.Status()
	files, _ := filepath.Glob(filepath.Join(logs, "*"))
	size := int64(0)
	for _, file := range files {
		if info, err := os.Stat(file); err == nil {
			size += info.Size()
		}
	}
	t.Logf("%d requests: %d lines, %d bytes; %d of the flood dropped, %d beyond the day's bytes", connections*each, log.Written, size, log.Flooded, log.Overfull)
	if size > 1<<20+1000 || log.Flooded+log.Overfull < connections*each-2500 {
		t.Errorf("%d bytes in %v, %d lines dropped", size, files, log.Flooded+log.Overfull)
	}
	answer, err := http.Get(fmt.Sprintf("http://%s/metrics", s.Operator()))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	left := ""
	for lines := bufio.NewScanner(answer.Body); lines.Scan(); {
		if name, value, ok := strings.Cut(lines.Text(), " "); ok && name == "bgremover_log_left_out_total" {
			left = value
		}
	}
	if left != "40" {
		t.Errorf("of 100 lines about failed requests, %q were dropped, want 40", left)
	}
}
