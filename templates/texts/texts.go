// Package texts is the catalogue of what visitors read, in every language of the site.
// An English text is its own key: templates and scripts hold it, and what a language's
// file lacks is shown in English. Where one English word has several meanings, the key
// names the meaning after a bar: "Light|shadow".
//
// A file has the texts of pages and, apart from them, those of scripts, which pages
// carry. A text is a string, or one for each plural form of the number {n}. Words in
// braces are replaced by values; tags such as <data> and </data> become links.
package texts

import (
	"embed"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
	"golang.org/x/text/number"
)

//go:embed *.json
var files embed.FS

// Language is one language of the site.
type Language struct {
	Tag       string // as in HTML: "pt-BR"
	Name      string // in the language itself
	Direction string // "ltr" or "rtl"
	// Prefix begins the addresses of its pages: "/pt-br"; "" for English.
	Prefix string

	rules   language.Tag
	numbers *message.Printer
	texts   map[string]forms
	scripts []string // the keys of those that scripts show
}

// forms is a text by plural form; one without has only "other".
type forms map[string]string

// English is the language of the site's own texts; All are all of them, English first.
// Spanish, Portuguese and Arabic are among the most spoken languages that are written with
// letters this site's fonts have, German is spoken by many who run such servers, and Arabic
// runs from right to left.
var (
	English = read("en", "English", "ltr")
	All     = []*Language{
		English, read("es", "Español", "ltr"), read("pt-BR", "Português (Brasil)", "ltr"),
		read("de", "Deutsch", "ltr"), read("ar", "العربية", "rtl"),
	}
)

func read(tag, name, direction string) *Language {
	rules := language.MustParse(tag)
	// Digits are the same everywhere: scripts and server would not agree on others.
	digits, err := rules.SetTypeForKey("nu", "latn")
	if err != nil {
		panic(err) // a valid type
	}
	l := &Language{Tag: tag, Name: name, Direction: direction, rules: rules, numbers: message.NewPrinter(digits)}
	if tag != "en" {
		l.Prefix = "/" + strings.ToLower(tag)
	}
	content, err := files.ReadFile(tag + ".json")
	if err != nil {
		panic(err) // embedded files cannot fail to be read
	}
	var both struct{ Pages, Scripts map[string]forms }
	if err := json.Unmarshal(content, &both); err != nil {
		panic(fmt.Errorf("texts: %s: %w", tag, err)) // a test reads all files
	}
	l.texts, l.scripts = both.Pages, slices.Collect(maps.Keys(both.Scripts))
	maps.Copy(l.texts, both.Scripts)
	return l
}

// Of returns the language that an address names, such as "pt-br"; English for others.
func Of(name string) *Language {
	for _, l := range All {
		if strings.ToLower(l.Tag) == name {
			return l
		}
	}
	return English
}

// To returns where a page is in this language. Addresses below /device/ carry the
// language in their query: no cache keeps them, and the cookie's path begins there.
func (l *Language) To(address string) string {
	switch {
	case l == English || address == "/api":
		return address
	case strings.HasPrefix(address, "/device/"):
		mark := "?"
		if strings.Contains(address, mark) {
			mark = "&"
		}
		return address + mark + "lang=" + strings.ToLower(l.Tag)
	}
	return l.Prefix + address
}

// Text returns a text in this language. values are names and values in turn; n picks
// the plural form.
func (l *Language) Text(key string, values ...any) string {
	text, known := l.find(key, values)
	if !known {
		text, known = English.find(key, values)
	}
	if !known {
		text, _, _ = strings.Cut(key, "|")
	}
	if len(values) == 0 {
		return text
	}
	pairs := make([]string, 0, len(values))
	for i := 0; i+1 < len(values); i += 2 {
		pairs = append(pairs, fmt.Sprintf("{%v}", values[i]), fmt.Sprint(values[i+1]))
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

// Keys lists the texts that the language has.
func (l *Language) Keys() []string {
	return slices.Sorted(maps.Keys(l.texts))
}

// Forms returns a text by plural form; one without them has only "other".
func (l *Language) Forms(key string) map[string]string { return l.texts[key] }

func (l *Language) find(key string, values []any) (text string, known bool) {
	found := l.texts[key]
	for i := 0; i+1 < len(values); i += 2 {
		if n, whole := values[i+1].(int); whole && values[i] == "n" {
			if text, known = found[l.Form(n)]; known {
				return text, true
			}
		}
	}
	text, known = found["other"]
	return text, known
}

var formNames = map[plural.Form]string{plural.Zero: "zero", plural.One: "one", plural.Two: "two", plural.Few: "few", plural.Many: "many", plural.Other: "other"}

// Form names the plural form of a number.
func (l *Language) Form(n int) string {
	return formNames[plural.Cardinal.MatchPlural(l.rules, n, 0, 0, 0, 0)]
}

// Decimal writes a number with one digit after the point.
func (l *Language) Decimal(x float64) string {
	return l.numbers.Sprint(number.Decimal(x, number.MinFractionDigits(1), number.MaxFractionDigits(1)))
}

// Scripts returns the texts of scripts, as JSON holds them.
func (l *Language) Scripts() map[string]any {
	all := map[string]any{}
	for _, key := range l.scripts {
		if all[key] = l.texts[key]; len(l.texts[key]) == 1 {
			all[key] = l.texts[key]["other"]
		}
	}
	return all
}

func (f *forms) UnmarshalJSON(content []byte) error {
	var text string
	if json.Unmarshal(content, &text) == nil {
		*f = forms{"other": text}
		return nil
	}
	return json.Unmarshal(content, (*map[string]string)(f))
}
