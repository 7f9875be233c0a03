package web

import (
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"bgremover.pro/core/cutout"
	"bgremover.pro/core/device"
	"bgremover.pro/templates"
)

// cutForm answers POST /device/cutouts: a whole page with every result, or what
// htmx swaps in, or with answer=file the files themselves.
func (s *Server) cutForm(c *gin.Context) {
	who := s.devices.Identify(c.Request)
	a, err := s.receive(c, who, exchangeOf(c).generation.settings.MaxPhotos)
	defer a.close()
	if err != nil {
		s.refuse(c, a.body, err)
		return
	}
	place := s.uploads.begin(who.ID)
	defer place.end()
	place.name(uploadID(c.Request))
	a.intake.field = func(name, value string) {
		if name == "upload" {
			place.name(value)
		}
	}
	sub, options, err := a.batch()
	if err != nil {
		s.refuse(c, a.body, err)
		return
	}
	s.setCookie(c, who, sub.fields["cookie"] == "no")
	outcomes := make([]outcome, len(sub.photos))
	for i, p := range sub.photos {
		started := time.Now()
		outcomes[i].result, outcomes[i].err = s.cut(a, p, options, place.observe)
		outcomes[i].took = time.Since(started)
		sub.photos[i].data = nil
		if cutout.CodeOf(outcomes[i].err) == cutout.Canceled {
			s.fail(c, outcomes[i].err) // nobody is there for the rest
			return
		}
	}
	s.answerForm(c, outcomes, sub.fields["answer"] == "file")
}

// outcome is what became of one photo.
type outcome struct {
	result *cutout.Result
	err    error
	took   time.Duration
}

// batch reads a form with one or more photos.
func (a *arrival) batch() (*submission, cutout.Options, error) {
	mark, ok := boundary(a.c.Request)
	if !ok {
		return nil, cutout.Options{}, errBroken
	}
	sub, err := a.intake.form(mark)
	if err != nil {
		return nil, cutout.Options{}, err
	}
	options, err := sub.options(sub.fields, false)
	options.Anyway = true // the page says so and lets the visitor choose
	if err == nil && len(sub.photos) == 0 {
		err = errNoPhoto
	}
	return sub, options, err
}

// answerForm answers a form whose photos are done. Where none worked out, the
// answer is an error as any other.
func (s *Server) answerForm(c *gin.Context, outcomes []outcome, file bool) {
	done := 0
	for _, o := range outcomes {
		if o.err == nil {
			done++
		}
	}
	single := len(outcomes) == 1
	switch {
	case done == 0 && (single || file):
		s.fail(c, outcomes[0].err)
	case single && file:
		s.sendPicture(c, outcomes[0].result)
	case file:
		s.sendArchive(c, outcomes)
	case isHTMX(c.Request):
		s.sendFragments(c, outcomes)
	default:
		s.sendResults(c, outcomes)
	}
}

func (s *Server) card(c *gin.Context, o outcome) templates.Outcome {
	if o.err != nil {
		card := errorCard(c, o.err)
		return templates.Outcome{Error: &card}
	}
	r := o.result
	return templates.Outcome{Result: &templates.ResultCard{
		Picture: r.File, MediaType: r.MediaType, Width: r.Width, Height: r.Height,
		Subject: r.Subject, Mode: string(r.Run.Mode), Model: r.Run.Model, Took: o.took,
	}}
}

// setCookie gives the device its cookie, unless it has one or wants none.
func (s *Server) setCookie(c *gin.Context, who device.Device, declined bool) {
	secure := exchangeOf(c).generation.hsts || s.devices.Secure(c.Request)
	switch {
	case declined && who.Returning:
		http.SetCookie(c.Writer, device.ExpiredCookie(secure))
	case !declined && !who.Returning:
		http.SetCookie(c.Writer, s.devices.Cookie(who, secure))
	}
}
