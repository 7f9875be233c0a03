package accesslog

import (
	"bytes"
	"encoding/json"
	"net/netip"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// No visitor decides how long a line gets.
const (
	maxURL   = 2048
	maxAgent = 512
	maxWord  = 32
)

func (e Entry) line(s *Settings) []byte {
	if s.Format == "json" {
		return e.json(s.IP)
	}
	return e.combined(s.IP)
}

// combined is the combined log format, without a referrer, and with the time
// taken in seconds at its end.
func (e Entry) combined(ip string) []byte {
	b := make([]byte, 0, 256)
	b = append(b, shorten(e.Addr, ip)...)
	b = append(b, " - - ["...)
	b = e.Time.UTC().AppendFormat(b, "02/Jan/2006:15:04:05 -0700")
	b = append(b, `] "`...)
	b = escape(b, e.Method, maxWord)
	b = append(b, ' ')
	b = escape(b, e.path(), maxURL)
	b = append(b, ' ')
	b = escape(b, e.Proto, maxWord)
	b = append(b, `" `...)
	b = strconv.AppendInt(b, int64(e.Status), 10)
	b = append(b, ' ')
	b = strconv.AppendInt(b, e.Bytes, 10)
	b = append(b, ` "-" "`...)
	b = escape(b, e.UserAgent, maxAgent)
	b = append(b, `" `...)
	b = strconv.AppendFloat(b, e.Duration.Seconds(), 'f', 3, 64)
	return append(b, '\n')
}

func (e Entry) json(ip string) []byte {
	line, err := json.Marshal(struct {
		Time      string  `json:"time"`
		IP        string  `json:"ip"`
		Method    string  `json:"method"`
		URL       string  `json:"url"`
		Proto     string  `json:"proto"`
		Status    int     `json:"status"`
		Bytes     int64   `json:"bytes"`
		Duration  float64 `json:"duration"`
		UserAgent string  `json:"user_agent"`
		ID        string  `json:"request_id,omitempty"`
	}{e.Time.UTC().Format(time.RFC3339Nano), shorten(e.Addr, ip), cut(e.Method, maxWord), cut(e.path(), maxURL), cut(e.Proto, maxWord),
		e.Status, e.Bytes, e.Duration.Seconds(), cut(e.UserAgent, maxAgent), cut(e.ID, 64)})
	if err != nil {
		return nil // strings and finite numbers cannot fail
	}
	return append(line, '\n')
}

// path leaves out the query: people put keys and names there.
func (e Entry) path() string {
	path, _, _ := strings.Cut(e.URL, "?")
	return path
}

func shorten(a netip.Addr, ip string) string {
	a = a.Unmap().WithZone("")
	if ip == "none" || !a.IsValid() {
		return "-"
	}
	if ip == "truncated" {
		bits := 24
		if a.Is6() {
			bits = 48
		}
		if p, err := a.Prefix(bits); err == nil {
			a = p.Addr()
		}
	}
	return a.String()
}

// escape makes one field of whatever a client sent: a quote, a backslash and
// all but printable ASCII become \xHH, as nginx writes them.
func escape(b []byte, s string, limit int) []byte {
	if s == "" {
		return append(b, '-')
	}
	const hex = "0123456789ABCDEF"
	for i := range min(len(s), limit) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			b = append(b, '\\', 'x', hex[c>>4], hex[c&15])
		} else {
			b = append(b, c)
		}
	}
	return b
}

// cut shortens for JSON, which must be whole characters.
func cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return s[:limit]
}

func countLines(b []byte) int64 { return int64(bytes.Count(b, []byte{'\n'})) }
