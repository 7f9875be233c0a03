package browsertest

import (
	"testing"

	"github.com/chromedp/chromedp"
)

// What is chosen for one photo can be had for all: those that are done, and
// those that come later.
func TestSameForAllPhotos(t *testing.T) {
	s, p := startSite(t), open(t, "")
	p.visit(s.url)
	p.pick(photo(t, "one.jpg", 320, 240))
	p.results(1)
	p.holds(`document.querySelector('[data-act="alike"]').hidden`)
	p.pick(photo(t, "two.jpg", 240, 320))
	p.results(2)
	p.do(chromedp.SetUploadFiles(chromedp.CSS(`.card:first-child .backdrops [type="file"]`), []string{photo(t, "behind.jpg", 90, 200)}))
	p.wait(`document.querySelector('.plate').dataset.backdrop === 'picture'`)
	p.act(controls + `tick('crop'); set('type', 'image/webp')`)
	p.wait(`document.querySelector('.size').textContent !== '320 × 240'`)
	p.click(`.card:first-child [data-act="alike"]`)
	p.wait(`document.querySelectorAll('.card .backdrop img').length === 2`)
	p.wait(`document.querySelectorAll('.size')[1].textContent !== '240 × 320'`)
	p.pick(photo(t, "three.jpg", 300, 300))
	p.results(3)
	p.wait(`document.querySelectorAll('.card .backdrop img').length === 3`)
	p.wait(`document.querySelectorAll('.size')[2].textContent !== '300 × 300'`)
	p.holds(`[...document.querySelectorAll('[name="type"]')].every(({ value }) => value === 'image/webp')`)
	p.act(`document.querySelector('.card:nth-child(2) .swatch [value="white"]').click()`)
	p.click(`.card:nth-child(2) [data-act="alike"]`)
	p.wait(`!document.querySelector('.card .backdrop img')`)
}
