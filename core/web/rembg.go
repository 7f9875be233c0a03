package web

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"

	"github.com/gin-gonic/gin"

	"bgremover.pro/core/cutout"
	"bgremover.pro/core/rembg"
	"bgremover.pro/core/upload"
)

// rembgForm answers POST /api/remove as rembg's server does.
func (s *Server) rembgForm(c *gin.Context) {
	r, query, ok := s.receiveRembg(c)
	if !ok {
		return
	}
	if r.Multipart() {
		if err := r.ReadForm(); err != nil {
			s.refuse(c, err)
			return
		}
	}
	request, err := rembg.Parse(rembg.Values{Query: query, Form: r.Fields}, len(r.Photos) > 0, s.options.Offers)
	if err != nil {
		s.refuse(c, err)
		return
	}
	s.answerPicture(c, r, request.Options, nil)
}

// rembgAddress answers GET /api/remove?url=...
func (s *Server) rembgAddress(c *gin.Context) {
	r, query, ok := s.receiveRembg(c)
	if !ok {
		return
	}
	request, err := rembg.Parse(rembg.Values{Query: query, Get: true}, false, s.options.Offers)
	if err == nil {
		err = s.fetch(c, r, request.URL, r.Add)
	}
	if err != nil {
		s.fail(c, err)
		return
	}
	s.answerPicture(c, r, request.Options, nil)
}

// receiveRembg begins a request; it has answered where ok is false.
func (s *Server) receiveRembg(c *gin.Context) (r *upload.Request, query map[string]string, ok bool) {
	r, err := s.receive(c, s.devices.Derive(c.Request), 1, func(r *upload.Request) { r.PhotoField, r.FileFields = "file", nil })
	if err == nil {
		query, err = queryOf(c.Request)
	}
	if err != nil {
		s.refuse(c, err)
	}
	return r, query, err == nil
}

// queryOf returns the parameters of the query; of repeated ones, the first.
func queryOf(r *http.Request) (map[string]string, error) {
	all, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, cutout.Errorf(cutout.Invalid, "The query is not valid: check its %% signs.")
	}
	values := map[string]string{}
	for name := range all {
		values[name] = all.Get(name)
	}
	return values, nil
}

// sendDetail answers with an error as FastAPI does: a sentence, or for parameters what
// is wrong with each.
func (s *Server) sendDetail(c *gin.Context, p problem, err error) {
	status, detail := p.status, any(cutout.MessageOf(err))
	var wrong rembg.ValidationError
	if errors.As(err, &wrong) {
		status, detail = http.StatusUnprocessableEntity, wrong
	}
	text, _ := json.Marshal(map[string]any{"detail": detail})
	s.send(c, status, "application/json", text)
}
