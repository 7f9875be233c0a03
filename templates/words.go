package templates

import (
	"fmt"
	"html/template"
	"math"
	"strings"
	"time"

	"bgremover.pro/templates/texts"
)

// words formats values in a language.
type words struct{ *texts.Language }

// size formats bytes in units of 1024, with the names people know.
func (w words) size(bytes int64) string {
	switch {
	case bytes < 1<<20:
		return fmt.Sprintf("%d KB", (bytes+1023)>>10)
	case bytes%(1<<20) == 0 || bytes >= 100<<20:
		return fmt.Sprintf("%d MB", bytes>>20)
	default:
		return w.Decimal(float64(bytes)/(1<<20)) + " MB"
	}
}

func (w words) megapixels(pixels int) string {
	number := w.Decimal(float64(pixels) / 1e6)
	if pixels%1_000_000 == 0 {
		number = fmt.Sprint(pixels / 1_000_000)
	}
	return w.Text("{number} megapixels", "number", number)
}

// span writes a duration in words, in the largest unit that is precise enough: "45
// seconds", "3 minutes", "1 hour", "30 days".
func (w words) span(d time.Duration) string {
	in := func(unit time.Duration) int { return int(math.Ceil(float64(d) / float64(unit))) }
	fits := func(unit time.Duration) bool { return d >= 2*unit || d == unit }
	switch {
	case fits(24 * time.Hour):
		return w.Text("{n} days", "n", in(24*time.Hour))
	case fits(time.Hour):
		return w.Text("{n} hours", "n", in(time.Hour))
	case fits(time.Minute):
		return w.Text("{n} minutes", "n", in(time.Minute))
	}
	return w.Text("{n} seconds", "n", in(time.Second))
}

// rate writes a limit in words: "60 photos an hour".
func (w words) rate(r Rate) string {
	photos := w.Text("{n} photos", "n", int(r.Count))
	switch {
	case r.Count == 0:
		return w.Text("no limit")
	case r.Period == time.Hour:
		return w.Text("{photos} an hour", "photos", photos)
	case r.Period == time.Minute:
		return w.Text("{photos} a minute", "photos", photos)
	case r.Period == 24*time.Hour:
		return w.Text("{photos} a day", "photos", photos)
	case r.Period == time.Second:
		return w.Text("{photos} a second", "photos", photos)
	}
	return w.Text("{photos} in {time}", "photos", photos, "time", w.span(r.Period))
}

// left says how many photos may still be sent, and in which period.
func (w words) left(b Bucket) string {
	switch b.Period {
	case time.Minute:
		return w.Text("{n} photos left this minute", "n", b.Remaining)
	case time.Hour:
		return w.Text("{n} photos left this hour", "n", b.Remaining)
	case 24 * time.Hour:
		return w.Text("{n} photos left today", "n", b.Remaining)
	}
	return w.Text("{n} photos left", "n", b.Remaining)
}

// wait is a text whose {time} scripts count down.
func (w words) wait(key string, d time.Duration) template.HTML {
	time := fmt.Sprintf(`<time datetime="PT%dS" data-countdown="%[1]d">%s</time>`, seconds(d), template.HTMLEscapeString(w.span(d)))
	return marked(w.Text(key), "{time}", time)
}

// changed is a text whose {date} is the day of the privacy page's last change.
func (w words) changed(key string) (template.HTML, error) {
	day, err := time.Parse(time.DateOnly, PrivacyChanged)
	date := w.Text("{day} {month} {year}", "day", day.Day(), "month", w.month(day.Month()), "year", day.Year())
	return marked(w.Text(key), "{date}", fmt.Sprintf(`<time datetime="%s">%s</time>`, PrivacyChanged, template.HTMLEscapeString(date))), err
}

func (w words) month(m time.Month) string {
	return [...]string{
		w.Text("January"), w.Text("February"), w.Text("March"), w.Text("April"), w.Text("May"), w.Text("June"),
		w.Text("July"), w.Text("August"), w.Text("September"), w.Text("October"), w.Text("November"), w.Text("December"),
	}[m-1]
}

func marked(text, mark, html string) template.HTML {
	return template.HTML(strings.Replace(template.HTMLEscapeString(text), mark, html, 1)) //nolint:gosec // escaped
}

// rich is a text with tags: b and code, and one for each value that is named like a
// tag, which is where that link leads.
func (w words) rich(key string, values ...string) template.HTML {
	text := template.HTMLEscapeString(w.Text(key))
	tags := []string{"&lt;b&gt;", "<b>", "&lt;/b&gt;", "</b>", "&lt;code&gt;", "<code>", "&lt;/code&gt;", "</code>"}
	for i := 0; i+1 < len(values); i += 2 {
		name, value := values[i], template.HTMLEscapeString(values[i+1])
		rel := ""
		if strings.HasPrefix(value, "https://") {
			rel = ` rel="noopener noreferrer"`
		}
		tags = append(tags, "{"+name+"}", value, "&lt;"+name+"&gt;", `<a href="`+value+`"`+rel+">", "&lt;/"+name+"&gt;", "</a>")
	}
	return template.HTML(strings.NewReplacer(tags...).Replace(text)) //nolint:gosec // escaped
}

// Address is where a page is in a language.
type Address struct {
	*texts.Language
	Address string
}

// choice lists the languages, each with its address of a page; of one that has no
// address, the start page's.
func choice(view View) []Address {
	var all []Address
	for _, l := range texts.All {
		all = append(all, Address{l, l.To(addressOf(view, "/"))})
	}
	return all
}

// Alternate is what search engines learn of a page in a language.
type Alternate struct{ Tag, Address string }

func alternates(view View) []Alternate {
	address := addressOf(view, "")
	if address == "" || strings.HasPrefix(address, "/device/") {
		return nil
	}
	all := []Alternate{{"x-default", address}}
	for _, l := range texts.All {
		all = append(all, Alternate{l.Tag, l.To(address)})
	}
	return all
}

func addressOf(view View, otherwise string) string {
	if v, ok := view.(interface{ address() string }); ok {
		return v.address()
	}
	return otherwise
}

func (Home) address() string    { return "/" }
func (Gallery) address() string { return "/gallery" }
func (Privacy) address() string { return "/privacy" }
func (Contact) address() string { return "/contact" }
func (Data) address() string    { return "/device/data" }
