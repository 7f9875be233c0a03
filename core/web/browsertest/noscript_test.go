package browsertest

import (
	"image"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"bgremover.pro/core/cutout"
)

// withoutScripts turns scripts off for the pages; the test itself still looks
// at them through the protocol.
func withoutScripts(t *testing.T) *tab {
	p := open(t, "")
	call(p, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	return p
}

// looks checks a page's width on each screen. axe, a script, does not run here;
// TestFormAppearsWhereScriptsDoNotArrive has it look at the same pages.
func (p *tab) looks(state string) {
	p.t.Helper()
	for _, screen := range screens {
		p.screen(screen.width, 900, screen.scheme)
		p.fits(state, screen.width)
		p.photograph(state, screen.width, screen.scheme)
	}
}

// sendForm fills the form as a visitor without scripts does.
func (p *tab) sendForm(button string, files ...string) {
	p.t.Helper()
	p.pick(files...)
	p.do(chromedp.Click(chromedp.CSS(button)))
}

func TestWholeFlowWithoutScripts(t *testing.T) {
	s, p := startSite(t), withoutScripts(t)
	p.visit(s.url)
	p.looks("without scripts")
	if p.visible("#veil") || p.visible(".camera") || p.visible("#work") || p.visible(".scripted") {
		t.Error("what needs scripts is shown without them")
	}
	p.sendForm(".plain .primary", photo(t, "a.jpg", 300, 200), photo(t, "b.jpg", 200, 300), write(t, "c.txt", []byte("no photo")))
	p.do(chromedp.WaitVisible(chromedp.CSS(".problem"))) // each photo's card comes when it is done, the last with the last
	for selector, want := range map[string]int{".result": 2, ".problem": 1, `a[download="cutout-1.png"]`: 1, `a[download="cutout-2.png"]`: 1} {
		if got := p.count(selector); got != want {
			t.Errorf("%d of %s, want %d", got, selector, want)
		}
	}
	folder, save := p.downloads()
	save(func() { p.do(chromedp.Click(chromedp.CSS(`a[download="cutout-2.png"]`))) })
	at(t, folder, "cutout-2.png", 1, 1, 0, 0, 0, 0)
	p.looks("results without scripts")
}

func TestOptionsWithoutScripts(t *testing.T) {
	s, p := startSite(t), withoutScripts(t)
	seen := make(chan cutout.Options, 1)
	s.line.set(func(l *line) { l.observe = func(job cutout.Job) { seen <- job.Options } })
	p.visit(s.url)
	if p.visible("#crop") {
		t.Error("the options are open at first")
	}
	p.click(".plain summary")
	p.do(chromedp.WaitVisible(chromedp.CSS("#crop")))
	p.screen(320, 800, "light")
	p.fits("options without scripts", 320)
	p.photograph("options without scripts", 320, "light")
	p.act(`document.getElementById('crop').value = '10'; document.getElementById('shadow').value = '50'; document.getElementById('aspect').value = '4:5'; document.getElementById('margin').value = '20'; document.getElementById('background').value = '#ffffff,#88aaff,90'`)
	p.holds(`document.getElementById('background').validity.valid`)
	p.do(chromedp.SetUploadFiles(chromedp.CSS("#hints"), []string{write(t, "hints.png", []byte("hints"))}))
	p.sendForm(".plain .primary", photo(t, "a.jpg", 300, 200))
	p.do(chromedp.WaitVisible(chromedp.CSS(".result")))
	o := <-seen
	if string(o.Hints) != "hints" {
		t.Errorf("hints %q", o.Hints)
	}
	if o.Layout == nil || o.Layout.Frame == nil || *o.Layout.Frame != (cutout.Frame{Aspect: 0.8, Margin: 0.2}) {
		t.Errorf("the server understood the frame as %+v", o.Layout)
	}
	if o.Crop == nil || *o.Crop != 0.1 || o.Shadow != 0.5 || o.Background == nil || o.Background.Degrees != 90 {
		t.Errorf("the server understood %+v", o)
	}
	p.visit(s.url)
	p.sendForm(".plain .primary", photo(t, "a.jpg", 300, 200))
	p.do(chromedp.WaitVisible(chromedp.CSS(".result")))
	if o := <-seen; o.Crop != nil || o.Shadow != 0 || o.Background != nil || o.Layout != nil {
		t.Errorf("of an empty form the server understood %+v", o)
	}
}

func TestSecondButtonAnswersTheFileItself(t *testing.T) {
	s, p := startSite(t), withoutScripts(t)
	folder, save := p.downloads()
	p.visit(s.url)
	save(func() { p.sendForm(`[name="answer"]`, photo(t, "a.jpg", 300, 200)) })
	at(t, folder, "cutout.png", 1, 1, 0, 0, 0, 0)
	save(func() { p.sendForm(`[name="answer"]`, photo(t, "a.jpg", 300, 200), photo(t, "b.jpg", 200, 300)) })
	matches, err := filepath.Glob(filepath.Join(folder, "*.zip"))
	if err != nil || len(matches) != 1 {
		t.Fatalf("ZIP files: %v, %v", matches, err)
	}
	if names := listZIP(t, matches[0]); len(names) != 2 {
		t.Errorf("the ZIP holds %q", names)
	}
}

func TestErrorsWithoutScripts(t *testing.T) {
	s, p := startSite(t), withoutScripts(t)
	p.expect("status of")
	s.line.set(func(l *line) {
		l.fail = func(image.Config) error { return cutout.Errorf(cutout.Timeout, "This took too long.") }
	})
	p.visit(s.url)
	p.sendForm(".plain .primary", photo(t, "a.jpg", 300, 200))
	p.do(chromedp.WaitVisible(chromedp.CSS("main a.button")))
	p.fits("error page", 800)
	p.visit(s.url)
	p.sendForm(".plain .primary", write(t, "huge.jpg", make([]byte, 3<<20)))
	p.do(chromedp.WaitVisible(chromedp.CSS("main a.button")))
	p.looks("error page without scripts")
}

// Where scripts are on but never arrive, the plain form appears after a while.
func TestFormAppearsWhereScriptsDoNotArrive(t *testing.T) {
	s, p := startSite(t), open(t, "")
	p.expect("ERR_BLOCKED_BY_CLIENT", "inspector")
	p.block("*://*:*/static/*/js/*")
	p.visit(s.url)
	p.wait(`getComputedStyle(document.querySelector('.plain')).visibility === 'visible'`)
	p.accessible("form where scripts did not arrive")
	p.click(".plain summary")
	p.accessible("plain form")
	p.sendForm(".plain .primary", photo(t, "a.jpg", 300, 200), write(t, "c.txt", []byte("no photo")))
	p.wait(`document.querySelector('.result') && document.querySelector('.problem') && document.readyState === 'complete'`) // with its styles
	p.accessible("results where scripts did not arrive")
	if p.visible(".problem button") {
		t.Error("a button is shown that no script listens to")
	}
	p.expect("status of 413")
	p.visit(s.url)
	p.wait(`getComputedStyle(document.querySelector('.plain')).visibility === 'visible'`)
	p.sendForm(".plain .primary", write(t, "huge.jpg", make([]byte, 3<<20)))
	p.do(chromedp.WaitVisible(chromedp.CSS("main a.button")))
	p.accessible("error page where scripts did not arrive")
}
