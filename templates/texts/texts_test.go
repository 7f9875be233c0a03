package texts_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"bgremover.pro/templates/texts"
)

// asked are the places where texts are asked for: what a file's name looks like, how the
// text is found in it, and what else in it is a text.
var asked = []struct {
	files string
	text  *regexp.Regexp
}{
	{"../layout/*.html", called},
	{"../page/*.html", called},
	{"../fragment/*.html", called},
	{"../words.go", regexp.MustCompile(`\.Text\("([^"]*)"`)},
	{"../../static/app.go", regexp.MustCompile(`\.Text\("([^"]*)"`)},
	{"../sentences.go", regexp.MustCompile(`(?m)^\t(?:"\w+": +)?"([^"]* [^"]*)",$`)},
}

var (
	called = regexp.MustCompile("\\b(?:t|rich|wait|changed) (?:\"([^\"]*)\"|`([^`]*)`)")
	script = regexp.MustCompile(`(?:\bt|new Error)\('((?:[^'\\]|\\.)*)'`)
)

// keys lists the texts that pages ask for, and those that scripts do.
func keys(t *testing.T) (pages, scripts map[string]bool) {
	t.Helper()
	pages, scripts = map[string]bool{}, map[string]bool{}
	for _, place := range asked {
		collect(t, pages, place.files, place.text)
	}
	for _, folder := range []string{"", "*/"} {
		collect(t, scripts, "../../static/js/"+folder+"*.js", script)
	}
	if len(pages) < 300 || len(scripts) < 100 {
		t.Fatalf("%d texts of pages and %d of scripts were found", len(pages), len(scripts))
	}
	return pages, scripts
}

func collect(t *testing.T, into map[string]bool, files string, text *regexp.Regexp) {
	t.Helper()
	names, err := filepath.Glob(files)
	if err != nil || len(names) == 0 {
		t.Fatalf("%s: %v, %v", files, names, err)
	}
	for _, name := range names {
		for _, m := range text.FindAllStringSubmatch(read(t, name), -1) {
			into[strings.Join(m[1:], "")] = true
		}
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// Every language has every text, and none that nothing asks for.
func TestEveryTextIsTranslated(t *testing.T) {
	pages, scripts := keys(t)
	for _, l := range texts.All[1:] {
		carried := l.Scripts()
		for key := range pages {
			if l.Forms(key) == nil {
				t.Errorf("%s lacks %q", l.Tag, key)
			}
		}
		for key := range scripts {
			if carried[key] == nil {
				t.Errorf("%s lacks, for scripts, %q", l.Tag, key)
			}
		}
		for _, key := range l.Keys() {
			if !pages[key] && !scripts[key] {
				t.Errorf("%s has %q, which nothing asks for", l.Tag, key)
			}
		}
	}
}

var placeholder = regexp.MustCompile(`\{\w+\}|</?\w+>`)

// A translation has the placeholders and tags of its text; only a form that names the
// number in words may do without it.
func TestTranslationsKeepPlaceholders(t *testing.T) {
	for _, l := range texts.All {
		for _, key := range l.Keys() {
			for form, text := range l.Forms(key) {
				got, want := found(text), found(key)
				if form != "other" {
					got, want = without(got, "{n}"), without(want, "{n}")
				}
				if !slices.Equal(got, want) {
					t.Errorf("%s, %s: %q has %v, and %q has %v", l.Tag, form, key, want, text, got)
				}
				if text == "" {
					t.Errorf("%s: %q is empty", l.Tag, key)
				}
			}
		}
	}
}

func without(all []string, one string) []string {
	return slices.DeleteFunc(all, func(each string) bool { return each == one })
}

func found(text string) []string {
	all := placeholder.FindAllString(text, -1)
	slices.Sort(all)
	return all
}

// A text with plural forms has all of its language's.
func TestPluralsAreComplete(t *testing.T) {
	for _, l := range texts.All {
		for _, key := range l.Keys() {
			forms := l.Forms(key)
			if len(forms) == 1 {
				continue
			}
			for n := range 200 {
				if _, has := forms[l.Form(n)]; !has {
					t.Errorf("%s: %q lacks the form for %d", l.Tag, key, n)
				}
			}
		}
	}
	for n, want := range map[int]string{0: "لم تبقَ صور اليوم", 1: "بقيت صورة واحدة اليوم", 2: "بقيت صورتان اليوم", 9: "بقيت 9 صور اليوم", 11: "بقيت 11 صورة اليوم"} {
		if got := texts.Of("ar").Text("{n} photos left today", "n", n); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}

func TestText(t *testing.T) {
	de := texts.Of("de")
	for got, want := range map[string]string{
		texts.English.Text("{n} photos", "n", 1):                        "1 photo",
		texts.English.Text("{n} photos", "n", 12):                       "12 photos",
		texts.English.Text("Light|shadow"):                              "Light",
		de.Text("Light|shadow"):                                         "Leicht",
		de.Text("nobody translates this {x}", "x", 3):                   "nobody translates this 3",
		de.Text("{used} of {limit}", "used", "{limit}", "limit", "<b>"): "{limit} von <b>",
		de.Decimal(31.46):                                               "31,5",
		texts.Of("ar").Decimal(31.46):                                   "31.5",
		texts.English.To("/gallery"):                                    "/gallery",
		de.To("/"):                                                      "/de/",
		de.To("/device/data"):                                           "/device/data?lang=de",
		texts.Of("pt-br").To("/device/queue?upload=a"):                  "/device/queue?upload=a&lang=pt-br",
		de.To("/api"):                                                   "/api",
		fmt.Sprint(texts.Of("xx") == texts.English, texts.Of("") == texts.English): "true true",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

var (
	action    = regexp.MustCompile(`(?s)\{\{.*?\}\}`)
	comment   = regexp.MustCompile(`(?s)<!--.*?-->`)
	spoken    = regexp.MustCompile(`\b(?:alt|title|placeholder|aria-label|aria-valuetext)="([^"]*)"`)
	tag       = regexp.MustCompile(`(?s)<[^>]*>`)
	entity    = regexp.MustCompile(`&\w+;`)
	word      = regexp.MustCompile(`\pL{2,}`)
	name      = regexp.MustCompile(`\b(PNG|WebP|JPEG|API)\b`) // the same in every language
	plainly   = regexp.MustCompile("(t\\(|Error\\(|Exception\\()?(?:'([A-Z][a-z’]+[^'\n]* [^'\n]*)'|`([A-Z][a-z’]+[^`]* [^`]*)`)")
	remark    = regexp.MustCompile(`(?m)^\s*//.*$|\s// .*$`)
	unspoken  = regexp.MustCompile(`^(?:[A-Za-z-]+: |DIN |Content-)`)
	untouched = map[string]bool{"api.html": true, "service.js": true} // in English
)

// What a template shows comes from the catalogue.
func TestTemplatesHoldNoOtherText(t *testing.T) {
	for _, folder := range []string{"layout", "page", "fragment"} {
		names, err := filepath.Glob("../" + folder + "/*.html")
		if err != nil || len(names) == 0 {
			t.Fatal(names, err)
		}
		for _, file := range names {
			if untouched[filepath.Base(file)] {
				continue
			}
			if got := unlisted(read(t, file)); got != "" {
				t.Errorf("%s shows %q, which is not in the catalogue", file, got)
			}
		}
	}
	for _, html := range []string{"<p>Some words</p>", `<img alt="Some words">`, `<p>{{t "a"}} words</p>`} {
		if unlisted(html) == "" {
			t.Errorf("%s passes", html)
		}
	}
}

// unlisted returns a word that a template shows by itself.
func unlisted(html string) string {
	html = comment.ReplaceAllString(action.ReplaceAllString(html, ""), "")
	for _, m := range spoken.FindAllStringSubmatch(html, -1) {
		if w := word.FindString(m[1]); w != "" {
			return w
		}
	}
	shown := entity.ReplaceAllString(tag.ReplaceAllString(html, " "), "")
	return word.FindString(name.ReplaceAllString(shown, ""))
}

// A sentence of a script is asked of the catalogue, or is an error's, which is when it is
// shown.
func TestScriptsHoldNoOtherSentence(t *testing.T) {
	for _, folder := range []string{"", "*/"} {
		names, err := filepath.Glob("../../static/js/" + folder + "*.js")
		if err != nil || len(names) == 0 {
			t.Fatal(names, err)
		}
		for _, file := range names {
			if untouched[filepath.Base(file)] {
				continue
			}
			for _, m := range plainly.FindAllStringSubmatch(remark.ReplaceAllString(read(t, file), ""), -1) {
				if sentence := m[2] + m[3]; m[1] == "" && !unspoken.MatchString(sentence) {
					t.Errorf("%s says %q, which is not in the catalogue", file, sentence)
				}
			}
		}
	}
}
