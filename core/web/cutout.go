package web

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"bgremover.pro/core/cutout"
	"bgremover.pro/core/device"
	"bgremover.pro/core/upload"
)

// receive charges the sender and gets ready to read photos. The request is closed when
// it has been answered, so a handler need not. fields may name other fields than ours.
func (s *Server) receive(c *gin.Context, who device.Device, photos int, fields ...func(*upload.Request)) (*upload.Request, error) {
	x := responseOf(c)
	r := s.uploads.New(c.Writer, c.Request)
	x.upload = r
	r.Owner, r.MaxUpload, r.MaxPhotos = ownerOf(c, who), x.generation.settings.MaxUpload, photos
	r.PhotoField, r.FileFields = "image", []string{"background", "hints"}
	for _, set := range fields {
		set(r)
	}
	r.Charge = func() error {
		err := s.charge(c, who, 1)
		if err == nil && x.unknownKey {
			return errKey // charged anyway, so that guessing keys is not free
		}
		return err
	}
	r.MayRun = func(ctx context.Context, options cutout.Options) error {
		return s.options.MayLoad(ctx, keyOf(c, who), options)
	}
	return r, r.Start()
}

// cutoutAPI answers POST /api/v1/cutouts: one photo, as the raw body or as the
// multipart field image, options in the query or as fields, and perhaps files in the
// fields background and hints. The answer is the picture itself.
func (s *Server) cutoutAPI(c *gin.Context) {
	r, err := s.receive(c, s.devices.Derive(c.Request), 1)
	if err != nil {
		s.refuse(c, err)
		return
	}
	options, err := readOne(r, c.Request)
	if err != nil {
		s.refuse(c, err)
		return
	}
	s.answerPicture(c, r, options, nil)
}

// readOne reads the API's photo and its options.
func readOne(r *upload.Request, request *http.Request) (cutout.Options, error) {
	// A semicolon parts points here, not parameters, which net/url would drop.
	query, err := url.ParseQuery(strings.ReplaceAll(request.URL.RawQuery, ";", "%3B"))
	if err != nil {
		return cutout.Options{}, cutout.Errorf(cutout.Invalid, "The query is not valid: check its %% signs.")
	}
	values := map[string]string{}
	for name := range query {
		values[name] = query.Get(name)
	}
	// Invalid options are reported before a large upload, not after it.
	if options, err := cutout.ParseOptions(values, true); err != nil {
		return options, err
	}
	if err := r.Read(); err != nil {
		return cutout.Options{}, err
	}
	return r.Options(values, true)
}

// cutoutForm answers POST /device/cutouts: a whole page with every result, or what
// htmx swaps in, or with answer=file the files themselves.
func (s *Server) cutoutForm(c *gin.Context) {
	who := s.devices.Identify(c.Request)
	r, err := s.receive(c, who, responseOf(c).generation.settings.MaxPhotos)
	if err != nil {
		s.refuse(c, err)
		return
	}
	progress := s.progress.begin(who.ID)
	defer progress.end()
	progress.name(uploadID(c.Request))
	r.OnField = func(name, value string) {
		if name == "upload" {
			progress.name(value)
		}
	}
	if err := r.ReadForm(); err != nil {
		s.refuse(c, err)
		return
	}
	options, err := r.Options(map[string]string{}, false)
	if err != nil {
		s.refuse(c, err)
		return
	}
	options.Anyway = true // the page says so and lets the visitor choose
	s.setCookie(c, who, r.Fields["cookie"] == "no")
	file := r.Fields["answer"] == "file"
	if file && len(r.Photos) == 1 {
		s.answerPicture(c, r, options, progress.observe)
		return
	}
	s.answerForm(c, r, options, file, progress.observe)
}

// answerForm answers photo by photo.
func (s *Server) answerForm(c *gin.Context, r *upload.Request, options cutout.Options, file bool, observe func(cutout.Progress)) {
	answer := s.newFormAnswer(c, file)
	for i := range r.Photos {
		started := time.Now()
		o := outcome{number: i + 1, name: r.Photos[i].Name}
		o.result, o.err = r.Remove(&r.Photos[i], options, observe)
		o.took = time.Since(started)
		if cutout.CodeOf(o.err) == cutout.Canceled {
			answer.abandon(o.err) // the client is gone: nobody receives the rest
			return
		}
		answer.add(o)
	}
	answer.end()
}

// answerPicture answers with the cut-out of the one photo, as a file.
func (s *Server) answerPicture(c *gin.Context, r *upload.Request, options cutout.Options, observe func(cutout.Progress)) {
	result, err := r.Remove(&r.Photos[0], options, observe)
	if err != nil {
		s.fail(c, err)
		return
	}
	describe(c.Writer.Header(), result)
	s.sendFile(c, "cutout"+extension(result.MediaType), result.MediaType, result.File)
}

// setCookie sets the device's cookie, unless it has one or declines it.
func (s *Server) setCookie(c *gin.Context, who device.Device, declined bool) {
	secure := responseOf(c).generation.hsts || s.devices.Secure(c.Request)
	switch {
	case declined && who.Returning:
		http.SetCookie(c.Writer, device.ExpiredCookie(secure))
	case !declined && !who.Returning:
		http.SetCookie(c.Writer, s.devices.Cookie(who, secure))
	}
}
