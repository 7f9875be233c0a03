package web

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"bgremover.pro/core/ratelimit"
	"bgremover.pro/templates/texts"
)

// Every page is there in every language, says which it is in, and where it is in the
// others; what it leads to is in the same language.
func TestPagesInEveryLanguage(t *testing.T) {
	s := start(t, succeed, func(o *Options) {
		settings := defaultSettings()
		settings.PublicURL = "https://example.org"
		o.Settings = func() *Settings { return settings }
	})
	for _, l := range texts.All {
		for _, page := range []string{"/", "/gallery", "/privacy", "/contact"} {
			r := s.get(l.To(page))
			r.expect(t, 200)
			html := r.find(t, "html")
			if lang, dir := html.AttrOr("lang", ""), html.AttrOr("dir", "ltr"); lang != l.Tag || dir != l.Direction {
				t.Errorf("%s says that it is in %s, %s", l.To(page), lang, dir)
			}
			for _, other := range texts.All {
				address := "https://example.org" + other.To(page)
				if got := html.Find(`link[rel="alternate"][hreflang="`+other.Tag+`"]`).AttrOr("href", ""); got != address {
					t.Errorf("%s has %q for %s, want %q", l.To(page), got, other.Tag, address)
				}
				if got := html.Find(`.languages a[lang="`+other.Tag+`"]`).AttrOr("href", ""); got != other.To(page) {
					t.Errorf("%s offers %q for %s", l.To(page), got, other.Tag)
				}
			}
			if got := html.Find(`link[hreflang="x-default"]`).AttrOr("href", ""); got != "https://example.org"+page {
				t.Errorf("%s: the default is %q", l.To(page), got)
			}
			html.Find(`[href^="/"], [action], [hx-get], [hx-post]`).Each(func(_ int, e *goquerySelection) {
				for _, name := range []string{"href", "action", "hx-get", "hx-post"} {
					address := e.AttrOr(name, "")
					own := l == texts.English || strings.HasPrefix(address, l.Prefix+"/") || strings.HasSuffix(address, "lang="+strings.ToLower(l.Tag))
					shared := strings.HasPrefix(address, "/static/") || address == "/api" || e.AttrOr("hreflang", "") != ""
					if strings.HasPrefix(address, "/") && !own && !shared {
						t.Errorf("%s leads to %s", l.To(page), address)
					}
				}
			})
		}
	}
	if r := s.get("/pt-br"); r.status != http.StatusSeeOther || r.header.Get("Location") != "/pt-br/" {
		t.Errorf("without its slash: %d %v", r.status, r.header)
	}
}

// Caches may leave the query out, so that it picks a language only where nothing is
// cached; an unknown page is cached too.
func TestOnlyThePathPicksTheLanguageOfWhatIsShared(t *testing.T) {
	s := start(t, succeed)
	for path, want := range map[string]string{
		"/?lang=de": "en", "/nowhere?lang=de": "en", "/de/nowhere": "de", "/de/nowhere?lang=ar": "de", "/xx/": "en", "/DE/": "en",
		"/device/data?lang=de": "de", "/device/data?lang=DE": "en", "/device/data?lang=%3Cb%3E": "en", "/device/nowhere?lang=ar": "ar",
	} {
		if got := s.get(path, "Accept-Language", "es").find(t, "html").AttrOr("lang", ""); got != want {
			t.Errorf("%s is in %q, want %q", path, got, want)
		}
	}
}

// What a form without scripts is answered is in the page's language: results, errors by
// their sentence or else their code, and the notes in an archive.
func TestFormsAreAnsweredInTheirLanguage(t *testing.T) {
	s := start(t, fussy)
	form := func() *testForm { return newForm().file("a.jpg", "photo").file("b.txt", "bad") }
	in := formPath + "?lang=de"
	s.post(in, form()).expect(t, 200, `lang="de"`, "Foto 1 · ", "Foto 2 · ", "Diese Datei ist nicht lesbar", "Die Datei hat kein unterstütztes Bildformat.", `href="/de/"`)
	s.post(in, newForm()).expect(t, 400, `lang="de"`, "Die Anfrage enthält kein Foto.")
	s.post(in, form().field("background", "mauve")).expect(t, 400, `lang="de"`, "background is a colour such as #ffffff")
	s.post(in, newForm().file("b.txt", "bad"), "HX-Request", "true").expect(t, 415, "Diese Datei ist nicht lesbar")
	s.post(in, form(), "Sec-Fetch-Site", "cross-site").expect(t, 403, "Das kam von einer anderen Website")
	s.post(in, form().field("answer", "file")).expect(t, 200, "Foto 2 (b.txt): Die Datei hat")
	// The API speaks English whatever its address says.
	if p := s.do(http.MethodPost, api+"?lang=de", strings.NewReader("bad")).problem(t); strings.Contains(p.Detail, "Datei") {
		t.Errorf("%+v", p)
	}
}

// The number of photos picks its plural form.
func TestTheQuotaHasItsPlural(t *testing.T) {
	s := start(t, succeed, limited(ratelimit.Rules{Device: ratelimit.Rate{Count: 3, Period: time.Hour}}))
	for _, want := range []string{"بقيت 3 صور في هذه الساعة", "بقيت صورتان في هذه الساعة", "بقيت صورة واحدة في هذه الساعة", "لم تبقَ صور"} {
		s.get("/device/quota?lang=ar").expect(t, 200, want)
		s.post(formPath, newForm().file("a.jpg", "photo"))
	}
}

// Edges are told of the pages in every language when they are purged.
func TestEveryLanguageIsPurged(t *testing.T) {
	for _, l := range texts.All {
		for _, page := range []string{"/", "/gallery", "/help/tips", "/manifest.webmanifest"} {
			if !slices.Contains(SharedPaths(), l.To(page)) {
				t.Errorf("%s stays", l.To(page))
			}
		}
	}
}
