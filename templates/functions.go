package templates

import (
	"html/template"
	"math"
	"slices"
	"strings"
	"time"

	"bgremover.pro/templates/texts"
)

func functions(l *texts.Language, asset func(string) string, mark string) template.FuncMap {
	w := words{l}
	return template.FuncMap{
		"asset":      asset,
		"picture":    placeholder(mark),
		"cards":      func() template.HTML { return cardsMark },
		"t":          l.Text,
		"rich":       w.rich,
		"to":         l.To,
		"language":   func() *texts.Language { return l },
		"choice":     choice,
		"alternates": alternates,
		"scripts":    l.Scripts,
		"sentence":   w.sentence,
		"size":       w.size,
		"megapixels": w.megapixels,
		"span":       w.span,
		"since":      func(t time.Time) string { return w.span(time.Since(t).Round(time.Second)) },
		"stamp":      func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") },
		"until":      func(t time.Time) string { return w.span(max(time.Second, time.Until(t))) }, // what is due is about to happen
		"wait":       w.wait,
		"rate":       w.rate,
		"left":       w.left,
		"changed":    w.changed,
		"join":       strings.Join,
		"seconds":    seconds,
		"extension":  extension,
		"icon":       func(name string) icon { return icon{Name: name, Sprite: asset("icons/sprite.svg")} },
		"days":       func(n int) time.Duration { return time.Duration(n) * 24 * time.Hour },
		"used":       func(b Bucket) int { return b.Limit - b.Remaining },
		"again":      again,
		"renew":      func(b Bucket) int { return max(5, min(60, seconds(b.Resets))) },
		"bytes":      func(file []byte) int64 { return int64(len(file)) },
		"short":      short,
		"add":        func(a, b int) int { return a + b },
	}
}

// icon is what fragment/icon.html shows.
type icon struct{ Name, Sprite string }

// seconds rounds up, so that a client that waits that long is not too early.
func seconds(d time.Duration) int { return int(math.Ceil(d.Seconds())) }

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
