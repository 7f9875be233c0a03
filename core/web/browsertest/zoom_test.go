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

// lineAt is where the line between before and after is in the window, in per
// cent, and where the original ends in it.
func (p *tab) lineAt() (line, original float64) {
	p.t.Helper()
	at := eval[[]float64](p, `(() => { const frame = document.querySelector('.window'), plate = frame.querySelector('.plate');
		const x = parseFloat(plate.style.getPropertyValue('--split')) / 100 * plate.offsetWidth + plate.offsetLeft - frame.scrollLeft;
		return [parseFloat(document.querySelector('.handle').style.getPropertyValue('--x')), x].map((v) => 100 * v / frame.clientWidth) })()`)
	return at[0], at[1]
}

// zoomTo presses the button until the level is so many per cent.
func (p *tab) zoomTo(figure, level string) {
	p.t.Helper()
	p.act(fmt.Sprintf(`for (let i = 0; i < 9 && document.querySelector('%s .level').textContent !== '%s'; i++) document.querySelector('%[1]s [data-zoom="in"]').click()`, figure, level))
	p.holds(fmt.Sprintf(`document.querySelector('%s .level').textContent === '%s'`, figure, level))
}

// middle is the middle of what a selector finds, in pixels of the window.
func (p *tab) middle(selector string) (x, y float64) {
	p.t.Helper()
	at := eval[[]float64](p, fmt.Sprintf(`(() => { const { x, y, width, height } = document.querySelector(%q).getBoundingClientRect(); return [x + width / 2, y + height / 2] })()`, selector))
	return at[0], at[1]
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
	p.holds(`!document.querySelector('.window').hasAttribute('tabindex')`)
	p.zoomTo(".viewer", "100 %")
	p.wait(`document.querySelector('.after').naturalWidth === 2400 && document.querySelector('.before').naturalWidth === 2400`)
	if got := p.scale(".viewer"); got != 1 {
		t.Errorf("%v pixels for each of the picture", got)
	}
	// Its middle is seen first.
	p.holds(`(() => { const f = document.querySelector('.window'); return Math.abs(f.scrollLeft + f.clientWidth / 2 - 1200) < 2 && Math.abs(f.scrollTop + f.clientHeight / 2 - 900) < 2 })()`)
	p.accessible("zoomed")
	p.screen(1280, 900, "light")
	p.zoomTo(".viewer", "800 %")
	p.click(`[data-zoom="in"]`) // no further
	p.holds(`document.querySelector('.level').textContent === '800 %'`)

	// Back to all of it, and to the view.
	p.click(`[data-zoom="fit"]`)
	p.wait(`document.querySelector('.after').naturalWidth === 1600`)
	p.holds(`document.querySelector('.plate').offsetWidth <= document.querySelector('.window').clientWidth`)
}

// Wheel and double-click zoom where the pointer is; at the whole picture the
// wheel scrolls the page down.
func TestZoomByWheelAndDoubleClick(t *testing.T) {
	s, p := startSite(t), open(t, "")
	p.screen(1280, 900, "light")
	p.visit(s.url)
	p.pick(photo(t, "a.jpg", 2400, 1800))
	p.results(1)
	x, y := p.middle(".after")
	wheel := func(by float64) {
		t.Helper()
		call(p, input.DispatchMouseEvent, input.DispatchMouseEventParams{Type: input.DispatchMouseEventTypeMouseWheel, X: x - 100, Y: y - 50, DeltaX: .01, DeltaY: by})
	}
	under := func() []float64 {
		return eval[[]float64](p, fmt.Sprintf(`(() => { const r = document.querySelector('.plate').getBoundingClientRect(); return [(%v - r.x) / r.width, (%v - r.y) / r.height] })()`, x-100, y-50))
	}
	before := under()
	wheel(-600)
	p.wait(`document.querySelector('.viewer').classList.contains('zoomed')`)
	after := under()
	if !near(100*before[0], 100*after[0]) || !near(100*before[1], 100*after[1]) {
		t.Errorf("under the pointer were %v, now are %v", before, after)
	}
	for range 12 {
		wheel(-600)
	}
	p.wait(`document.querySelector('.level').textContent === '800 %'`)
	for range 14 {
		wheel(600)
	}
	p.wait(`!document.querySelector('.viewer').classList.contains('zoomed')`)
	for _, level := range []string{"100 %", "fit"} {
		for _, kind := range []input.DispatchMouseEventType{input.DispatchMouseEventTypeMousePressed, input.DispatchMouseEventTypeMouseReleased} {
			for clicks := range 2 {
				call(p, input.DispatchMouseEvent, input.DispatchMouseEventParams{Type: kind, X: x, Y: y, Button: input.MouseButtonLeft, ClickCount: int64(clicks + 1)})
			}
		}
		if level == "fit" {
			p.wait(`!document.querySelector('.viewer').classList.contains('zoomed')`)
		} else {
			p.wait(`document.querySelector('.level').textContent === '` + level + `'`)
		}
	}
}

// Two fingers zoom as far apart as they go.
func TestZoomByPinch(t *testing.T) {
	s, p := startSite(t), open(t, "")
	p.touch()
	p.visit(s.url)
	p.pick(photo(t, "a.jpg", 2400, 1800))
	p.results(1)
	p.act(`scrollTo(0, 0)`)
	x, y := p.middle(".after")
	before := p.scale(".viewer")
	touch := func(kind input.DispatchTouchEventType, apart float64) {
		t.Helper()
		var points []*input.TouchPoint
		if kind != input.DispatchTouchEventTypeTouchEnd {
			points = []*input.TouchPoint{{X: x - apart, Y: y, ID: new(0.0)}, {X: x + apart, Y: y, ID: new(1.0)}}
		}
		call(p, input.DispatchTouchEvent, input.DispatchTouchEventParams{Type: kind, TouchPoints: points})
	}
	touch(input.DispatchTouchEventTypeTouchStart, 20)
	for _, apart := range []float64{30, 45, 60, 80} {
		touch(input.DispatchTouchEventTypeTouchMove, apart)
	}
	touch(input.DispatchTouchEventTypeTouchEnd, 0)
	p.wait(`document.querySelector('.viewer').classList.contains('zoomed')`)
	if got := p.scale(".viewer") / before; got < 3.5 || got > 4.5 {
		t.Errorf("fingers four times as far apart zoom %.2f times", got)
	}
	p.holds(`visualViewport.scale === 1`)
}

func TestBeforeAndAfterStayComparableWhereZoomed(t *testing.T) {
	s, p := startSite(t), open(t, "")
	p.screen(1280, 900, "light")
	p.visit(s.url)
	p.pick(photo(t, "a.jpg", 2400, 1800))
	p.results(1)
	p.zoomTo(".viewer", "100 %")
	p.click(`[data-view="50"]`)
	at := func(want float64) {
		t.Helper()
		if line, original := p.lineAt(); !near(line, want) || !near(original, want) {
			t.Errorf("the line is at %v %% of the window, the original ends at %v, want %v", line, original, want)
		}
	}
	at(50)
	p.photograph("zoomed both", 1280, "light")

	// The picture is dragged; the line stays.
	x, y := p.middle(".window")
	y += 120
	from := eval[[]float64](p, `(() => { const f = document.querySelector('.window'); return [f.scrollLeft, f.scrollTop] })()`)
	p.drag(x, y, -150, -90)
	p.wait(fmt.Sprintf(`document.querySelector('.window').scrollLeft === %v && document.querySelector('.window').scrollTop === %v`, from[0]+150, from[1]+90))
	p.mouse(input.DispatchMouseEventTypeMouseMoved, x, y, 0) // let go
	p.holds(fmt.Sprintf(`document.querySelector('.window').scrollLeft === %v`, from[0]+150))
	p.wait(`document.querySelector('.split').value === '50'`)
	at(50)

	// The knob moves the line, zoomed in or not, and nothing else.
	for _, zoomed := range []bool{true, false} {
		if !zoomed {
			p.click(`[data-zoom="fit"]`)
			p.click(`[data-view="50"]`)
		}
		scroll := eval[float64](p, `document.querySelector('.window').scrollLeft`)
		x, y := p.middle("#stage .knob")
		p.drag(x, y, 120, 0)
		p.wait(`Number(document.querySelector('.split').value) > 55`)
		p.holds(fmt.Sprintf(`document.querySelector('.window').scrollLeft === %v`, scroll))
		line, original := p.lineAt()
		if !near(line, original) {
			t.Errorf("the line is at %v %% of the window, the original ends at %v", line, original)
		}
	}
	// In a window of another size the line is still where the original ends.
	p.screen(1000, 900, "light")
	p.wait(`(() => { const f = document.querySelector('.window'), plate = f.querySelector('.plate');
		const x = parseFloat(plate.style.getPropertyValue('--split')) / 100 * plate.offsetWidth + plate.offsetLeft - f.scrollLeft;
		return f.clientWidth < 700 && Math.abs(x - parseFloat(document.querySelector('.handle').style.getPropertyValue('--x'))) < 1 })()`)
	p.click(`[data-view="100"]`)
	p.holds(`document.querySelector('.plate').style.getPropertyValue('--split') === '100%'`)
	p.click(`[data-view="0"]`)
	p.holds(`document.querySelector('.plate').style.getPropertyValue('--split') === '0%'`)
}

func TestZoomByKeyboard(t *testing.T) {
	s, p := startSite(t), open(t, "")
	p.screen(1280, 900, "light")
	p.visit(s.url)
	p.pick(photo(t, "a.jpg", 2400, 1800))
	p.results(1)
	p.wait(`document.activeElement.matches('#stage .name')`)
	p.act(`document.querySelector('h1').focus(); document.querySelector('.intake summary').focus()`)
	p.tabTo(".split")
	p.press("+", "+")
	p.holds(`document.querySelector('.viewer').classList.contains('zoomed')`)
	p.holds(`document.getElementById('announcer').textContent === '100 %'`)
	p.press("+")
	if got := p.scale(".viewer"); got != 2 {
		t.Errorf("%v pixels for each of the picture", got)
	}
	p.act(`document.querySelector('.intake summary').focus()`)
	p.tabTo(".window")
	before := eval[float64](p, `document.querySelector('.window').scrollLeft`)
	for range 10 { // browsers drop keys while they lay out
		if p.press(kb.ArrowRight, kb.ArrowDown); eval[float64](p, `document.querySelector('.window').scrollLeft`) > before {
			break
		}
	}
	p.holds(fmt.Sprintf(`document.querySelector('.window').scrollLeft > %v`, before))
	p.tabTo(".split")
	p.press("-", "-", "-", "-")
	p.holds(`!document.querySelector('.viewer').classList.contains('zoomed') && document.activeElement.matches('.split')`)
	p.tabTo("[data-zoom='in']")
	p.press(kb.Enter)
	p.holds(`document.querySelector('.viewer').classList.contains('zoomed')`)
	p.press("0")
	p.holds(`!document.querySelector('.viewer').classList.contains('zoomed')`)
}

func TestZoomInTheGalleryAndOnFineScreens(t *testing.T) {
	s, p := startSite(t), open(t, "")
	p.fill(s, photo(t, "one.jpg", 2400, 1800), photo(t, "small.jpg", 200, 150))
	call(p, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: 390, Height: 800, DeviceScaleFactor: 3, Mobile: true})
	show := func(name string) {
		t.Helper()
		p.act(`[...document.querySelectorAll('.tile')].find((t) => t.textContent.includes('` + name + `')).querySelector('[data-do="open"]').click()`)
		p.wait(`document.getElementById('viewer').open && document.querySelector('#viewer .name').textContent === '` + name + `'`)
	}
	show("one.jpg")
	p.zoomTo("#viewer", "100 %")
	p.wait(`document.querySelector('#viewer .after').naturalWidth === 2400`)
	if got := p.scale("#viewer"); !near(3*got, 1) {
		t.Errorf("%v pixels of the page for each of the picture, where it has three of the screen", got)
	}
	p.accessible("gallery zoomed")
	p.click(`#viewer [data-do="close"]`)
	// Another picture begins whole.
	show("small.jpg")
	p.holds(`!document.querySelector('#viewer .viewer').classList.contains('zoomed')`)
}

// The picture itself can be dragged out, to the desktop for one, at full size and
// under its name; let go over the page, it is no new photo.
func TestResultCanBeDraggedOut(t *testing.T) {
	s, p := startSite(t), open(t, "")
	p.screen(1280, 1200, "light")
	p.visit(s.url)
	p.pick(photo(t, "a.jpg", 2400, 1800))
	p.results(1)
	p.act(`addEventListener('dragenter', () => { window.over = true }); addEventListener('dragend', () => { window.ended = true });
		addEventListener('dragstart', ({ dataTransfer }) => { window.out = dataTransfer.getData('DownloadURL') })`)
	p.wait(`document.querySelector('.grip').naturalWidth === 2400`)
	x, y := p.middle(".after")
	// What the browser's own menu would act on is the finished picture.
	p.holds(fmt.Sprintf(`document.elementFromPoint(%v, %v).matches('.grip')`, x, y))
	p.drag(x, y, -90, -60)
	p.wait(`window.ended`)
	p.holds(`window.out.startsWith('image/png:a-cutout.png:blob:')`)
	p.holds(`window.over && document.querySelectorAll('.card').length === 1 && document.getElementById('veil').hidden && location.pathname === '/'`)
}
