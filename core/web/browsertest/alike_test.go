package browsertest

import (
	"testing"

	"github.com/chromedp/chromedp"
)

// What is chosen for one photo can be applied to all, those that are done and
// those that come later, and undone.
func TestApplyToAllAndUndo(t *testing.T) {
	s, p := startSite(t), open(t, "")
	p.visit(s.url)
	p.pick(photo(t, "one.jpg", 320, 240))
	p.results(1)
	p.holds(`document.querySelector('[data-act="alike"]').hidden`)
	p.pick(photo(t, "two.jpg", 240, 320))
	p.results(2)
	p.do(chromedp.SetUploadFiles(chromedp.CSS(`.backdrops [type="file"]`), []string{photo(t, "behind.jpg", 90, 200)}))
	p.wait(`document.querySelector('.plate').dataset.backdrop === 'picture'`)
	p.act(controls + `tick('crop'); set('type', 'image/webp')`)
	p.wait(`document.querySelector('.size').textContent !== '320 × 240'`)
	p.click(`[data-act="alike"]`)
	p.wait(`document.querySelector('[data-key="alike"] p').textContent === '2 photos now have this look.'`)
	p.look(2)
	p.wait(`document.querySelector('.backdrop img') && document.querySelector('.size').textContent !== '240 × 320'`)
	p.holds(`document.querySelector('[name="type"]').value === 'image/webp'`)
	p.pick(photo(t, "three.jpg", 300, 300))
	p.results(3)
	p.look(3)
	p.wait(`document.querySelector('.backdrop img') && document.querySelector('.size').textContent !== '300 × 300'`)
	p.click(`[data-key="alike"] .button:not(.quiet)`)
	p.look(2)
	p.wait(`!document.querySelector('.backdrop img') && document.querySelector('.size').textContent === '240 × 320'`)
	p.look(1)
	p.wait(`document.querySelector('.backdrop img') && document.querySelector('.size').textContent !== '320 × 240'`)
}
