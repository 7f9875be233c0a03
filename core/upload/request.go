// Package upload is one request that sends photos, from its first byte to the last
// result: it reads the body at a bounded pace into bounded memory, and has each photo
// cut out. It knows HTTP, but no route: handlers choose the form's fields, parse their
// own parameters and write the answers.
//
// A handler for a wire format of its own looks like this:
//
//	r := uploads.New(w, httpRequest)
//	defer r.Close()
//	r.Owner, r.MaxUpload, r.MaxPhotos = owner, limit, 1
//	r.PhotoField, r.FileFields = "image_file", []string{"bg_image_file"}
//	r.Charge = func() error { ... } // counts a photo against the sender
//	if err := r.Start(); err != nil {
//		r.Refuse(func() { writeError(err) })
//		return
//	}
//	err := r.Read() // multipart or raw: r.Photos, r.Fields, r.Files
//	...             // a photo from elsewhere: err = r.Add(reader)
//	result, err := r.Remove(&r.Photos[0], options, nil)
//	...             // result.File is the picture, encoded as options ask for
//
// The request owns the memory of what it has read and of the last result, until
// Close. An error before the whole body has been read is answered through Refuse.
package upload

import (
	"context"
	"io"
	"mime"
	"net/http"
	"time"

	"bgremover.pro/core/cutout"
)

// Remover removes a photo's background. It returns a cutout.Error of any code.
type Remover interface {
	Remove(ctx context.Context, job cutout.Job) (*cutout.Result, error)
}

// Service is what all uploads of a server share.
type Service struct {
	Remover Remover
	Memory  *Memory
	Pace    Pace
	Timeout time.Duration // of one photo in the pipeline
}

// Request is one upload. A handler sets the first part before Start.
type Request struct {
	Owner      string // whose share of memory and queue it uses
	MaxUpload  int64  // bytes of one file
	MaxPhotos  int
	PhotoField string   // the form's field that holds photos
	FileFields []string // fields that may hold one other file each
	TextFields []string // fields whose text may be as long as a file, and becomes one
	// Charge is called before each photo is read; its error is the photo's.
	Charge func() error
	// OnField, if set, is called with each field as it arrives.
	OnField func(name, value string)
	// MayRun, if set, returns why the sender may not use these options.
	MayRun func(context.Context, cutout.Options) error

	// What has been read.
	Fields map[string]string
	Files  map[string][]byte
	Photos []Photo

	service *Service
	writer  http.ResponseWriter
	request *http.Request
	body    *body
	held    int64  // bytes of the service's memory
	release func() // releases the result that is being sent; nil for none
}

// Photo is one file, or why it cannot be used. Name is what the sender calls it,
// shortened; it goes nowhere but into the answer.
type Photo struct {
	Name string
	Data []byte
	Err  error
}

// ErrNoPhoto is the error of an upload without a photo.
var ErrNoPhoto = &cutout.Error{Code: cutout.Invalid, Message: "The request contains no photo. Choose a photo and send it in the field image."}

// New starts the clock of a request; nothing is read yet. Reading fails before Start.
func (s *Service) New(w http.ResponseWriter, r *http.Request) *Request {
	return &Request{
		service: s, writer: w, request: r, body: newBody(w, r, s.Pace),
		Fields: map[string]string{}, Files: map[string][]byte{},
	}
}

// Start charges the sender for the first photo, refuses a body whose declared length
// is too large, and gets ready to read.
func (r *Request) Start() error {
	// Sending the answer sets a deadline of its own.
	_ = r.body.conn.SetWriteDeadline(time.Time{})
	if err := r.Charge(); err != nil {
		return err
	}
	r.body.limit = int64(r.MaxPhotos+len(r.FileFields))*r.MaxUpload + slack
	most := r.body.limit
	if !r.Multipart() {
		most = r.MaxUpload
	}
	if r.request.ContentLength > most {
		return TooLarge(r.MaxUpload)
	}
	return nil
}

// boundary is that of a multipart/form-data request.
func (r *Request) boundary() (string, bool) {
	kind, params, err := mime.ParseMediaType(r.request.Header.Get("Content-Type"))
	return params["boundary"], err == nil && kind == "multipart/form-data" && params["boundary"] != ""
}

// Multipart reports whether the body is multipart/form-data.
func (r *Request) Multipart() bool {
	_, multipart := r.boundary()
	return multipart
}

// Read reads a form, or a body that is the photo itself.
func (r *Request) Read() error {
	if r.Multipart() {
		return r.ReadForm()
	}
	data, err := r.read(r.body)
	switch {
	case err != nil:
		return err
	case len(data) == 0:
		return ErrNoPhoto
	}
	r.Photos = append(r.Photos, Photo{Data: data})
	return nil
}

// Add reads a photo that comes from elsewhere, such as a field's text or an address.
func (r *Request) Add(from io.Reader) error {
	data, err := r.read(from)
	if err != nil {
		return err
	}
	r.Photos = append(r.Photos, Photo{Data: data})
	return nil
}

// AddFile reads another file that comes from elsewhere, as if it were in the field.
func (r *Request) AddFile(field string, from io.Reader) (err error) {
	r.Files[field], err = r.read(from)
	return err
}

// Options are those of our own routes: values, overridden by the form's fields, and the
// pictures for background and hints. strict refuses unknown names.
func (r *Request) Options(values map[string]string, strict bool) (cutout.Options, error) {
	for name, value := range r.Fields {
		values[name] = value
	}
	options, err := cutout.ParseOptions(values, strict)
	if picture := r.Files["background"]; picture != nil {
		options.Background = &cutout.Background{Picture: picture}
	}
	options.Hints = r.Files["hints"]
	if err == nil && len(r.Photos) == 0 {
		err = ErrNoPhoto
	}
	return options, err
}

// Remove removes the background of one photo and drops the photo. The work ends if
// the client leaves. The result holds memory until the next photo's turn or Close.
func (r *Request) Remove(p *Photo, options cutout.Options, observe func(cutout.Progress)) (*cutout.Result, error) {
	r.sent()
	defer r.drop(p)
	if p.Err != nil {
		return nil, p.Err
	}
	ctx, cancel := context.WithTimeout(r.request.Context(), r.service.Timeout)
	defer cancel()
	if r.MayRun != nil {
		if err := r.MayRun(ctx, options); err != nil {
			return nil, err
		}
	}
	result, err := r.service.Remover.Remove(ctx, cutout.Job{
		Upload: p.Data, Options: options, Observe: observe, Owner: r.Owner, Hold: true,
	})
	if err != nil {
		return nil, err
	}
	r.release = result.Release
	return result, nil
}

// sent releases the last result, which has been sent or never will be.
func (r *Request) sent() {
	if r.release != nil {
		r.release()
		r.release = nil
	}
}

// Close gives back everything that the request holds.
func (r *Request) Close() {
	r.sent()
	r.give(r.held)
}

// Received is the number of bytes that have been read.
func (r *Request) Received() int64 { return r.body.total }

// Refuse answers before the body has been read. What is left of a small upload is read
// first, so that the connection can serve the next request: a new connection for each
// would cost more than the refusal itself. Where the client may still be sending,
// reading goes on for a while after the answer, as the client would otherwise see a
// broken connection. HTTP/2 can end an upload and keep the connection open.
func (r *Request) Refuse(answer func()) {
	if r.request.ProtoMajor >= 2 || r.body.ended || r.body.settle(r.request.ContentLength) {
		answer()
		return
	}
	_ = r.body.conn.EnableFullDuplex()
	r.writer.Header().Set("Connection", "close")
	answer()
	_ = r.body.conn.Flush()
	r.body.drain()
}
