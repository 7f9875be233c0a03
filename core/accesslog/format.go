package accesslog

import (
	"bytes"
	"encoding/json"
	"net/netip"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Limits in bytes, so that no visitor decides how long a line is; what is cut ends in dots.
const (
	maxURL   = 256
	maxAgent = 256
	maxWord  = 16
	maxID    = 64
	dots     = "..."
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
	b = strconv.AppendInt(b, e.Sent, 10)
	b = append(b, ` "-" "`...)
	b = escape(b, e.UserAgent, maxAgent)
	b = append(b, `" `...)
	b = strconv.AppendFloat(b, e.Duration.Seconds(), 'f', 3, 64)
	return append(b, '\n')
}

func (e Entry) json(ip string) []byte {
	var line bytes.Buffer
	w := json.NewEncoder(&line) // ends the line too
	w.SetEscapeHTML(false)      // it is not HTML, and would be six times as long
	err := w.Encode(struct {
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
		e.Status, e.Sent, e.Duration.Seconds(), cut(e.UserAgent, maxAgent), cut(e.ID, maxID)})
	if err != nil {
		return nil // strings and finite numbers cannot fail
	}
	return line.Bytes()
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

// escape makes one field of client data: quotes, backslashes and all but printable
// ASCII become \xHH, as nginx writes them.
func escape(b []byte, s string, limit int) []byte {
	if s == "" {
		return append(b, '-')
	}
	const hex = "0123456789ABCDEF"
	end := len(b) + limit
	for i := range len(s) {
		c := s[i]
		plain := c >= ' ' && c <= '~' && c != '"' && c != '\\'
		switch {
		case plain && len(b) < end:
			b = append(b, c)
		case !plain && len(b)+4 <= end:
			b = append(b, '\\', 'x', hex[c>>4], hex[c&15])
		default:
			return append(b, dots...)
		}
	}
	return b
}

// cut shortens text for JSON, in whole characters, and replaces those that JSON
// would write as six.
func cut(s string, limit int) string {
	var b strings.Builder
	for _, r := range s {
		if unicode.IsControl(r) {
			r = utf8.RuneError // as for invalid UTF-8
		}
		if b.Len()+utf8.RuneLen(r) > limit {
			b.WriteString(dots)
			break
		}
		b.WriteRune(r)
	}
	return b.String()
}

func countLines(b []byte) int64 { return int64(bytes.Count(b, []byte{'\n'})) }
