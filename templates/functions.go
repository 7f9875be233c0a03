package templates

import (
	"fmt"
	"html/template"
	"math"
	"slices"
	"strings"
	"time"
)

func functions(asset func(string) string, mark string) template.FuncMap {
	return template.FuncMap{
		"asset":       asset,
		"picture":     placeholder(mark),
		"cards":       func() template.HTML { return cardsMark },
		"size":        size,
		"megapixels":  megapixels,
		"span":        span,
		"since":       since,
		"until":       until,
		"join":        strings.Join,
		"seconds":     seconds,
		"rate":        rate,
		"extension":   extension,
		"icon":        func(name string) icon { return icon{Name: name, Sprite: asset("icons/sprite.svg")} },
		"days":        func(n int) time.Duration { return time.Duration(n) * 24 * time.Hour },
		"used":        func(b Bucket) int { return b.Limit - b.Remaining },
		"again":       again,
		"within":      within,
		"renew":       func(b Bucket) int { return max(5, min(60, seconds(b.Resets))) },
		"date":        date,
		"privacyDate": func() string { return PrivacyChanged },
		"bytes":       func(file []byte) int64 { return int64(len(file)) },
		"short":       short,
		"add":         func(a, b int) int { return a + b },
	}
}

// icon is what fragment/icon.html shows.
type icon struct{ Name, Sprite string }

// size formats bytes in units of 1024, with the names people know.
func size(bytes int64) string {
	switch {
	case bytes < 1<<20:
		return fmt.Sprintf("%d KB", (bytes+1023)>>10)
	case bytes%(1<<20) == 0 || bytes >= 100<<20:
		return fmt.Sprintf("%d MB", bytes>>20)
	default:
		return fmt.Sprintf("%.1f MB", float64(bytes)/(1<<20))
	}
}

func megapixels(pixels int) string {
	if pixels%1_000_000 == 0 {
		return fmt.Sprintf("%d megapixels", pixels/1_000_000)
	}
	return fmt.Sprintf("%.1f megapixels", float64(pixels)/1e6)
}

// span puts a duration in words, in the largest unit that is precise enough: "45 seconds", "3 minutes", "1 hour", "30 days".
func span(d time.Duration) string {
	units := []struct {
		word string
		unit time.Duration
	}{{"day", 24 * time.Hour}, {"hour", time.Hour}, {"minute", time.Minute}, {"second", time.Second}}
	for _, u := range units {
		if d >= 2*u.unit || d == u.unit || u.unit == time.Second {
			n := int(math.Ceil(float64(d) / float64(u.unit)))
			return plural(n, u.word)
		}
	}
	return ""
}

func since(t time.Time) string { return span(time.Since(t).Round(time.Second)) }

// until is at least a second: what is due is about to happen.
func until(t time.Time) string { return span(max(time.Second, time.Until(t))) }

// seconds rounds up, so that a client that waits that long is not too early.
func seconds(d time.Duration) int { return int(math.Ceil(d.Seconds())) }

// rate puts a limit in words: "60 photos an hour".
func rate(r Rate) string {
	if r.Count == 0 {
		return "no limit"
	}
	period := span(r.Period)
	word, one := strings.CutPrefix(period, "1 ")
	switch {
	case !one:
		return plural(int(r.Count), "photo") + " in " + period
	case word == "hour":
		return plural(int(r.Count), "photo") + " an hour"
	default:
		return plural(int(r.Count), "photo") + " a " + word
	}
}

// within says in which period photos are counted: " this hour".
func within(period time.Duration) string {
	switch period {
	case time.Minute:
		return " this minute"
	case time.Hour:
		return " this hour"
	case 24 * time.Hour:
		return " today"
	}
	return ""
}

func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}

// date puts a day such as 2026-11-23 in words.
func date(day string) (string, error) {
	d, err := time.Parse(time.DateOnly, day)
	return d.Format("2 January 2006"), err
}

// again reports whether the same photo may succeed another time.
func again(code string) bool {
	return !slices.Contains([]string{"invalid", "too_large", "too_many_pixels", "unsupported_format", "blocked"}, code)
}

// extension is the usual file extension for a media type, without the dot.
func extension(mediaType string) string {
	if mediaType == "image/jpeg" {
		return "jpg"
	}
	return strings.TrimPrefix(mediaType, "image/")
}

// short is a help text without its examples and explanations.
func short(help string) string {
	for _, mark := range []string{" (", ", such as", "; "} {
		help, _, _ = strings.Cut(help, mark)
	}
	return help
}
