package web

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

// refusals are early answers, with what makes them so.
var refusals = map[string]string{
	"unknown key":  "X-API-Key: nobody's\r\n",
	"another site": "Sec-Fetch-Site: cross-site\r\n",
}

// A refusal costs the server least where the connection lives on.
func TestConnectionsOutliveSmallRefusals(t *testing.T) {
	s := start(t, succeed)
	for name, header := range refusals {
		bodies := map[string]string{
			"known length":   fmt.Sprintf(rawHead, 5, header) + "photo",
			"64 KiB":         fmt.Sprintf(rawHead, 64<<10, header) + strings.Repeat("x", 64<<10),
			"unknown length": fmt.Sprintf("POST %s HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n%s\r\n5\r\nphoto\r\n0\r\n\r\n", api, header),
			"none":           fmt.Sprintf("POST %s HTTP/1.1\r\nHost: test\r\n%s\r\n", api, header),
		}
		for kind, request := range bodies {
			conn := s.dial(request)
			answers := bufio.NewReader(conn)
			for range 3 {
				answer, err := http.ReadResponse(answers, nil)
				if err != nil {
					t.Fatalf("%s, %s: %v", name, kind, err)
				}
				_, err = io.Copy(io.Discard, answer.Body)
				if err != nil || answer.StatusCode < 400 || answer.Close {
					t.Errorf("%s, %s: %d, closes: %t, %v", name, kind, answer.StatusCode, answer.Close, err)
				}
				if _, err := io.WriteString(conn, request); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

// A client that holds back even a little, or sends much, is answered and cut off.
func TestConnectionsEndWhereMoreMayCome(t *testing.T) {
	s := start(t, succeed)
	for name, header := range refusals {
		for kind, request := range map[string]string{
			"held back":       fmt.Sprintf(rawHead, 5, header) + "phot",
			"much":            fmt.Sprintf(rawHead, 64<<10+1, header) + strings.Repeat("x", 64<<10+1),
			"much, unknown":   fmt.Sprintf("POST %s HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n%s\r\n20000\r\n%s", api, header, strings.Repeat("x", 0x20000)),
			"waits for leave": fmt.Sprintf(rawHead, 5, header+"Expect: 100-continue\r\n"),
		} {
			conn := s.dial(request)
			answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatalf("%s, %s: %v", name, kind, err)
			}
			if answer.StatusCode < 400 || !answer.Close {
				t.Errorf("%s, %s: %d, closes: %t", name, kind, answer.StatusCode, answer.Close)
			}
			answer.Body.Close()
			conn.Close()
		}
	}
}
