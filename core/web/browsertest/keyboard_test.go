package browsertest

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// press sends keys to whatever has the focus.
func (p *tab) press(keys ...string) {
	p.t.Helper()
	for _, key := range keys {
		p.do(chromedp.KeyEvent(key))
	}
}

// tabTo presses Tab until something that matches has the focus, and checks on
// the way that what has it can be seen.
func (p *tab) tabTo(selector string) {
	p.t.Helper()
	for range 60 {
		p.press(kb.Tab)
		if eval[bool](p, "document.activeElement.matches(`"+selector+"`)") {
			return
		}
		p.holds(`document.activeElement === document.body || document.activeElement.checkVisibility()`)
	}
	p.t.Fatalf("Tab never comes to %s", selector)
}

func TestEverythingByKeyboard(t *testing.T) {
	s, p := startSite(t), open(t, "")
	p.visit(s.url)
	p.tabTo(".skip")
	p.press(kb.Enter)
	p.tabTo("#image")
	p.tabTo("#options > summary")
	p.press(kb.Enter)
	p.tabTo("[name='mode']")
	p.press(kb.ArrowRight)
	p.holds(`document.querySelector('[name="mode"]:checked').value === 'fast'`)
	p.pick(photo(t, "a.jpg", 400, 300))
	p.results(1)
	p.wait(`document.activeElement.matches('#stage .name')`)
	p.tabTo(".split")
	p.press(kb.ArrowRight, kb.ArrowRight, kb.ArrowRight)
	p.holds(`document.activeElement.getAttribute('aria-valuetext') === '3 % of the original'`)
	p.press(kb.End)
	p.holds(`document.querySelector('.plate').style.getPropertyValue('--split') === '100%'`)
	p.tabTo("[data-view='50']")
	p.press(kb.Enter)
	p.holds(`document.querySelector('.split').value === '50'`)
	p.tabTo(".swatch [type='radio']")
	p.press(kb.ArrowRight)
	p.holds(`document.querySelector('.plate').style.getPropertyValue('--backdrop') === '#ffffff'`)
	p.tabTo("[name='crop']")
	p.press(" ")
	p.tabTo("[name='margin']")
	p.press(kb.ArrowRight)
	p.holds(`document.activeElement.nextElementSibling.textContent === '6 %'`)
	p.wait(`document.querySelector('.facts .size').textContent !== '400 × 300'`)
	p.tabTo("[name='shadow']")
	p.press(" ")
	p.tabTo("[name='strength']")
	folder, save := p.downloads()
	p.tabTo("[data-act='save']")
	save(func() { p.press(kb.Enter) })
	at(t, folder, "a-cutout.png", 1, 1, 255, 255, 255, 255)
	p.kept(1)
	p.openGallery(s, 1)
	p.tabTo(".tile [data-do='open']")
	p.press(kb.Enter)
	p.wait(`document.getElementById('viewer').open`)
	p.press(kb.Escape)
	p.wait(`!document.getElementById('viewer').open && document.activeElement.matches('.tile [data-do="open"]')`)
	p.tabTo(".tile [data-do='delete']")
	p.press(kb.Enter)
	p.wait(`!document.getElementById('empty').hidden`)
}

// The text may be twice as large without anything being cut off.
func TestLargeTextStillFits(t *testing.T) {
	s, p := startSite(t), open(t, "")
	for _, path := range []string{"/", "/gallery", "/privacy", "/contact", "/api", "/device/data"} {
		p.visit(s.url + path)
		p.screen(640, 800, "light")
		p.act(`document.documentElement.style.fontSize = '200%'`)
		p.fits("double text on "+strings.TrimPrefix(path, "/"), 640)
	}
}

// In forced colours, what is chosen and where the focus is still shows.
func TestForcedColours(t *testing.T) {
	s, p := startSite(t), open(t, "")
	p.visit(s.url)
	p.forceColours()
	p.pick(photo(t, "a.jpg", 400, 300))
	p.results(1)
	p.photograph("forced colours", 1280, "dark")
	p.holds(`getComputedStyle(document.querySelector('.button')).borderStyle === 'solid'`)
	p.holds(`getComputedStyle(document.querySelector('.swatch [value="black"] + .dot')).backgroundColor === 'rgb(0, 0, 0)'`)
}
