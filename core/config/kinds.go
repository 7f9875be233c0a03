package config

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"bgremover.pro/core/ratelimit"
)

// kind reads and shows one type of value. Everything is text at first: that is
// what the environment and the flags hold, and the file may hold it too.
type kind[T any] struct {
	accepts string
	parse   func(string) (T, error)
	format  func(T) string
}

var errForm = errors.New("is not valid")

const maxPeriod = 31 * 24 * time.Hour

func text(accepts string, valid func(string) bool) kind[string] {
	return kind[string]{accepts, func(s string) (string, error) {
		if len(s) > 4096 || !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl) || !valid(s) {
			return "", errForm
		}
		return s, nil
	}, func(s string) string { return s }}
}

func optional(valid func(string) bool) func(string) bool {
	return func(s string) bool { return s == "" || valid(s) }
}

func anything(string) bool { return true }

func choice(words ...string) kind[string] {
	return text("one of: "+strings.Join(words, ", "), func(s string) bool { return slices.Contains(words, s) })
}

func number(low, high int) kind[int] {
	return kind[int]{fmt.Sprintf("a whole number from %d to %d", low, high), func(s string) (int, error) {
		n, err := strconv.Atoi(s)
		if err != nil {
			return 0, errForm
		}
		return n, within(n, low, high)
	}, strconv.Itoa}
}

var flag = kind[bool]{"true or false", func(s string) (bool, error) {
	switch strings.ToLower(s) {
	case "true", "on", "yes", "1":
		return true, nil
	case "false", "off", "no", "0":
		return false, nil
	}
	return false, errForm
}, strconv.FormatBool}

func duration(low, high time.Duration) kind[time.Duration] {
	accepts := fmt.Sprintf("a duration such as 30s, 10m, 1h or 7d, from %s to %s", formatDuration(low), formatDuration(high))
	return kind[time.Duration]{accepts, func(s string) (time.Duration, error) {
		d, err := parseDuration(s)
		if err != nil {
			return 0, err
		}
		return d, within(d, low, high)
	}, formatDuration}
}

func within[T int | int64 | time.Duration](n, low, high T) error {
	if n < low || n > high {
		return errors.New("is out of range")
	}
	return nil
}

func parseDuration(s string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(s, "d"); ok {
		n, err := strconv.Atoi(days)
		if err != nil || n < 0 || n > 3650 {
			return 0, errForm
		}
		return time.Duration(n) * 24 * time.Hour, nil
	}
	if s == "0" || s == "off" {
		return 0, nil
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		return 0, errForm
	}
	return d, nil
}

func formatDuration(d time.Duration) string {
	switch day := 24 * time.Hour; {
	case d == 0:
		return "0s"
	case d%day == 0:
		return strconv.Itoa(int(d/day)) + "d"
	case d%time.Hour == 0:
		return strconv.Itoa(int(d/time.Hour)) + "h"
	case d%time.Minute == 0:
		return strconv.Itoa(int(d/time.Minute)) + "m"
	}
	return d.String()
}

var units = []struct {
	name string
	size int64
}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"GB", 1e9}, {"MB", 1e6}, {"kB", 1e3}, {"B", 1}}

func size(low, high int64) kind[int64] {
	accepts := fmt.Sprintf("a size such as 30MiB or 500kB, from %s to %s", formatSize(low), formatSize(high))
	return kind[int64]{accepts, func(s string) (int64, error) {
		n, err := parseSize(s)
		if err != nil {
			return 0, err
		}
		return n, within(n, low, high)
	}, formatSize}
}

func parseSize(s string) (int64, error) {
	unit := int64(1)
	for _, u := range units {
		if n := len(s) - len(u.name); n > 0 && strings.EqualFold(s[n:], u.name) {
			s, unit = strings.TrimSpace(s[:n]), u.size
			break
		}
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(f) || f < 0 || f*float64(unit) > 1<<50 {
		return 0, errForm
	}
	return int64(f * float64(unit)), nil
}

func formatSize(n int64) string {
	for _, u := range units {
		if n >= u.size && n%u.size == 0 {
			return strconv.FormatInt(n/u.size, 10) + u.name
		}
	}
	return strconv.FormatInt(n, 10) + "B"
}

var rate = kind[ratelimit.Rate]{"a rate such as 60/1h or 5/10s (1 to 1000000000 in 1s to 31d), or off", parseRate, formatRate}

func parseRate(s string) (ratelimit.Rate, error) {
	if s == "off" {
		return ratelimit.Rate{}, nil
	}
	count, period, found := strings.Cut(s, "/")
	n, err := strconv.ParseInt(strings.TrimSpace(count), 10, 64)
	if !found || err != nil {
		return ratelimit.Rate{}, errForm
	}
	period = strings.TrimSpace(period)
	if period != "" && strings.Trim(period, "smhd") == "" {
		period = "1" + period
	}
	d, err := parseDuration(period)
	if err != nil {
		return ratelimit.Rate{}, err
	}
	return ratelimit.Rate{Count: n, Period: d}, errors.Join(within(n, 1, 1_000_000_000), within(d, time.Second, maxPeriod))
}

func formatRate(r ratelimit.Rate) string {
	if r == (ratelimit.Rate{}) {
		return "off"
	}
	return strconv.FormatInt(r.Count, 10) + "/" + formatDuration(r.Period)
}

// list reads values separated by commas.
func list[T any](each kind[T]) kind[[]T] {
	return kind[[]T]{"a comma-separated list of " + each.accepts, func(s string) ([]T, error) {
		var all []T
		for part := range strings.SplitSeq(s, ",") {
			if part = strings.TrimSpace(part); part == "" {
				continue
			}
			v, err := each.parse(part)
			if err != nil {
				return nil, fmt.Errorf("has %q, which %w", part, err)
			}
			all = append(all, v)
		}
		return all, nil
	}, func(all []T) string {
		texts := make([]string, len(all))
		for i, v := range all {
			texts[i] = each.format(v)
		}
		return strings.Join(texts, ",")
	}}
}
