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
	file := sub.fields["answer"] == "file"
	if file && len(sub.photos) == 1 {
		s.answerPhoto(a, sub.photos[0], options, place.observe)
		return
	}
	answer := s.newFormAnswer(c, file)
	for i, p := range sub.photos {
		started := time.Now()
		o := outcome{number: i + 1}
		o.result, o.err = s.cut(a, p, options, place.observe)
		o.took = time.Since(started)
		a.lease.drop(p.data)
		sub.photos[i].data, p.data = nil, nil
		if cutout.CodeOf(o.err) == cutout.Canceled {
			answer.abandon(o.err) // the client is gone: nobody receives the rest
			return
		}
		answer.add(o)
		a.sent()
	}
	answer.end()
}

// outcome is the result for one photo, or its error.
type outcome struct {
	number int // in the form, from 1
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

// answerPhoto answers with one photo's picture as a file.
func (s *Server) answerPhoto(a *arrival, p photo, options cutout.Options, observe func(cutout.Progress)) {
	result, err := s.cut(a, p, options, observe)
	if err != nil {
		s.fail(a.c, err)
		return
	}
	s.sendPicture(a.c, result)
}

func (s *Server) card(c *gin.Context, o outcome) templates.Card {
	if o.err != nil {
		card := errorCard(c, o.err)
		return templates.Card{Number: o.number, Error: &card}
	}
	r := o.result
	return templates.Card{Number: o.number, Result: &templates.ResultCard{
		Picture: r.File, MediaType: r.MediaType, Width: r.Width, Height: r.Height,
		Subject: string(r.Subject), Mode: string(r.Run.Mode), Model: r.Run.Model, Took: o.took,
	}}
}

// setCookie sets the device's cookie, unless it has one or declines it.
func (s *Server) setCookie(c *gin.Context, who device.Device, declined bool) {
	secure := exchangeOf(c).generation.hsts || s.devices.Secure(c.Request)
	switch {
	case declined && who.Returning:
		http.SetCookie(c.Writer, device.ExpiredCookie(secure))
	case !declined && !who.Returning:
		http.SetCookie(c.Writer, s.devices.Cookie(who, secure))
	}
}
