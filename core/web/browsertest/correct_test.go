package browsertest

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"bgremover.pro/core/correct"
	"bgremover.pro/core/correct/correcttest"
	"bgremover.pro/core/cutout"
)

// squares is a photo on disk and the cut-out that the stand-in answers with, which
// lacks the square at the right.
type squares struct {
	file   string
	photo  *cutout.Photo
	alpha  *cutout.Mask
	cutout []byte
}

func newSquares(t *testing.T, s *site, width, height int) *squares {
	t.Helper()
	q := &squares{file: filepath.Join(t.TempDir(), "squares.png")}
	q.photo, q.alpha = correcttest.Squares(width, height)
	encode := func(pix []uint8) []byte {
		var file bytes.Buffer
		encoder := png.Encoder{CompressionLevel: png.BestSpeed}
		if err := encoder.Encode(&file, &image.NRGBA{Pix: pix, Stride: 4 * width, Rect: image.Rect(0, 0, width, height)}); err != nil {
			t.Fatal(err)
		}
		return file.Bytes()
	}
	if err := os.WriteFile(q.file, encode(q.photo.Pix), 0o600); err != nil {
		t.Fatal(err)
	}
	cut := slices.Clone(q.photo.Pix)
	for i, level := range q.alpha.Pix {
		cut[4*i+3] = level
	}
	q.cutout = encode(cut)
	s.line.set(func(l *line) {
		l.edit = func(r *cutout.Result) { r.File, r.Width, r.Height = q.cutout, width, height }
	})
	return q
}

// cutOut has the squares cut out and kept in the gallery.
func (p *tab) cutOut(s *site, q *squares) {
	p.t.Helper()
	p.visit(s.url)
	p.pick(q.file)
	p.results(1)
	p.kept(1)
}

// correcting opens the dialog and waits until it takes strokes.
func (p *tab) correcting() {
	p.t.Helper()
	p.click(`[data-action="correct"]`)
	p.wait(`document.getElementById('corrector').open && !document.querySelector('.corrector.busy') && document.querySelector('.original').naturalWidth && document.querySelector('.over.now').width > 1`)
}

// place is where a share of the photo lies on the page.
func (p *tab) place(x, y float64) (left, top float64) {
	p.t.Helper()
	at := eval[[]float64](p, fmt.Sprintf(`(() => { const r = document.querySelector('.sheet').getBoundingClientRect(); return [r.x + %g * r.width, r.y + %g * r.height] })()`, x, y))
	return at[0], at[1]
}

// stroke paints with the mouse, from one place to another in shares of the photo.
func (p *tab) stroke(x0, y0, x1, y1 float64) {
	p.t.Helper()
	left, top := p.place(x0, y0)
	right, bottom := p.place(x1, y1)
	p.drag(left, top, right-left, bottom-top)
}

func (p *tab) strokes(count int) {
	p.t.Helper()
	noun := "strokes"
	if count == 1 {
		noun = "stroke"
	}
	p.wait(fmt.Sprintf(`document.querySelector('.corrector .said').textContent.startsWith('%d %s. ')`, count, noun))
}

// fingers moves touches to places of the page; none lifts them.
func (p *tab) fingers(kind input.DispatchTouchEventType, places ...[2]float64) {
	p.t.Helper()
	points := []*input.TouchPoint{}
	for i, at := range places {
		points = append(points, &input.TouchPoint{X: at[0], Y: at[1], ID: new(float64(i))})
	}
	call(p, input.DispatchTouchEvent, input.DispatchTouchEventParams{Type: kind, TouchPoints: points})
}

// finish presses Done and returns the alpha of what the gallery then holds, the file
// itself, and the strokes kept with it.
func (p *tab) finish() (alpha, file []byte, strokes []correct.Stroke) {
	p.t.Helper()
	p.click(`.corrector [data-do="done"]`)
	p.wait(`!document.getElementById('corrector').open`)
	p.act(`const [{ id, notes }] = JSON.parse(localStorage.getItem('gallery'));
		const blob = await (await (await caches.open('gallery')).match('/gallery/' + id)).blob();
		const bitmap = await createImageBitmap(blob);
		const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
		const context = canvas.getContext('2d');
		context.drawImage(bitmap, 0, 0);
		const { data } = context.getImageData(0, 0, bitmap.width, bitmap.height);
		const text = (bytes) => { let s = ''; for (const b of bytes) s += String.fromCharCode(b); return btoa(s); };
		window.kept = { alpha: text(data.filter((_, i) => i % 4 === 3)), file: text(new Uint8Array(await blob.arrayBuffer())), notes: JSON.stringify(notes.correct ?? null) };`)
	decode := func(name string) []byte {
		b, err := base64.StdEncoding.DecodeString(eval[string](p, "kept."+name))
		if err != nil {
			p.t.Fatal(err)
		}
		return b
	}
	var notes struct {
		Strokes []struct {
			Keep, Literal bool
			Points        []float64
		}
	}
	if err := json.Unmarshal([]byte(eval[string](p, "kept.notes")), &notes); err != nil {
		p.t.Fatal(err)
	}
	for _, kept := range notes.Strokes {
		s := correct.Stroke{Keep: kept.Keep, Literal: kept.Literal}
		for at := range slices.Chunk(kept.Points, 3) {
			s.Points = append(s.Points, correct.Point{X: float32(at[0] / 20000), Y: float32(at[1] / 20000), Radius: float32(at[2] / 20000)})
		}
		strokes = append(strokes, s)
	}
	return decode("alpha"), decode("file"), strokes
}

// same fails the test unless a matte is what the server makes of the same strokes.
func (q *squares) same(t *testing.T, alpha []byte, strokes []correct.Stroke) {
	t.Helper()
	session, err := correct.Open(t.Context(), q.photo, q.alpha)
	if err != nil {
		t.Fatal(err)
	}
	want, err := session.Finish(t.Context(), strokes)
	if err != nil {
		t.Fatal(err)
	}
	differ := 0
	for i := range want.Pix {
		if alpha[i] != want.Pix[i] {
			differ++
		}
	}
	if differ > 0 {
		t.Errorf("of %d levels %d are not the server's", len(alpha), differ)
	}
}

// right is how much of the square at the right is kept.
func (q *squares) right(alpha []byte) float64 {
	sum, n := 0, 0
	for i, level := range alpha {
		if x, y := i%q.photo.Width, i/q.photo.Width; correcttest.Right(x, y, q.photo.Width, q.photo.Height) {
			sum += int(level)
			n++
		}
	}
	return float64(sum) / float64(255*n)
}

// colour is the mean colour on the screen around a place, in shares of the photo.
func (p *tab) colour(x, y float64) (red, green, blue float64) {
	p.t.Helper()
	left, top := p.place(x, y)
	const side = 32
	clip := &page.Viewport{X: left - side/2, Y: top - side/2, Width: side, Height: side, Scale: 1}
	file := call(p, page.CaptureScreenshot, page.CaptureScreenshotParams{Clip: clip}).Data
	picture, err := png.Decode(bytes.NewReader(file))
	if err != nil {
		p.t.Fatal(err)
	}
	b := picture.Bounds()
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			c := color.NRGBAModel.Convert(picture.At(x, y)).(color.NRGBA)
			red, green, blue = red+float64(c.R), green+float64(c.G), blue+float64(c.B)
		}
	}
	n := float64(b.Dx() * b.Dy())
	return red / n, green / n, blue / n
}

// The whole photo is on the screen: in full where it is kept, faint where it is removed.
func TestTheDialogShowsWhatIsKeptAndWhatIsRemoved(t *testing.T) {
	s, p := startSite(t), open(t, "")
	q := newSquares(t, s, 1200, 900)
	p.screen(1280, 900, "light")
	p.cutOut(s, q)
	p.correcting()
	if r, _, b := p.colour(0.25, 0.5); r-b < 140 {
		t.Errorf("the square that is kept shows red %.0f and blue %.0f", r, b)
	}
	if r, _, b := p.colour(0.75, 0.5); b-r < 20 || b-r > 100 {
		t.Errorf("the square that is removed shows red %.0f and blue %.0f", r, b)
	}
	p.stroke(0.65, 0.5, 0.85, 0.5)
	p.strokes(1)
	if r, _, b := p.colour(0.75, 0.4); b-r < 140 {
		t.Errorf("after the stroke the square shows red %.0f and blue %.0f", r, b)
	}
	p.click(`.corrector [data-do="cancel"]`)
}

// A stroke with the mouse brings the whole square, exactly as the server would; taken
// back later, the first cut-out is there again, byte for byte.
func TestAStrokeBringsAPartAndIsTakenBack(t *testing.T) {
	s, p := startSite(t), open(t, "")
	q := newSquares(t, s, 1200, 900)
	p.screen(1280, 900, "light")
	p.cutOut(s, q)
	requests := len(s.requests())
	p.correcting()
	p.holds(`document.activeElement.id === 'corrector-title'`)
	p.holds(`document.querySelector('[data-do="undo"]').disabled`)
	p.accessible("correcting")
	p.screen(1280, 900, "light")
	p.stroke(0.7, 0.48, 0.8, 0.52)
	p.strokes(1)
	alpha, file, strokes := p.finish()
	if share := q.right(alpha); share < 0.97 {
		t.Errorf("of the square %.2f is kept", share)
	}
	if len(strokes) != 1 || !strokes[0].Keep || strokes[0].Literal || bytes.Equal(file, q.cutout) {
		t.Errorf("strokes %+v, or the file is the first", strokes)
	}
	q.same(t, alpha, strokes)
	p.wait(`document.querySelector('#stage .after').naturalWidth === 1200`)
	for _, x := range s.requests()[requests:] {
		if x.Received > 0 {
			t.Errorf("%s received %d bytes", x.Route, x.Received)
		}
	}

	// Taken up again in the gallery, and back to the first.
	p.openGallery(s, 1)
	p.click(`.tile [data-do="open"]`)
	p.wait(`document.querySelector('#viewer .after').naturalWidth`)
	p.correcting()
	p.strokes(1)
	p.click(`.corrector [data-do="undo"]`)
	p.strokes(0)
	p.click(`.corrector [data-do="redo"]`)
	p.strokes(1)
	p.click(`.corrector [data-do="undo"]`)
	p.strokes(0)
	if _, file, strokes := p.finish(); !bytes.Equal(file, q.cutout) || len(strokes) > 0 {
		t.Errorf("%d bytes instead of the first %d, %d strokes", len(file), len(q.cutout), len(strokes))
	}
}

// Fingers paint, and two of them move and enlarge; plain painting changes what it
// covers and nothing else.
func TestTouchPaintsAndMoves(t *testing.T) {
	s, p := startSite(t), open(t, "")
	q := newSquares(t, s, 1200, 900)
	p.touch()
	p.cutOut(s, q)
	p.correcting()
	p.accessible("correcting by touch")
	p.touch()
	p.click(`[name="whole"]`)
	p.click(`[name="kind"][value="remove"] + span`)
	x0, y0 := p.place(0.2, 0.4)
	x1, y1 := p.place(0.3, 0.6)
	p.fingers(input.DispatchTouchEventTypeTouchStart, [2]float64{x0, y0})
	p.fingers(input.DispatchTouchEventTypeTouchMove, [2]float64{x1, y0})
	p.fingers(input.DispatchTouchEventTypeTouchMove, [2]float64{x1, y1})
	p.fingers(input.DispatchTouchEventTypeTouchEnd)
	p.strokes(1)

	// A second finger moves instead, and the first has not painted.
	before := eval[string](p, `document.querySelector('.sheet').style.transform`)
	p.fingers(input.DispatchTouchEventTypeTouchStart, [2]float64{x0, y0})
	p.fingers(input.DispatchTouchEventTypeTouchStart, [2]float64{x0, y0}, [2]float64{x0 + 60, y0})
	p.fingers(input.DispatchTouchEventTypeTouchMove, [2]float64{x0 - 20, y0 + 10}, [2]float64{x0 + 130, y0 + 10})
	p.fingers(input.DispatchTouchEventTypeTouchEnd)
	if after := eval[string](p, `document.querySelector('.sheet').style.transform`); after == before {
		t.Errorf("the photo stayed at %s", after)
	}
	p.holds(`parseInt(document.querySelector('.corrector .level').textContent) > 200`)
	p.holds(`document.querySelector('.corrector .said').textContent.startsWith('1 stroke. ')`)
	alpha, _, strokes := p.finish()
	if len(strokes) != 1 || strokes[0].Keep || !strokes[0].Literal {
		t.Errorf("strokes %+v", strokes)
	}
	q.same(t, alpha, strokes)
	at := func(x, y float64) uint8 { return alpha[int(y*900)*1200+int(x*1200)] }
	if at(0.25, 0.4) != 0 || at(0.3, 0.5) != 0 || at(0.15, 0.6) != 255 {
		t.Errorf("levels %d and %d under the stroke, %d beside it", at(0.25, 0.4), at(0.3, 0.5), at(0.15, 0.6))
	}
}

// All but painting itself works by keys, and two presses of Escape leave everything
// as it was.
func TestCorrectingByKeyboard(t *testing.T) {
	s, p := startSite(t), open(t, "")
	q := newSquares(t, s, 600, 450)
	p.screen(1024, 800, "light")
	p.cutOut(s, q)
	p.do(chromedp.Focus(chromedp.CSS(`[data-action="correct"]`)), chromedp.KeyEvent(kb.Enter))
	p.wait(`document.getElementById('corrector').open && !document.querySelector('.corrector.busy') && document.querySelector('.over.now').width > 1`)
	p.stroke(0.7, 0.48, 0.8, 0.52)
	p.strokes(1)
	// The stroke has put the focus on the easel.
	p.holds(`document.activeElement === document.querySelector('.easel')`)
	type step struct{ keys, holds string }
	for _, c := range []step{
		{"r", `document.querySelector('.corrector').querySelector('[name="kind"][value="remove"]').checked`},
		{"k", `document.querySelector('.corrector').querySelector('[name="kind"][value="keep"]').checked`},
		{"]", `document.querySelector('.corrector [name="size"]').value === '34'`},
		{"[", `document.querySelector('.corrector [name="size"]').value === '28'`},
		{"+", `document.querySelector('.corrector .level').textContent === '150 %'`},
		{kb.ArrowRight, `/translate\(-/.test(document.querySelector('.sheet').style.transform)`},
		{"0", `document.querySelector('.corrector .level').textContent === '100 %'`},
	} {
		p.do(chromedp.KeyEvent(c.keys))
		p.holds(c.holds)
	}
	chord := func(modifiers int64) {
		call(p, input.DispatchKeyEvent, input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeRawKeyDown, Key: "z", Code: "KeyZ", WindowsVirtualKeyCode: 'Z', Modifiers: modifiers})
	}
	chord(2) // Control
	p.strokes(0)
	chord(2 | 8) // and Shift
	p.strokes(1)
	p.act(`document.querySelector('[data-hold="before"]').dispatchEvent(new KeyboardEvent('keydown', { key: ' ', bubbles: true }))`)
	p.holds(`document.querySelector('.corrector.before')`)
	p.act(`document.querySelector('[data-hold="before"]').dispatchEvent(new KeyboardEvent('keyup', { key: ' ', bubbles: true }))`)
	p.holds(`!document.querySelector('.corrector.before')`)
	p.do(chromedp.KeyEvent(kb.Escape))
	p.holds(`document.getElementById('corrector').open && document.querySelector('.corrector .said').textContent.includes('loses')`)
	p.do(chromedp.KeyEvent(kb.Escape))
	p.wait(`!document.getElementById('corrector').open`)
	p.holds(`document.activeElement === document.querySelector('[data-action="correct"]')`)
	p.holds(`JSON.parse(localStorage.getItem('gallery'))[0].notes.correct == null`)
}

// A pen that is pressed harder draws a wider line.
func TestPressureWidensTheLine(t *testing.T) {
	s, p := startSite(t), open(t, "")
	q := newSquares(t, s, 600, 450)
	p.screen(1024, 800, "light")
	p.cutOut(s, q)
	p.correcting()
	pen := func(kind input.DispatchMouseEventType, x, y, force float64) {
		left, top := p.place(x, y)
		call(p, input.DispatchMouseEvent, input.DispatchMouseEventParams{
			Type: kind, X: left, Y: top, Button: input.MouseButtonLeft, Buttons: 1, ClickCount: 1, PointerType: input.DispatchMouseEventPointerTypePen, Force: force,
		})
	}
	pen(input.DispatchMouseEventTypeMousePressed, 0.6, 0.5, 0.1)
	pen(input.DispatchMouseEventTypeMouseMoved, 0.7, 0.5, 0.1)
	pen(input.DispatchMouseEventTypeMouseMoved, 0.8, 0.5, 1)
	pen(input.DispatchMouseEventTypeMouseReleased, 0.8, 0.5, 0)
	p.strokes(1)
	_, _, strokes := p.finish()
	points := strokes[0].Points
	if last := points[len(points)-1]; last.Radius < 2*points[0].Radius {
		t.Errorf("radii from %v to %v", points[0].Radius, last.Radius)
	}
}

// Export and import carry strokes, original and first cut-out: the correction is
// taken up again from a file.
func TestCorrectionsTravel(t *testing.T) {
	s, p := startSite(t), open(t, "")
	q := newSquares(t, s, 600, 450)
	p.screen(1024, 800, "light")
	p.cutOut(s, q)
	p.correcting()
	p.stroke(0.7, 0.48, 0.8, 0.52)
	p.strokes(1)
	alpha, _, strokes := p.finish()
	q.same(t, alpha, strokes)
	folder, save := p.downloads()
	p.openGallery(s, 1)
	save(func() { p.click(`[data-do="export"]`) })
	p.act(`localStorage.removeItem('gallery'); await caches.delete('gallery')`)
	p.openGallery(s, 0)
	p.do(chromedp.SetUploadFiles(chromedp.CSS("#import"), []string{filepath.Join(folder, "gallery.zip")}))
	p.wait("document.querySelectorAll('.tile').length === 1")
	p.click(`.tile [data-do="open"]`)
	p.wait(`document.querySelector('#viewer .after').naturalWidth`)
	p.correcting()
	p.strokes(1)
	p.click(`.corrector [data-do="undo"]`)
	p.strokes(0)
	if _, file, _ := p.finish(); !bytes.Equal(file, q.cutout) {
		t.Error("the first cut-out was lost")
	}
	// Strokes that make no sense, as in a file from elsewhere, are no strokes.
	p.act(`const [entry] = JSON.parse(localStorage.getItem('gallery'));
		const bad = [null, {}, { points: 'x' }, { points: [1, 2] }, { points: [1e9, 0, 1] }, { points: [0.5, 1, 1] }, { points: Array(90000).fill(1) }];
		localStorage.setItem('gallery', JSON.stringify([{ ...entry, notes: { correct: { strokes: bad } } }]))`)
	p.openGallery(s, 1)
	p.click(`.tile [data-do="open"]`)
	p.wait(`document.querySelector('#viewer .after').naturalWidth`)
	p.correcting()
	p.holds(`document.querySelector('[data-do="undo"]').disabled`)
}

// Once used, the correction works without a network.
func TestCorrectingOffline(t *testing.T) {
	s, p := startSite(t), open(t, "")
	p.expect("net::ERR_", "htmx:(afterRequest|sendError)") // the connection is lost on purpose
	q := newSquares(t, s, 600, 450)
	p.screen(1024, 800, "light")
	p.visit(s.url)
	p.wait(`navigator.serviceWorker.controller`)
	p.pick(q.file)
	p.results(1)
	p.kept(1)
	p.correcting()
	p.act(`const module = new URL('../wasm/bgremover.wasm', document.querySelector('script[type="module"]').src);
		while (!(await caches.match(module))) await new Promise((done) => setTimeout(done, 50))`)
	p.click(`.corrector [data-do="cancel"]`)
	s.stop()
	p.openGallery(s, 1)
	p.click(`.tile [data-do="open"]`)
	p.wait(`document.querySelector('#viewer .after').naturalWidth`)
	p.correcting()
	p.stroke(0.7, 0.48, 0.8, 0.52)
	p.strokes(1)
	alpha, _, strokes := p.finish()
	q.same(t, alpha, strokes)
}
