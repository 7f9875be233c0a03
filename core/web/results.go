package web

import (
	"archive/zip"
	"fmt"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"bgremover.pro/core/cutout"
	"bgremover.pro/templates"
)

// outcome is the result for one photo, or its error.
type outcome struct {
	number int    // in the form, from 1
	name   string // of its file, as sent
	result *cutout.Result
	err    error
	took   time.Duration
}

// formAnswer answers a form of several photos, each as soon as it is done, so
// that no more than one result is ever held. The status has to come first: it is
// 200 once one photo has succeeded; until then errors, which are small, are held
// back. If none succeeds, it is the status of the first error.
type formAnswer struct {
	s      *Server
	c      *gin.Context
	out    *pacedWriter
	layout layout
	failed []outcome // held back
	begun  bool
}

// layout is how a form's outcomes are written.
type layout interface {
	begin() error
	add(o outcome) error
	end() error
}

// choose picks among a page, htmx's fragments and a ZIP archive.
func (f *formAnswer) choose(file bool) layout {
	switch {
	case file:
		return &archive{formAnswer: f}
	case isHTMX(f.c.Request):
		return fragments{f}
	}
	return &resultsPage{formAnswer: f}
}

func (s *Server) newFormAnswer(c *gin.Context, file bool) *formAnswer {
	f := &formAnswer{s: s, c: c, out: s.paced(c)}
	f.layout = f.choose(file)
	return f
}

// add writes an outcome, or holds it back.
func (f *formAnswer) add(o outcome) {
	if o.err != nil && !f.begun {
		f.failed = append(f.failed, o)
		return
	}
	f.begin(http.StatusOK)
	f.try(f.layout.add(o))
	f.try(f.out.flush())
}

// end completes the answer.
func (f *formAnswer) end() {
	if !f.begun {
		first := f.failed[0].err
		if _, file := f.layout.(*archive); file || len(f.failed) == 1 {
			f.s.fail(f.c, first)
			return
		}
		f.begin(f.s.failing(f.c, first).status)
	}
	f.try(f.layout.end())
}

// abandon ends the answer before the last photo.
func (f *formAnswer) abandon(err error) {
	if !f.begun {
		f.s.fail(f.c, err)
		return
	}
	f.try(err)
}

func (f *formAnswer) begin(status int) {
	if f.begun {
		return
	}
	f.begun = true
	f.c.Status(status)
	f.try(f.layout.begin())
	for _, o := range f.failed {
		f.try(f.layout.add(o))
	}
	f.failed = nil
}

// try aborts the connection if writing failed: half an answer must not look
// complete.
func (f *formAnswer) try(err error) {
	if err != nil {
		panic(http.ErrAbortHandler)
	}
}

func (f *formAnswer) render(view templates.View) error {
	return templatesOf(f.c).Render(f.out, view)
}

// resultsPage is a whole page.
type resultsPage struct {
	*formAnswer
	after []byte
}

func (p *resultsPage) begin() error {
	p.c.Header("Content-Type", htmlType)
	before, after, err := templatesOf(p.c).RenderAround(templates.Results{})
	if err == nil {
		p.after = after
		_, err = p.out.Write(before)
	}
	return err
}

func (p *resultsPage) add(o outcome) error { return p.render(p.s.card(p.c, o)) }

func (p *resultsPage) end() error {
	_, err := p.out.Write(p.after)
	return err
}

// fragments are one per photo, as htmx swaps them in.
type fragments struct{ *formAnswer }

func (f fragments) begin() error {
	f.c.Header("Content-Type", htmlType)
	return nil
}

func (f fragments) add(o outcome) error {
	card := f.s.card(f.c, o)
	if card.Error != nil {
		return f.render(*card.Error)
	}
	return f.render(*card.Result)
}

func (fragments) end() error { return nil }

// archive is a ZIP of the pictures and, where some photos failed, a note that
// says why.
type archive struct {
	*formAnswer
	zip   *zip.Writer
	notes string
}

func (a *archive) begin() error {
	a.c.Header("Content-Disposition", `attachment; filename="cutouts.zip"`)
	a.c.Header("Content-Security-Policy", filePolicy)
	a.c.Header("Content-Type", "application/zip")
	a.zip = zip.NewWriter(a.out)
	return nil
}

func (a *archive) add(o outcome) error {
	if o.err != nil {
		a.notes += templatesOf(a.c).Note(o.number, o.name, string(cutout.CodeOf(o.err)), cutout.MessageOf(o.err)) + "\n"
		return nil //nolint:nilerr // it is in the notes
	}
	if err := a.file(fmt.Sprintf("cutout-%d%s", o.number, extension(o.result.MediaType)), o.result.File); err != nil {
		return err
	}
	return a.zip.Flush()
}

func (a *archive) end() error {
	if a.notes != "" {
		if err := a.file("errors.txt", []byte(a.notes)); err != nil {
			return err
		}
	}
	return a.zip.Close()
}

// file stores a file uncompressed: pictures are compressed already.
func (a *archive) file(name string, content []byte) error {
	w, err := a.zip.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store, Modified: time.Now()})
	if err == nil {
		_, err = w.Write(content)
	}
	return err
}

func (s *Server) card(c *gin.Context, o outcome) templates.Card {
	if o.err != nil {
		card := errorCard(c, o.err)
		return templates.Card{Number: o.number, Name: o.name, Error: &card}
	}
	r := o.result
	return templates.Card{Number: o.number, Name: o.name, Result: &templates.ResultCard{
		Picture: r.File, MediaType: r.MediaType, Width: r.Width, Height: r.Height,
		Subject: string(r.Subject), Mode: string(r.Run.Mode), Model: r.Run.Model, Took: o.took,
	}}
}
