package web

import (
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"

	"bgremover.pro/core/cutout"
)

// Bounds of a form, whatever the photos' own limits are.
const (
	maxParts   = 32       // parts beside the photos
	maxField   = 1 << 10  // bytes of a field's value
	maxHeading = 16 << 10 // bytes of a part's own headers, and of what stands before it
	slack      = 1 << 20  // bytes that a form may hold beyond its photos
)

// fileField is the name of the field that holds a photo; a file in the field
// behindField is the picture to lay behind it.
const (
	fileField   = "image"
	behindField = "background"
)

var (
	errTooLarge = &cutout.Error{Code: cutout.TooLarge, Message: "The upload is larger than this server accepts."}
	errNoPhoto  = &cutout.Error{Code: cutout.Invalid, Message: "The request contains no photo. Choose a photo and send it in the field image."}
	errEmpty    = &cutout.Error{Code: cutout.Invalid, Message: "The file is empty. Choose another photo."}
	errFields   = &cutout.Error{Code: cutout.Invalid, Message: "The form has too many fields, or a field is too long."}
	errBroken   = &cutout.Error{Code: cutout.Invalid, Message: "The form is not valid multipart/form-data."}
)

// submission is what a POST contained, in memory.
type submission struct {
	fields map[string]string
	photos []photo
	behind []byte // the background picture, if one was sent
}

// photo is one file, or why it cannot be used.
type photo struct {
	data []byte
	err  error
}

// intake reads one submission.
type intake struct {
	body      *body
	lease     *lease
	maxUpload int64
	maxPhotos int
	// admit is called before each photo after the first is read.
	admit func() error
	// field, where set, is called with each field as it arrives.
	field func(name, value string)
}

// boundary returns the boundary of a multipart/form-data request.
func boundary(r *http.Request) (string, bool) {
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return params["boundary"], err == nil && kind == "multipart/form-data" && params["boundary"] != ""
}

// raw reads a body that is the photo itself.
func (in *intake) raw() (*submission, error) {
	data, err := in.lease.read(in.body, in.maxUpload)
	switch {
	case err != nil:
		return nil, err
	case len(data) == 0:
		return nil, errNoPhoto
	}
	return &submission{photos: []photo{{data: data}}}, nil
}

// form reads multipart/form-data, fields and photos in any order. A photo that
// cannot be used keeps its place; whatever is wrong with the form itself is an
// error: invalid, too_large, busy, slow_upload or canceled.
func (in *intake) form(boundary string) (*submission, error) {
	gate := &gate{from: in.body}
	parts := multipart.NewReader(gate, boundary)
	sub := &submission{fields: map[string]string{}}
	for n := 0; ; n++ {
		gate.close(maxHeading)
		part, err := parts.NextRawPart()
		switch {
		case errors.Is(err, io.EOF):
			gate.open()
			_, err = io.Copy(io.Discard, in.body) // an epilogue; after it, a client that leaves is noticed
			return sub, err
		case err != nil:
			return nil, formError(err)
		case n >= in.maxPhotos+maxParts:
			return nil, errFields
		}
		gate.open()
		if err := in.part(sub, part); err != nil {
			return nil, formError(err)
		}
	}
}

func (in *intake) part(sub *submission, part *multipart.Part) error {
	switch {
	case part.FormName() == behindField && isFile(part):
		return in.behind(sub, part)
	case part.FormName() != fileField:
		return in.value(sub, part)
	}
	if len(sub.photos) == in.maxPhotos {
		return cutout.Errorf(cutout.Invalid, "Too many photos in one form: at most %d.", in.maxPhotos)
	}
	p, err := in.photo(part, len(sub.photos) > 0)
	if err != nil {
		return err
	}
	// A browser sends an empty part for a field in which nothing was chosen.
	if errors.Is(p.err, errEmpty) && part.FileName() == "" {
		return nil
	}
	sub.photos = append(sub.photos, p)
	return nil
}

// value reads a plain field.
func (in *intake) value(sub *submission, part *multipart.Part) error {
	value, err := io.ReadAll(io.LimitReader(part, maxField+1))
	switch {
	case err != nil:
		return err
	case len(value) > maxField:
		return errFields
	}
	sub.fields[part.FormName()] = string(value)
	if in.field != nil {
		in.field(part.FormName(), string(value))
	}
	return nil
}

// isFile tells a file field, even one in which nothing was chosen, from a plain
// field of the same name.
func isFile(part *multipart.Part) bool {
	_, params, _ := mime.ParseMediaType(part.Header.Get("Content-Disposition"))
	_, file := params["filename"]
	return file
}

// behind reads the background picture; there is one at most.
func (in *intake) behind(sub *submission, part *multipart.Part) error {
	picture, err := in.lease.read(part, in.maxUpload)
	switch {
	case err != nil:
		return err
	case len(picture) == 0:
		return nil
	case sub.behind != nil:
		return cutout.Errorf(cutout.Invalid, "Too many background pictures: send one.")
	}
	sub.behind = picture
	return nil
}

// photo reads one file. An error that concerns this file alone is in the photo;
// the rest of the file is skipped, so that the next one can be read.
func (in *intake) photo(part io.Reader, ask bool) (photo, error) {
	var err error
	var data []byte
	if ask {
		err = in.admit()
	}
	if err == nil {
		data, err = in.lease.read(part, in.maxUpload)
	}
	switch {
	case err == nil && len(data) == 0:
		return photo{err: errEmpty}, nil
	case err == nil:
		return photo{data: data}, nil
	}
	switch cutout.CodeOf(err) {
	case cutout.TooLarge, cutout.RateLimited, cutout.Busy:
		_, skip := io.Copy(io.Discard, part)
		return photo{err: err}, skip
	}
	return photo{}, err
}

// formError keeps our own errors; anything else is the parser's.
func formError(err error) error {
	var own *cutout.Error
	if errors.As(err, &own) {
		return own
	}
	return errBroken
}

// gate bounds what the form's parser may read while it looks for a part's
// headers; it would buffer megabytes of them.
type gate struct {
	from io.Reader
	left int64 // negative: no bound
}

func (g *gate) open()         { g.left = -1 }
func (g *gate) close(n int64) { g.left = n }

func (g *gate) Read(p []byte) (int, error) {
	if g.left == 0 {
		return 0, errFields
	}
	if g.left > 0 && int64(len(p)) > g.left {
		p = p[:g.left]
	}
	n, err := g.from.Read(p)
	if g.left > 0 {
		g.left -= int64(n)
	}
	return n, err
}
