package browsertest

import (
	"fmt"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp/kb"
)

// scale is how many pixels of the page the picture has for each of its own.
func (p *tab) scale(figure string) float64 {
	p.t.Helper()
	return eval[float64](p, fmt.Sprintf(`(() => { const plate = document.querySelector('%s .plate');
		return plate.getBoundingClientRect().width / Number(plate.style.getPropertyValue('--width')) })()`, figure))
}

// lineAt is where the line between before and after is in the window, in per cent.
func (p *tab) lineAt() float64 {
	p.t.Helper()
	return eval[float64](p, `(() => { const frame = document.querySelector('.window'), plate = frame.querySelector('.plate');
		const x = parseFloat(plate.style.getPropertyValue('--split')) / 100 * plate.offsetWidth + plate.offsetLeft - frame.scrollLeft;
		return 100 * x / frame.clientWidth })()`)
}

func (p *tab) mouse(kind input.DispatchMouseEventType, x, y float64, buttons int64) {
	p.t.Helper()
	call(p, input.DispatchMouseEvent, input.DispatchMouseEventParams{Type: kind, X: x, Y: y, Button: input.MouseButtonLeft, Buttons: buttons, ClickCount: 1})
}

// drag presses the mouse, moves it and lets it go.
func (p *tab) drag(x, y, across, down float64) {
	p.t.Helper()
	p.mouse(input.DispatchMouseEventTypeMousePressed, x, y, 1)
	p.mouse(input.DispatchMouseEventTypeMouseMoved, x+across/3, y+down/3, 1)
	p.mouse(input.DispatchMouseEventTypeMouseMoved, x+across, y+down, 1)
	p.mouse(input.DispatchMouseEventTypeMouseReleased, x+across, y+down, 0)
}

func near(a, b float64) bool { return a-b < .5 && b-a < .5 }

func TestZoomShowsEveryPixel(t *testing.T) {
	s, p := startSite(t), open(t, "")
	p.screen(1280, 900, "light")
	p.visit(s.url)
	p.pick(photo(t, "a.jpg", 2400, 1800))
	p.results(1)
	p.wait(`document.querySelector('.after').naturalWidth === 1600`) // the view
	p.wait(`!document.querySelector('.zoom').hidden`)
	p.holds(`!document.querySelector('.window').hasAttribute('tabindex')`)
	p.click(`[data-zoom="1"]`)
	p.wait(`document.querySelector('.after').naturalWidth === 2400 && document.querySelector('.before').naturalWidth === 2400`)
	if got := p.scale(".viewer"); got != 1 {
		t.Errorf("%v pixels for each of the picture", got)
	}
	p.holds(`document.querySelector('[data-zoom="1"]').ariaPressed === 'true' && document.querySelector('[data-zoom="0"]').ariaPressed === 'false'`)
	// Its middle is seen first.
	p.holds(`(() => { const f = document.querySelector('.window'); return Math.abs(f.scrollLeft + f.clientWidth / 2 - 1200) < 2 && Math.abs(f.scrollTop + f.clientHeight / 2 - 900) < 2 })()`)
	p.accessible("zoomed")

	// Back to all of it, and to the view.
	p.screen(1280, 900, "light")
	p.click(`[data-zoom="0"]`)
	p.wait(`document.querySelector('.after').naturalWidth === 1600`)
	p.holds(`document.querySelector('.plate').offsetWidth <= document.querySelector('.window').clientWidth`)
}

func TestBeforeAndAfterStayComparableWhereZoomed(t *testing.T) {
	s, p := startSite(t), open(t, "")
	p.screen(1280, 900, "light")
	p.visit(s.url)
	p.pick(photo(t, "a.jpg", 2400, 1800))
	p.results(1)
	p.wait(`!document.querySelector('.zoom').hidden`)
	p.click(`[data-zoom="1"]`)
	p.click(`[data-view="50"]`)
	if got := p.lineAt(); !near(got, 50) {
		t.Errorf("the line is at %v %% of the window", got)
	}
	p.photograph("zoomed both", 1280, "light")

	// The picture is dragged; the line stays.
	box := eval[[]float64](p, `(() => { const { x, y, width, height } = document.querySelector('.window').getBoundingClientRect(); return [x + width / 2, y + height / 2] })()`)
	from := eval[[]float64](p, `(() => { const f = document.querySelector('.window'); return [f.scrollLeft, f.scrollTop] })()`)
	p.drag(box[0], box[1], -150, -90)
	p.wait(fmt.Sprintf(`document.querySelector('.window').scrollLeft === %v && document.querySelector('.window').scrollTop === %v`, from[0]+150, from[1]+90))
	p.mouse(input.DispatchMouseEventTypeMouseMoved, box[0], box[1], 0) // let go
	p.holds(fmt.Sprintf(`document.querySelector('.window').scrollLeft === %v`, from[0]+150))
	p.wait(`document.querySelector('.split').value === '50'`)
	if got := p.lineAt(); !near(got, 50) {
		t.Errorf("after a drag the line is at %v %% of the window", got)
	}
	p.click(`[data-view="100"]`)
	p.holds(`document.querySelector('.plate').style.getPropertyValue('--split') === '100%'`)
	p.click(`[data-view="0"]`)
	p.holds(`document.querySelector('.plate').style.getPropertyValue('--split') === '0%'`)
}

func TestZoomByKeyboard(t *testing.T) {
	s, p := startSite(t), open(t, "")
	p.visit(s.url)
	p.pick(photo(t, "a.jpg", 2400, 1800))
	p.results(1)
	p.wait(`document.activeElement.matches('.result h3') && !document.querySelector('.zoom').hidden`)
	p.tabTo(".split")
	p.press("+")
	p.holds(`document.querySelector('.viewer').classList.contains('zoomed')`)
	p.holds(`document.getElementById('announcer').textContent === '100 %'`)
	p.press("+")
	if got := p.scale(".viewer"); got != 2 {
		t.Errorf("%v pixels for each of the picture", got)
	}
	p.act(`document.querySelector('h1').scrollIntoView(); document.querySelector('.result h3').focus()`)
	p.tabTo(".window")
	before := eval[float64](p, `document.querySelector('.window').scrollLeft`)
	p.press(kb.ArrowRight, kb.ArrowDown)
	p.wait(fmt.Sprintf(`document.querySelector('.window').scrollLeft > %v`, before))
	p.tabTo(".split")
	p.press("-", "-")
	p.holds(`!document.querySelector('.viewer').classList.contains('zoomed') && document.activeElement.matches('.split')`)
	p.tabTo("[data-zoom='1']")
	p.press(kb.Enter)
	p.press("-")
	p.holds(`document.querySelector('[data-zoom="0"]').ariaPressed === 'true'`)
	p.press("-")
	p.holds(`!document.querySelector('.viewer').classList.contains('zoomed')`)
}

func TestZoomInTheGalleryAndOnFineScreens(t *testing.T) {
	s, p := startSite(t), open(t, "")
	p.fill(s, photo(t, "one.jpg", 2400, 1800), photo(t, "small.jpg", 200, 150))
	call(p, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: 390, Height: 800, DeviceScaleFactor: 3, Mobile: true})
	p.click(`.tile:nth-child(2) [data-do="open"]`)
	p.wait(`document.getElementById('viewer').open`)
	if eval[string](p, `document.querySelector('#viewer h2').textContent`) != "one.jpg" {
		p.click(`#viewer [data-do="close"]`)
		p.click(`.tile:nth-child(1) [data-do="open"]`)
		p.wait(`document.getElementById('viewer').open`)
	}
	p.wait(`!document.querySelector('#viewer .zoom').hidden`)
	p.click(`#viewer [data-zoom="1"]`)
	p.wait(`document.querySelector('#viewer .after').naturalWidth === 2400`)
	if got := p.scale("#viewer"); !near(3*got, 1) {
		t.Errorf("%v pixels of the page for each of the picture, where it has three of the screen", got)
	}
	p.accessible("gallery zoomed")
	p.click(`#viewer [data-do="close"]`)
	// Another picture begins whole, and a small one offers nothing.
	p.act(`[...document.querySelectorAll('.tile')].find((t) => t.textContent.includes('small.jpg')).querySelector('button').click()`)
	p.wait(`document.querySelector('#viewer h2').textContent === 'small.jpg' && document.getElementById('viewer').open`)
	p.wait(`document.querySelector('#viewer .zoom').hidden`)
	p.holds(`!document.querySelector('#viewer .viewer').classList.contains('zoomed')`)
	p.press("+")
	p.holds(`!document.querySelector('#viewer .viewer').classList.contains('zoomed')`)
}

// Where there is no line to take hold of, the picture itself can be dragged out,
// to the desktop for one; let go over the page, it is no new photo.
func TestResultDroppedOnItsPageIsNoNewPhoto(t *testing.T) {
	s, p := startSite(t), open(t, "")
	p.screen(1280, 1200, "light")
	p.visit(s.url)
	p.pick(photo(t, "a.jpg", 400, 300))
	p.results(1)
	p.act(`document.querySelector('.split').hidden = true; document.querySelector('.before').hidden = true;
		addEventListener('dragenter', () => { window.over = true }); addEventListener('dragend', () => { window.ended = true })`)
	box := eval[[]float64](p, `(() => { const { x, y, width, height } = document.querySelector('.after').getBoundingClientRect(); return [x + width / 2, y + height / 2] })()`)
	p.drag(box[0], box[1], -90, -60)
	p.wait(`window.ended`)
	p.holds(`window.over && document.querySelectorAll('.card').length === 1 && document.getElementById('veil').hidden && location.pathname === '/'`)
}
