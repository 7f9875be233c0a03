package browsertest

import (
	"testing"
)

// The languages that read from the right and have the longest words: their pages and
// results fit every screen, and axe finds nothing.
func TestOtherLanguagesAreAccessible(t *testing.T) {
	s, p := startSite(t), open(t, "")
	for _, language := range []struct{ tag, direction, added, done, compare string }{
		{"ar", "rtl", "أُضيفت صورتان", "اكتملت", "مقارنة"},
		{"de", "ltr", "2 Fotos hinzugefügt", "Fertig", "Vergleichen"},
	} {
		home := s.url + "/" + language.tag + "/"
		p.visit(home)
		p.wait(`document.documentElement.classList.contains('ready')`)
		p.holds(`document.documentElement.lang === '` + language.tag + `' && getComputedStyle(document.body).direction === '` + language.direction + `'`)
		p.click(`.languages summary`)
		p.accessible("home in " + language.tag)
		p.act(`new MutationObserver(() => { document.body.dataset.said = (document.body.dataset.said ?? '') + document.getElementById('announcer').textContent }).observe(document.getElementById('announcer'), { childList: true })`)
		p.pick(photo(t, "one.jpg", 400, 300), photo(t, "two.jpg", 300, 400))
		p.results(2)
		p.holds(`document.body.dataset.said.includes('` + language.added + `')`)
		p.holds(`[...document.querySelectorAll('.card small')].every((s) => s.textContent === '` + language.done + `')`)
		p.look(1)
		p.accessible("result in " + language.tag)
		p.holds(`document.querySelector('[data-view="50"]').textContent === '` + language.compare + `'`)
		p.visit(home + "gallery")
		p.wait(`document.querySelectorAll('.tile img').length >= 2 && [...document.querySelectorAll('.tile img')].every((i) => i.naturalWidth)`)
		p.accessible("gallery in " + language.tag)
		for _, page := range []string{home + "privacy", s.url + "/device/data?lang=" + language.tag} {
			p.visit(page)
			p.wait(`document.documentElement.classList.contains('ready')`)
			p.accessible(page)
		}
	}
}

// The line of a comparison follows the hand in a language that reads from the right too.
func TestComparingInArabic(t *testing.T) {
	s, p := startSite(t), open(t, "")
	p.visit(s.url + "/ar/")
	p.pick(photo(t, "one.jpg", 400, 300))
	p.results(1)
	p.click(`[data-view="50"]`)
	line, original := p.lineAt()
	x, y := p.middle(".stage .knob")
	p.drag(x, y, 120, 0)
	if after, share := p.lineAt(); after < line+5 || share < original+5 {
		t.Errorf("the line went from %.0f %% to %.0f, and the original's end from %.0f %% to %.0f", line, after, original, share)
	}
}

// A visitor's language works without the server: its pages are kept once it is used.
func TestALanguageWorksOffline(t *testing.T) {
	s, p := startSite(t), open(t, "")
	p.expect("net::ERR_")
	p.visit(s.url)
	p.wait(`navigator.serviceWorker.controller`)
	p.visit(s.url + "/de/")
	p.act(`for (;;) {
		const shell = await caches.open((await caches.keys()).find((name) => name.startsWith('shell-')));
		if (await shell.match('/de/help/tips', { ignoreVary: true })) break; // the last of them
		await new Promise((later) => { setTimeout(later, 50); });
	}`)
	s.stop()
	for address, title := range map[string]string{
		"/de/gallery": "Galerie", "/de/privacy": "Datenschutz", "/device/data?lang=de": "Keine Verbindung zum Server", "/de/nowhere": "Keine Verbindung zum Server",
		"/gallery": "Gallery", "/es/gallery": "Gallery", // this one was never used
	} {
		p.visit(s.url + address)
		p.wait(`document.querySelector('h1').textContent === '` + title + `'`)
	}
}

// An error's words are in the page's language, by its code where the sentence is not
// known.
func TestErrorsSpeakThePagesLanguage(t *testing.T) {
	s, p := startSite(t), open(t, "")
	p.expect("status of 415")
	p.visit(s.url + "/de/")
	p.pick(write(t, "notes.jpg", []byte("no photo")))
	p.wait(`document.querySelector('.problem h3')?.textContent === 'Diese Datei ist nicht lesbar'`)
	p.holds(`document.querySelector('.words p:not(.name)').textContent.startsWith('Die Datei hat kein unterstütztes Bildformat')`)
	p.holds(`document.querySelector('[data-act="dismiss"]').textContent.trim() === 'Ausblenden'`)
}
