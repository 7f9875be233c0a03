package browsertest

import (
	"image"
	"sync/atomic"
	"testing"
	"time"

	"bgremover.pro/core/cutout"
	"bgremover.pro/core/web"
)

func TestPagesAreAccessible(t *testing.T) {
	s, p := startSite(t), open(t, "")
	p.expect("status of 404")
	for path, state := range map[string]string{
		"/": "home", "/gallery": "gallery empty", "/privacy": "privacy", "/contact": "contact", "/api": "API", "/offline": "offline page",
		"/device/data": "data", "/nowhere": "not found",
	} {
		p.visit(s.url + path)
		p.wait("document.documentElement.classList.contains('ready')")
		if path == "/gallery" {
			p.wait("!document.getElementById('empty').hidden")
		}
		p.accessible(state)
		// On every page the skip link leads to the content, and there is one h1.
		p.holds(`document.querySelectorAll('h1').length === 1 && document.documentElement.lang === 'en'`)
	}
}

func TestCardsAreAccessibleInEveryState(t *testing.T) {
	s, p := startSite(t), open(t, "")
	gate := make(chan struct{}, 10)
	p.visit(s.url)
	s.line.set(func(l *line) { l.gate = gate })
	p.pick(photos(t, 5, 400, 300)...)
	p.wait(`document.querySelectorAll('[data-stage="waiting"]').length === 3`)
	// Each asks for its place every second; nothing may be swapped while axe looks.
	p.act(`for (const step of document.querySelectorAll('.step')) step.replaceWith(step.cloneNode(true))`)
	p.accessible("uploading")
	for range 5 {
		gate <- struct{}{}
	}
	p.results(5)
	p.accessible("all photos")
	p.look(2)
	p.act(`document.querySelector('[data-view="50"]').click()`)
	p.accessible("focus view")
	p.act(`for (const box of document.querySelectorAll('.subject [type="checkbox"], .swatch [value="gradient"]')) box.click()`)
	p.wait(`document.querySelector('.cast')`)
	p.accessible("options")
	s.line.set(func(l *line) {
		l.gate = nil
		l.edit = func(r *cutout.Result) { r.Subject = cutout.SubjectNone }
	})
	p.click(`[data-do="clear"]`)
	p.pick(photo(t, "fog.jpg", 400, 300))
	p.results(1)
	p.accessible("nothing found")
	s.line.set(func(l *line) { l.edit = func(r *cutout.Result) { r.Subject = cutout.SubjectUnsure } })
	p.click(`[data-action="over"]`)
	p.pick(photo(t, "reeds.jpg", 400, 300))
	p.results(1)
	p.accessible("unsure")
	p.holds(`document.querySelector('.nothing').textContent.includes('hard to tell') && document.querySelector('.nothing').textContent.includes('try Best')`)
	p.holds(`document.querySelector('.nothing').checkVisibility() && document.querySelector('#stage .viewer').checkVisibility()`)
	p.visit(s.url + "/gallery")
	p.wait(`document.querySelectorAll('.tile').length === 7`)
	p.wait(`[...document.querySelectorAll('.tile img')].every((i) => i.naturalWidth)`)
	p.accessible("gallery full")
	p.click(`.tile [data-do="open"]`)
	p.wait(`document.getElementById('viewer').open && document.querySelector('#viewer .after').naturalWidth`)
	p.accessible("gallery dialog")
	p.click(`#viewer [data-do="close"]`)
	p.click(`[data-do="clear"]`)
	p.accessible("gallery confirm")
}

// Every error has its card, with what to do about it.
func TestEachErrorIsShownWhereItBelongs(t *testing.T) {
	s, p := startSite(t), open(t, "")
	soon := 90 * time.Second
	for _, c := range []struct {
		code   cutout.Code
		retry  time.Duration
		status string
		again  bool
	}{
		{cutout.Invalid, 0, "400", false},
		{cutout.TooManyPixels, 0, "413", false},
		{cutout.UnsupportedFormat, 0, "415", false},
		{cutout.RateLimited, soon, "429", true},
		{cutout.Busy, soon, "503", true},
		{cutout.BackendUnavailable, soon, "503", true},
		{cutout.Timeout, 0, "504", true},
		{cutout.Internal, 0, "500", true},
	} {
		t.Run(string(c.code), func(t *testing.T) {
			p.t = t
			p.expect("status of " + c.status)
			s.line.set(func(l *line) {
				l.fail = func(image.Config) error {
					return &cutout.Error{Code: c.code, Message: "What to do about it.", RetryAfter: c.retry}
				}
			})
			p.visit(s.url)
			p.pick(photo(t, "a.jpg", 200, 150))
			p.wait(`document.querySelector('.problem[data-code="` + string(c.code) + `"] [role="alert"]')`)
			p.holds(`document.querySelector('.problem .name').textContent === 'a.jpg'`)
			p.holds(`document.querySelector('.problem').textContent.includes('What to do about it.')`)
			if got := eval[bool](p, `!!document.querySelector('.problem [data-act="retry"]')`); got != c.again {
				t.Errorf("can be tried again: %v, want %v", got, c.again)
			}
			if c.retry > 0 {
				p.holds(`/^1:[0-3]\d$/.test(document.querySelector('.wait time').textContent)`)
			}
			p.accessible("error " + string(c.code))
			p.click(`[data-act="dismiss"]`)
			p.holds(`document.getElementById('work').hidden`)
		})
	}
}

func TestDropVeilIsAccessible(t *testing.T) {
	s, p := startSite(t), open(t, "")
	p.visit(s.url)
	p.wait("document.documentElement.classList.contains('ready')")
	p.act(`const transfer = new DataTransfer(); transfer.items.add(new File(['x'], 'x.png', { type: 'image/png' }));
		document.body.dispatchEvent(new DragEvent('dragenter', { dataTransfer: transfer, bubbles: true, cancelable: true }))`)
	p.holds(`!document.getElementById('veil').hidden`)
	p.accessible("dropping")
}

func TestLimitReachedHoldsTheRestAndGoesOnByItself(t *testing.T) {
	s, p := startSite(t), open(t, "")
	p.expect("status of 503")
	var refused atomic.Bool
	s.line.set(func(l *line) {
		l.fail = func(image.Config) error {
			if refused.Swap(true) {
				return nil
			}
			return &cutout.Error{Code: cutout.Busy, Message: "Full.", RetryAfter: 8 * time.Second}
		}
	})
	first, second := photo(t, "a.jpg", 200, 150), photo(t, "b.jpg", 200, 151)
	p.visit(s.url)
	p.pick(first)
	p.wait(`document.querySelector('.problem .wait')`)
	p.pick(second)
	p.holds(`document.querySelectorAll('.card')[1].dataset.state === 'waiting'`)
	p.results(2)
}

func TestRateLimitTellsWhenItIsFreeAgain(t *testing.T) {
	s, p := startSite(t, limited(1)), open(t, "")
	p.expect("status of 429")
	p.visit(s.url)
	p.pick(photo(t, "a.jpg", 200, 150))
	p.results(1)
	p.wait(`/No photos left; they are back in (1 hour|60 minutes|5\d minutes)/.test(document.querySelector('#quota').textContent)`)
	p.pick(photo(t, "b.jpg", 200, 150))
	p.wait(`document.querySelector('[data-code="rate_limited"] .wait time')`)
	p.holds(`/^(5\d:\d\d|1:00:00)$/.test(document.querySelector('.wait time').textContent)`)
	p.accessible("limit reached")
}

func TestTooLargeIsSaidBeforeSending(t *testing.T) {
	s, p := startSite(t), open(t, "")
	p.visit(s.url)
	p.pick(write(t, "huge.jpg", make([]byte, 2<<20+1)), write(t, "empty.jpg", nil))
	p.wait(`document.querySelectorAll('.problem').length === 2`)
	p.holds(`document.querySelector('.problem').textContent.includes('the limit is 2 MB')`)
	p.accessible("error too large")
	for _, x := range s.requests() {
		if x.Route == "/device/cutouts" {
			t.Error("it was sent all the same")
		}
	}
}

// A proxy's own error page is not swapped in.
func TestAnswersOfOthersAreNotShown(t *testing.T) {
	s, p := startSite(t, func(o *web.Options) { o.Version = "proxied" }), open(t, "")
	p.visit(s.url)
	p.act(`document.body.addEventListener('htmx:beforeSwap', (e) => {
		if (e.target.matches('.outcome')) e.detail.serverResponse = '<html><h1>502 Bad Gateway</h1></html>' }, true)`)
	p.pick(photo(t, "a.jpg", 200, 150))
	p.wait(`document.querySelector('.problem h3')?.textContent === 'The server can’t be reached'`)
	p.holds(`!document.body.textContent.includes('Bad Gateway')`)
	p.accessible("error of a proxy")
}
