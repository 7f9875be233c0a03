package ratelimit

import (
	"strconv"
	"strings"
	"time"
)

// Header is a name and its value.
type Header struct{ Name, Value string }

// Headers are the headers that describe the limits: RateLimit and
// RateLimit-Policy (draft-ietf-httpapi-ratelimit-headers), Retry-After for a
// refusal, and for programs the older X-RateLimit-*.
func (d Decision) Headers(forProgram bool) []Header {
	var all []Header
	if !d.Allowed {
		all = append(all, Header{"Retry-After", seconds(d.RetryAfter)})
	}
	if len(d.Quotas) == 0 {
		return all
	}
	var policy, state strings.Builder
	tightest, _ := d.Tightest()
	for i, q := range d.Quotas {
		if i > 0 {
			policy.WriteString(", ")
			state.WriteString(", ")
		}
		policy.WriteString(`"` + q.Name + `";q=` + strconv.FormatInt(q.Limit, 10) + ";w=" + seconds(q.Window))
		state.WriteString(`"` + q.Name + `";r=` + strconv.FormatInt(q.Remaining, 10) + ";t=" + seconds(q.Resets))
	}
	all = append(all, Header{"RateLimit-Policy", policy.String()}, Header{"RateLimit", state.String()})
	if forProgram {
		all = append(all, Header{"X-RateLimit-Limit", strconv.FormatInt(tightest.Limit, 10)},
			Header{"X-RateLimit-Remaining", strconv.FormatInt(tightest.Remaining, 10)},
			Header{"X-RateLimit-Reset", seconds(tightest.Resets)})
	}
	return all
}

// Tightest returns the limit that has the least left; none where all are off.
func (d Decision) Tightest() (q Quota, limited bool) {
	for i, other := range d.Quotas {
		if i == 0 || other.Remaining < q.Remaining {
			q = other
		}
	}
	return q, len(d.Quotas) > 0
}

// seconds rounds up: a client that comes back then is not too early.
func seconds(d time.Duration) string {
	return strconv.FormatInt(int64((d+time.Second-1)/time.Second), 10)
}
