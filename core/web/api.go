package web

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"bgremover.pro/core/cutout"
)

// cutAPI answers POST /api/v1/cutouts: one photo, as the raw body or as the
// multipart field image, options in the query or as fields, and perhaps a file in
// the field background. The answer is the picture itself.
func (s *Server) cutAPI(c *gin.Context) {
	s.program(c)
	a, err := s.receive(c, s.devices.Derive(c.Request), 1)
	defer a.close()
	if err != nil {
		s.refuse(c, a.body, err)
		return
	}
	p, options, err := a.single()
	if err != nil {
		s.refuse(c, a.body, err)
		return
	}
	s.answerPhoto(a, p, options, nil)
}

// single reads the API's one photo and its options. A field outranks the query.
func (a *arrival) single() (photo, cutout.Options, error) {
	// A semicolon parts points here, not parameters, which net/url would drop.
	query, err := url.ParseQuery(strings.ReplaceAll(a.c.Request.URL.RawQuery, ";", "%3B"))
	if err != nil {
		return photo{}, cutout.Options{}, cutout.Errorf(cutout.Invalid, "The query is not valid: check its %% signs.")
	}
	values := map[string]string{}
	for name := range query {
		values[name] = query.Get(name)
	}
	// Invalid options are reported before a large upload, not after it.
	if _, err := parseOptions(values, true); err != nil {
		return photo{}, cutout.Options{}, err
	}
	sub, err := a.read()
	if err != nil {
		return photo{}, cutout.Options{}, err
	}
	for name, value := range sub.fields {
		values[name] = value
	}
	options, err := sub.options(values, true)
	switch {
	case err != nil:
		return photo{}, options, err
	case len(sub.photos) == 0:
		return photo{}, options, errNoPhoto
	}
	return sub.photos[0], options, nil
}

func (a *arrival) read() (*submission, error) {
	if b, ok := boundary(a.c.Request); ok {
		return a.intake.form(b)
	}
	return a.intake.raw()
}

// sendPicture answers with the file itself, as a download.
func (s *Server) sendPicture(c *gin.Context, r *cutout.Result) {
	describe(c.Writer.Header(), r)
	s.sendFile(c, "cutout"+extension(r.MediaType), r.MediaType, r.File)
}

// sendFile answers with a download that no browser runs or renders in place.
func (s *Server) sendFile(c *gin.Context, name, mediaType string, file []byte) {
	c.Header("Content-Disposition", `attachment; filename="`+name+`"`)
	c.Header("Content-Security-Policy", filePolicy)
	s.send(c, http.StatusOK, mediaType, file)
}

// describe sets the headers that say how a result was made.
func describe(h http.Header, r *cutout.Result) {
	h.Set("X-Backend", r.Run.Backend)
	h.Set("X-Model", r.Run.Model)
	mode := string(r.Run.Mode)
	if len(r.Run.Sizes) > 0 {
		mode += "; sizes=" + strings.Trim(strings.ReplaceAll(fmt.Sprint(r.Run.Sizes), " ", ","), "[]")
	}
	h.Set("X-Mode", mode)
	if r.Subject != cutout.SubjectFound {
		h.Set("X-Subject", string(r.Subject))
	}
	var timings []string
	for _, t := range r.Timings {
		timings = append(timings, timing(string(t.Stage), t.Duration))
	}
	if r.Run.Inference > 0 {
		timings = append(timings, timing("model", r.Run.Inference))
	}
	if timings != nil {
		h.Set("Server-Timing", strings.Join(timings, ", "))
	}
}

func timing(name string, d time.Duration) string {
	return fmt.Sprintf("%s;dur=%.1f", name, float64(d)/float64(time.Millisecond))
}

func extension(mediaType string) string {
	return cutout.Format(strings.TrimPrefix(mediaType, "image/")).Extension()
}
