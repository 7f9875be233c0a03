package upload

import (
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"slices"
	"strings"

	"bgremover.pro/core/cutout"
)

// Bounds of a form, whatever the files' own limits are.
const (
	maxParts   = 32       // parts besides the photos
	maxField   = 1 << 10  // bytes of a field's value
	maxName    = 80       // characters kept of a photo's name
	maxHeading = 16 << 10 // bytes of a part's own headers, and of what stands before it
	slack      = 1 << 20  // bytes that a form may hold beyond its files
)

var (
	errEmpty  = &cutout.Error{Code: cutout.Invalid, Message: "The file is empty. Choose another photo."}
	errFields = &cutout.Error{Code: cutout.Invalid, Message: "The form has too many fields, or a field is too long."}
	errBroken = &cutout.Error{Code: cutout.Invalid, Message: "The form is not valid multipart/form-data."}
)

// ReadForm reads multipart/form-data, fields and files in any order. A photo that
// cannot be used keeps its place; whatever is wrong with the form itself is an
// error: invalid, too_large, busy, slow_upload or canceled.
func (r *Request) ReadForm() error {
	boundary, ok := r.boundary()
	if !ok {
		return errBroken
	}
	parts := multipart.NewReader(r.body, boundary)
	for n := 0; ; n++ {
		r.body.bound(maxHeading) // the parser would buffer megabytes of headers
		part, err := parts.NextRawPart()
		r.body.bound(unbounded)
		switch {
		case errors.Is(err, io.EOF):
			_, err = io.Copy(io.Discard, r.body) // an epilogue; after it, a client that leaves is noticed
			return err
		case err != nil:
			return formError(err)
		case n >= r.MaxPhotos+maxParts:
			return errFields
		}
		if err := r.readPart(part); err != nil {
			return formError(err)
		}
	}
}

func (r *Request) readPart(part *multipart.Part) error {
	switch name := part.FormName(); {
	case name == r.PhotoField:
		return r.readPhoto(part)
	case isFile(part) && slices.Contains(r.FileFields, name), slices.Contains(r.TextFields, name):
		return r.readFile(part)
	default:
		return r.readField(part)
	}
}

// isFile distinguishes a file field, even one in which nothing was chosen, from a plain
// field of the same name.
func isFile(part *multipart.Part) bool {
	_, params, _ := mime.ParseMediaType(part.Header.Get("Content-Disposition"))
	_, file := params["filename"]
	return file
}

// readPhoto reads one photo. An error that concerns this photo alone is kept in its
// place; the rest of it is skipped, so that the next one can be read.
func (r *Request) readPhoto(part *multipart.Part) error {
	if len(r.Photos) == r.MaxPhotos {
		return cutout.Errorf(cutout.Invalid, "Too many photos in one form: at most %d.", r.MaxPhotos)
	}
	p := Photo{Name: shorten(part.FileName())}
	if len(r.Photos) > 0 { // Start has charged the first one
		p.Err = r.Charge()
	}
	if p.Err == nil {
		p.Data, p.Err = r.read(part)
	}
	switch {
	case p.Err == nil && len(p.Data) > 0:
	case p.Err == nil && part.FileName() == "":
		return nil // what a browser sends for a field in which nothing was chosen
	case p.Err == nil:
		p.Err = errEmpty
	default:
		switch cutout.CodeOf(p.Err) {
		case cutout.TooLarge, cutout.RateLimited, cutout.Busy:
		default:
			return p.Err
		}
		if _, err := io.Copy(io.Discard, part); err != nil {
			return err
		}
	}
	r.Photos = append(r.Photos, p)
	return nil
}

// shorten keeps the beginning of a name, in whole characters.
func shorten(name string) string {
	name = strings.ToValidUTF8(name, "")
	if runes := []rune(name); len(runes) > maxName {
		name = string(runes[:maxName]) + "…"
	}
	return name
}

// readFile reads a file that is not a photo; each field has at most one.
func (r *Request) readFile(part *multipart.Part) error {
	data, err := r.read(part)
	switch {
	case err != nil:
		return err
	case len(data) == 0:
		return nil
	case r.Files[part.FormName()] != nil:
		return cutout.Errorf(cutout.Invalid, "Too many files in the field %s: send one.", part.FormName())
	}
	r.Files[part.FormName()] = data
	return nil
}

// readField reads a plain field.
func (r *Request) readField(part *multipart.Part) error {
	value, err := io.ReadAll(io.LimitReader(part, maxField+1))
	switch {
	case err != nil:
		return err
	case len(value) > maxField:
		return errFields
	}
	r.Fields[part.FormName()] = string(value)
	if r.OnField != nil {
		r.OnField(part.FormName(), string(value))
	}
	return nil
}

// formError keeps our own errors; anything else is the parser's.
func formError(err error) error {
	var own *cutout.Error
	if errors.As(err, &own) {
		return own
	}
	return errBroken
}
