package web

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"bgremover.pro/core/cutout"
	"bgremover.pro/core/fetch"
	"bgremover.pro/core/removebg"
	"bgremover.pro/core/upload"
)

// removeBG answers POST /v1.0/removebg as the remove.bg API does.
func (s *Server) removeBG(c *gin.Context) {
	r, err := s.receive(c, s.devices.Derive(c.Request), 1, func(r *upload.Request) {
		r.MaxUpload = min(r.MaxUpload/3*4+base64Slack, s.options.UploadMemory-1)
		r.PhotoField, r.FileFields, r.TextFields = "image_file", []string{"bg_image_file"}, []string{"image_file_b64"}
	})
	if err != nil {
		s.refuse(c, err)
		return
	}
	request, err := s.readRemoveBG(c, r)
	if err != nil {
		s.refuse(c, err)
		return
	}
	result, err := r.Remove(&r.Photos[0], request.Options, nil)
	if err == nil && (result.Subject == cutout.SubjectNone || result.Placed != nil && result.Placed.Subject.Empty()) {
		err = errForeground
	}
	if err != nil {
		s.fail(c, err)
		return
	}
	describe(c.Writer.Header(), result)
	describePlace(c.Writer.Header(), result, request.Type)
	if wantsJSON(c.Request) {
		s.sendBase64(c, result)
		return
	}
	s.sendFile(c, "cutout"+extension(result.MediaType), result.MediaType, result.File)
}

// base64Slack is how much larger a body may be than a photo in base64.
const base64Slack = 64 << 10

var errForeground = &removebg.Error{Code: "unknown_foreground", Title: "Could not identify foreground in image.",
	Detail: "The photo shows no clear subject. Try one in which it stands out, or set roi to where it is."}

// readRemoveBG reads the body in any of its forms, and downloads what it names by address.
func (s *Server) readRemoveBG(c *gin.Context, r *upload.Request) (*removebg.Request, error) {
	if err := r.Read(); err != nil && !errors.Is(err, upload.ErrNoPhoto) {
		return nil, err
	}
	fields, files := r.Fields, removebg.Files{Image: len(r.Photos) > 0, Background: r.Files["bg_image_file"] != nil}
	switch text := r.Files["image_file_b64"]; {
	case !r.Multipart() && len(r.Photos) > 0:
		body, err := removebg.ReadBody(c.Request.Header.Get("Content-Type"), r.Photos[0].Data)
		if err != nil {
			return nil, err
		}
		fields, files.Image = body.Fields, false
		r.Photos[0].Data = body.Image
	case text != nil:
		image, err := removebg.DecodeBase64(text)
		if err != nil {
			return nil, err
		}
		fields["image_file_b64"] = "given"
		r.Photos = append(r.Photos, upload.Photo{Data: image})
	}
	request, err := removebg.Parse(fields, files)
	if err != nil {
		return nil, err
	}
	limit := responseOf(c).generation.settings.MaxUpload
	if request.ImageURL != "" {
		r.Photos = nil
		if err := s.fetch(c, r, request.ImageURL, r.Add); err != nil {
			return nil, err
		}
	}
	if request.BackgroundURL != "" {
		add := func(from io.Reader) error { return r.AddFile("bg_image_file", from) }
		if err := s.fetch(c, r, request.BackgroundURL, add); err != nil {
			return nil, aboutBackground(err)
		}
	}
	if picture := r.Files["bg_image_file"]; picture != nil && request.Options.Background != nil {
		request.Options.Background.Picture = picture
	}
	if int64(len(r.Photos[0].Data)) > limit || int64(len(r.Files["bg_image_file"])) > limit {
		return nil, upload.TooLarge(limit)
	}
	return request, nil
}

// fetch downloads a file by address and lets add read it into the request's memory.
func (s *Server) fetch(c *gin.Context, r *upload.Request, address string, add func(io.Reader) error) error {
	return s.options.Fetcher.Get(c.Request.Context(), address, r.Owner, responseOf(c).generation.settings.MaxUpload, add)
}

// aboutBackground names the background in an error of downloading.
func aboutBackground(err error) error {
	switch cutout.CodeOf(err) {
	case fetch.Refused:
		return &removebg.Error{Code: "invalid_bg_image_url", Title: cutout.MessageOf(err)}
	case fetch.Failed:
		return &removebg.Error{Code: "failed_bg_download", Title: cutout.MessageOf(err)}
	}
	return err
}

// describePlace sets the headers about the picture itself.
func describePlace(h http.Header, r *cutout.Result, kind string) {
	set := func(name string, value int) { h.Set(name, strconv.Itoa(value)) }
	set("X-Width", r.Width)
	set("X-Height", r.Height)
	if p := r.Placed; p != nil {
		set("X-Max-Width", p.FullWidth)
		set("X-Max-Height", p.FullHeight)
		set("X-Foreground-Top", p.Subject.Min.Y)
		set("X-Foreground-Left", p.Subject.Min.X)
		set("X-Foreground-Width", p.Subject.Dx())
		set("X-Foreground-Height", p.Subject.Dy())
	}
	set("X-Credits-Charged", 0)
	if kind != "" {
		h.Set("X-Type", kind)
	}
}

// wantsJSON reports whether a client asks for JSON. Libraries that accept it first
// and anything else after that mean the file, as they always have got it.
func wantsJSON(r *http.Request) bool {
	accept := r.Header.Get("Accept")
	return strings.Contains(accept, "application/json") && !strings.Contains(accept, "*/*")
}

// sendBase64 answers with the picture inside JSON, encoded as it is sent.
func (s *Server) sendBase64(c *gin.Context, r *cutout.Result) {
	const before = `{"data":{"result_b64":"`
	after := `"}}`
	if p := r.Placed; p != nil {
		after = fmt.Sprintf(`","foreground_top":%d,"foreground_left":%d,"foreground_width":%d,"foreground_height":%d}}`,
			p.Subject.Min.Y, p.Subject.Min.X, p.Subject.Dx(), p.Subject.Dy())
	}
	c.Header("Content-Type", "application/json")
	c.Header("Content-Length", strconv.Itoa(len(before)+base64.StdEncoding.EncodedLen(len(r.File))+len(after)))
	c.Status(http.StatusOK)
	out := s.paced(c)
	text := base64.NewEncoder(base64.StdEncoding, out)
	_, err := io.WriteString(out, before)
	if err == nil {
		_, err = text.Write(r.File)
	}
	if err == nil {
		err = text.Close()
	}
	if err == nil {
		_, _ = io.WriteString(out, after)
	}
}

// unlimitedCredits is what an account has where no limit is set: clients stop at 0.
const unlimitedCredits = 1_000_000

// removeBGAccount answers GET /v1.0/account: what is left of the sender's limit.
func (s *Server) removeBGAccount(c *gin.Context) {
	who := s.devices.Derive(c.Request)
	if responseOf(c).unknownKey {
		err := s.charge(c, who, 1) // guessing keys is not free
		if err == nil {
			err = errKey
		}
		s.fail(c, err)
		return
	}
	left := int64(unlimitedCredits)
	d := s.limits.Peek(c.Request.Context(), keyOf(c, who))
	if q, limited := d.Tightest(); limited {
		left = q.Remaining
	}
	s.limitHeaders(c, d)
	text, _ := json.Marshal(map[string]any{"data": map[string]any{"attributes": map[string]any{
		"credits": map[string]float64{"total": float64(left), "subscription": 0, "payg": float64(left), "enterprise": 0},
		"api":     map[string]any{"free_calls": left, "sizes": "all"},
	}}})
	s.send(c, http.StatusOK, "application/json", text)
}

// removeBGProblems maps our codes to the status and code that the API has for them.
var removeBGProblems = map[cutout.Code]struct {
	status int
	code   string
}{
	cutout.Invalid:           {http.StatusBadRequest, "failed_to_read_image"},
	cutout.TooLarge:          {http.StatusBadRequest, "file_too_large"},
	cutout.TooManyPixels:     {http.StatusBadRequest, "resolution_too_high"},
	cutout.UnsupportedFormat: {http.StatusBadRequest, "invalid_file_type"},
	cutout.RateLimited:       {http.StatusTooManyRequests, "rate_limit_exceeded"},
	fetch.Refused:            {http.StatusBadRequest, "invalid_image_url"},
	fetch.Failed:             {http.StatusBadRequest, "failed_image_download"},
	unknownKey:               {http.StatusForbidden, "auth_failed"},
}

// removeBGError is how the API reports an error.
type removeBGError struct {
	Title  string `json:"title"`
	Code   string `json:"code"`
	Detail string `json:"detail,omitempty"`
}

// sendRemoveBGError answers with an error as the API does. Errors that it does not
// know keep our own status and code.
func (s *Server) sendRemoveBGError(c *gin.Context, p problem, err error) {
	status, body := p.status, removeBGError{Title: cutout.MessageOf(err), Code: string(responseOf(c).Code)}
	var own *removebg.Error
	if cutout.CodeOf(err) == cutout.TooLarge { // not the limit of base64
		err = upload.TooLarge(responseOf(c).generation.settings.MaxUpload)
		body.Title = cutout.MessageOf(err)
	}
	known, found := removeBGProblems[cutout.CodeOf(err)]
	switch {
	case errors.As(err, &own):
		status, body = http.StatusBadRequest, removeBGError{own.Title, own.Code, own.Detail}
	case errors.Is(err, cutout.ErrRegionOutside):
		status, body.Code = http.StatusBadRequest, removebg.ErrRegionOutside.Code
	case errors.Is(err, cutout.ErrRegionEmpty):
		status, body.Code = http.StatusBadRequest, removebg.ErrRegionEmpty.Code
	case errors.Is(err, errKey):
		status, body = http.StatusForbidden, removeBGError{Title: "API Key invalid", Code: "auth_failed"}
	case found:
		status, body.Code = known.status, known.code
	}
	text, _ := json.Marshal(map[string]any{"errors": []removeBGError{body}})
	s.send(c, status, "application/json", text)
}
