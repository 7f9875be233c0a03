package browsertest

import (
	"strings"
	"testing"
)

// noCookies is the setting "block all cookies", which blocks storage as well.
const noCookies = `{"profile":{"default_content_setting_values":{"cookies":2}}}`

func TestBlockedCookiesAndStorageLeaveTheSiteWorking(t *testing.T) {
	s, p := startSite(t), open(t, noCookies)
	p.visit(s.url)
	p.pick(photo(t, "one.jpg", 300, 200))
	p.results(1)
	p.wait(`document.querySelector('[data-key="gallery"]')?.textContent.includes('blocks site data')`)
	p.accessible("storage blocked")
	p.click(`[data-view="50"]`) // browsers ask only those who have touched the page
	p.visit(s.url + "/gallery")
	if p.asked.Load() != 1 {
		t.Error("the result was left behind without a question")
	}
	p.wait(`document.querySelector('[data-key="trouble"]')?.textContent.includes('blocks site data')`)
	p.accessible("gallery blocked")
	p.visit(s.url + "/device/data")
	p.wait(`document.getElementById('no-cookie').disabled`)
	p.accessible("data blocked")
	p.holds(`document.querySelector('.text').textContent.includes('there is no cookie')`)
}

func TestPlainHTTPAddressSaysWhatDoesNotWork(t *testing.T) {
	s, p := startSite(t), open(t, "")
	address := "http://" + plainHost + ":" + s.port
	p.expect("Cross-Origin-Opener-Policy header has been ignored")
	p.visit(address)
	p.holds(`!window.isSecureContext`)
	p.pick(photo(t, "one.jpg", 300, 200))
	p.results(1)
	p.wait(`document.querySelector('[data-key="gallery"]')?.textContent.includes('secure address')`)
	p.holds(`document.querySelector('[data-act="copy"]').hidden`)
	p.accessible("result on plain http")
	p.click(`.swatch [value="black"]`)
	p.click(`[data-view="50"]`)
	p.visit(address + "/gallery")
	p.wait(`document.querySelector('[data-key="trouble"]')?.textContent.includes('secure address')`)
	p.accessible("gallery on plain http")
}

func TestOneCookieAndOnlyWhereItBelongs(t *testing.T) {
	s, p := startSite(t), open(t, "")
	for _, path := range []string{"/", "/gallery", "/privacy", "/contact"} {
		p.visit(s.url + path)
	}
	if all := p.cookies(); len(all) != 0 {
		t.Errorf("pages set %v", all)
	}
	p.visit(s.url)
	p.wait(`navigator.serviceWorker.controller`)
	p.pick(photo(t, "one.jpg", 300, 200))
	p.results(1)
	p.kept(1)
	all := p.cookies()
	if len(all) != 1 || all[0].Name != "session" || all[0].Path != "/device/" || !all[0].HTTPOnly {
		t.Errorf("cookies %+v", all)
	}
	p.visit(s.url + "/device/data")
	p.click("#forget summary")
	p.accessible("delete my data")
	p.holds(`localStorage.getItem('gallery')`) // so far it has only asked
	p.click("#forget button")
	p.wait(`document.getElementById('browser')?.textContent.includes('are deleted too')`)
	p.accessible("forgotten")
	if all := p.cookies(); len(all) != 0 {
		t.Errorf("left after deleting: %v", all)
	}
	p.holds(`localStorage.getItem('gallery') === null`)
	if left := eval[int](p, `caches.keys().then((k) => k.length)`); left != 0 {
		t.Errorf("%d caches left", left)
	}
}

func TestStandingObjectionToTheCookie(t *testing.T) {
	s, p := startSite(t), open(t, "")
	p.visit(s.url + "/device/data")
	p.click("#no-cookie")
	p.click("#no-gallery")
	p.click("#forget summary")
	p.click("#forget button") // objections outlive a deletion
	p.wait(`document.getElementById('browser')?.textContent.includes('are deleted too')`)
	p.visit(s.url)
	p.pick(photo(t, "one.jpg", 300, 200))
	p.results(1)
	if all := p.cookies(); len(all) != 0 {
		t.Errorf("set %v against the visitor's wish", all)
	}
	p.holds(`localStorage.getItem('gallery') === null`)
}

func TestFirstVisitIsSmallAndAsksNobodyElse(t *testing.T) {
	s, p := startSite(t), open(t, "")
	sizes := p.watchTraffic()
	p.visit(s.url)
	p.wait(`navigator.serviceWorker.controller`)
	total, pictures := 0.0, 0.0
	for _, r := range sizes() {
		if !strings.HasPrefix(r.url, s.url+"/") {
			t.Errorf("asked %s", r.url)
		}
		if strings.Contains(r.url, "/samples/") {
			pictures += r.bytes
		} else {
			total += r.bytes
		}
	}
	if total == 0 || total > 60_000 || pictures > 100_000 {
		t.Errorf("the first visit took %.0f bytes over the wire and %.0f of pictures, want at most 60 and 100 KB", total, pictures)
	}
	t.Logf("first visit: %.0f bytes, and %.0f of pictures, in %d requests", total, pictures, len(sizes()))
}
