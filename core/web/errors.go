package web

import (
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"bgremover.pro/core/cutout"
	"bgremover.pro/core/fetch"
	"bgremover.pro/core/rembg"
	"bgremover.pro/core/removebg"
	"bgremover.pro/core/upload"
	"bgremover.pro/templates"
)

// Codes that exist only in this package.
const (
	notFound    cutout.Code = "not_found"
	wrongMethod cutout.Code = "method"
	forbidden   cutout.Code = "forbidden"
	unknownKey  cutout.Code = "unknown_key"
	blocked     cutout.Code = "blocked"
)

// problem is the status and title of an error and, where the registry of problem
// types has one, its type.
type problem struct {
	status      int
	title, kind string
}

// problems maps each code to how it is reported.
var problems = map[cutout.Code]problem{
	cutout.Invalid:            {http.StatusBadRequest, "The request is not valid", ""},
	cutout.TooLarge:           {http.StatusRequestEntityTooLarge, "The photo is too large", ""},
	cutout.TooManyPixels:      {http.StatusRequestEntityTooLarge, "The photo has too many pixels", ""},
	cutout.UnsupportedFormat:  {http.StatusUnsupportedMediaType, "This kind of file is not supported", ""},
	cutout.RateLimited:        {http.StatusTooManyRequests, "The limit has been reached", "quota-exceeded"},
	cutout.Busy:               {http.StatusServiceUnavailable, "The server is busy", "temporary-reduced-capacity"},
	cutout.BackendUnavailable: {http.StatusServiceUnavailable, "The model is not available", "temporary-reduced-capacity"},
	cutout.Timeout:            {http.StatusGatewayTimeout, "This took too long", ""},
	cutout.Canceled:           {499, "The request was cancelled", ""},
	cutout.Internal:           {http.StatusInternalServerError, "Something went wrong", ""},
	notFound:                  {http.StatusNotFound, "Not found", ""},
	wrongMethod:               {http.StatusMethodNotAllowed, "Method not allowed", ""},
	forbidden:                 {http.StatusForbidden, "Refused", ""},
	blocked:                   {http.StatusForbidden, "This device is blocked", ""},
	unknownKey:                {http.StatusUnauthorized, "The API key is not known", ""},
	upload.Slow:               {http.StatusRequestTimeout, "The upload was too slow", ""},
	fetch.Refused:             {http.StatusBadRequest, "The address is not allowed", ""},
	fetch.Failed:              {http.StatusBadRequest, "The photo could not be downloaded", ""},
}

var (
	errNotFound     = &cutout.Error{Code: notFound, Message: "There is nothing at this address."}
	errCross        = &cutout.Error{Code: forbidden, Message: "This request came from another site. Open this site's own page and send the photo from there."}
	errKey          = &cutout.Error{Code: unknownKey, Message: "This server does not know the API key. Check it, or leave it out to be counted as a visitor."}
	errManyRequests = &cutout.Error{Code: cutout.Busy, Message: "Your network has too many requests in progress. Try again in a moment.", RetryAfter: 5 * time.Second}
)

// errorShape is how a route reports its errors.
type errorShape int

const (
	asPage     errorShape = iota // a whole page
	asFragment                   // what htmx swaps in
	asProblem                    // problem+json, RFC 9457
	asRemoveBG                   // as the remove.bg API does
	asDetail                     // as rembg's server does
)

// fail answers with an error, in the shape that the route and the request ask
// for. It is the only place where errors become statuses.
func (s *Server) fail(c *gin.Context, err error) {
	p := s.failing(c, err)
	code := responseOf(c).Code
	switch shapeOf(c) {
	case asProblem:
		s.sendProblem(c, code, err)
	case asRemoveBG:
		s.sendRemoveBGError(c, p, err)
	case asDetail:
		s.sendDetail(c, p, err)
	case asFragment:
		s.render(c, p.status, errorCard(c, err))
	default:
		s.render(c, p.status, templates.ErrorPage{
			Status: p.status, Code: string(code), Message: cutout.MessageOf(err), RetryAfter: retryAfter(err),
		})
	}
}

// refuse answers with an error before the whole body has been read.
func (s *Server) refuse(c *gin.Context, err error) {
	r := responseOf(c).upload
	if r == nil {
		r = s.uploads.New(c.Writer, c.Request)
	}
	r.Refuse(func() { s.fail(c, err) })
}

// failing records that a request failed, sets Retry-After, and returns how the
// error is reported.
func (s *Server) failing(c *gin.Context, err error) problem {
	x := responseOf(c)
	code := codeOf(err)
	p, known := problems[code]
	if !known {
		code, p = cutout.Internal, problems[cutout.Internal]
	}
	x.Code = code
	if p.status >= http.StatusInternalServerError && code != cutout.Busy {
		x.Err = err
		s.log.Error("request failed", "request", x.ID, "route", x.Route, "code", code, "error", err)
	}
	if retry := retryAfter(err); retry > 0 {
		c.Header("Retry-After", strconv.Itoa(seconds(retry)))
	}
	return p
}

// codeOf is cutout.CodeOf, which also knows the errors of other interfaces' parameters.
func codeOf(err error) cutout.Code {
	var removeBG *removebg.Error
	var fields rembg.ValidationError
	if errors.As(err, &removeBG) || errors.As(err, &fields) {
		return cutout.Invalid
	}
	return cutout.CodeOf(err)
}

func errorCard(c *gin.Context, err error) templates.ErrorCard {
	return templates.ErrorCard{
		Code: string(cutout.CodeOf(err)), Message: cutout.MessageOf(err),
		RetryAfter: retryAfter(err), Limits: responseOf(c).generation.settings.Limits,
	}
}

// problemBody is problem+json with two extra members.
type problemBody struct {
	Type       string      `json:"type"`
	Title      string      `json:"title"`
	Status     int         `json:"status"`
	Detail     string      `json:"detail"`
	Code       cutout.Code `json:"code"`
	RetryAfter int         `json:"retry_after,omitempty"` // seconds
}

func (s *Server) sendProblem(c *gin.Context, code cutout.Code, err error) {
	p := problems[code]
	kind := "about:blank"
	if p.kind != "" {
		kind = "https://iana.org/assignments/http-problem-types#" + p.kind
	}
	body := problemBody{
		Type: kind, Title: p.title, Status: p.status, Detail: cutout.MessageOf(err),
		Code: code, RetryAfter: seconds(retryAfter(err)),
	}
	text, _ := json.Marshal(body) // strings and numbers always encode
	s.send(c, p.status, "application/problem+json", text)
}

// errMethod says which methods the address accepts; gin has set Allow.
func errMethod(c *gin.Context) error {
	allow := c.Writer.Header().Get("Allow")
	return cutout.Errorf(wrongMethod, "This address accepts only %s.", allow)
}

// retryAfter returns when to try again; some codes always have a time.
func retryAfter(err error) time.Duration {
	var e *cutout.Error
	if errors.As(err, &e) && e.RetryAfter > 0 {
		return e.RetryAfter
	}
	switch cutout.CodeOf(err) {
	case cutout.Busy, cutout.BackendUnavailable:
		return 10 * time.Second
	}
	return 0
}

// seconds rounds up, so that a client that waits that long is not too early.
func seconds(d time.Duration) int { return int(math.Ceil(d.Seconds())) }
