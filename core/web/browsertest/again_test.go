package browsertest

import (
	"bytes"
	"image"
	"image/png"
	"os"
	"slices"
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"bgremover.pro/core/cutout"
	"bgremover.pro/core/decode"
)

// newForeign is newSquares with a photo that Chromium cannot show, of which the left
// half is cut out.
func newForeign(t *testing.T, s *site) *squares {
	t.Helper()
	file, err := os.ReadFile("../../decode/testdata/plain.heic")
	if err != nil {
		t.Fatal(err)
	}
	q := &squares{file: write(t, "plain.heic", file)}
	if q.photo, err = decode.Decode(t.Context(), file, decode.Limits{}, false); err != nil {
		t.Fatal(err)
	}
	width, height := q.photo.Width, q.photo.Height
	q.alpha = &cutout.Mask{Width: width, Height: height, Pix: make([]uint8, width*height)}
	cut := &image.NRGBA{Pix: slices.Clone(q.photo.Pix), Stride: 4 * width, Rect: image.Rect(0, 0, width, height)}
	for i := range q.alpha.Pix {
		if i%width < width/2 {
			q.alpha.Pix[i] = 255
		}
		cut.Pix[4*i+3] = q.alpha.Pix[i]
	}
	var encoded bytes.Buffer
	if err := png.Encode(&encoded, cut); err != nil {
		t.Fatal(err)
	}
	q.cutout = encoded.Bytes()
	s.line.answers(width, height, q.cutout)
	return q
}

// A photo that only the pipeline's own decoders can read is corrected as any other, with
// the server's pixels and without the server: on the start page, and in the gallery where
// its original is lost and chosen again.
func TestCorrectingWhatTheBrowserCannotShow(t *testing.T) {
	s, p := startSite(t), open(t, "")
	q := newForeign(t, s)
	p.screen(1024, 800, "light")
	p.cutOut(s, q)
	requests := len(s.requests())
	p.correcting()
	p.stroke(0.7, 0.2, 0.8, 0.2)
	p.strokes(1)
	alpha, _, strokes := p.finish()
	q.same(t, alpha, strokes)
	for _, x := range s.requests()[requests:] {
		if x.Received > 0 {
			t.Errorf("%s received %d bytes", x.Route, x.Received)
		}
	}

	p.act(`const [{ id }] = JSON.parse(localStorage.getItem('gallery'));
		await (await caches.open('gallery')).delete('/gallery/' + id + '-original')`)
	p.openGallery(s, 1)
	p.click(`.tile [data-do="open"]`)
	p.wait(`document.querySelector('#viewer .after').naturalWidth`)
	call(p, page.SetInterceptFileChooserDialog, page.SetInterceptFileChooserDialogParams{Enabled: true})
	again := func(file string) {
		p.click(`#viewer [data-action="correct"]`)
		p.wait(`document.querySelector('input.again')`)
		p.holds(`document.querySelector('#viewer .said').textContent.includes('Choose the same photo again')`)
		p.do(chromedp.SetUploadFiles(chromedp.CSS("input.again"), []string{file}))
	}
	other := image.NewNRGBA(image.Rect(0, 0, q.photo.Width, q.photo.Height))
	for i := range other.Pix {
		other.Pix[i] = 255
	}
	var encoded bytes.Buffer
	if err := png.Encode(&encoded, other); err != nil {
		t.Fatal(err)
	}
	again(write(t, "other.png", encoded.Bytes()))
	p.wait(`document.querySelector('.corrector .said').textContent.includes('not the photo')`)
	p.click(`.corrector [data-do="cancel"]`)
	p.wait(`!document.getElementById('corrector').open`)
	again(q.file)
	p.wait(`document.getElementById('corrector').open && !document.querySelector('.corrector.busy') && document.querySelector('.original').naturalWidth`)
	p.strokes(1)
}
