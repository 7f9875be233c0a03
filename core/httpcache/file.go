package httpcache

import (
	"net/http"
	"os"
	"strconv"
	"time"
)

// File is a file on disk that never changes, in every encoding that was made of it.
type File struct {
	Path, ContentType string
	SHA256            string            // of the content, in hex
	Encoded           map[string]string // paths by encoding
}

// ServeHTTP answers a GET or HEAD, conditional or in ranges or whole: an interrupted
// download resumes where it stopped.
func (f *File) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path, encoding := f.pick(r.Header["Accept-Encoding"])
	file, err := os.Open(path)
	if err != nil {
		http.Error(w, "The file is missing on the server.", http.StatusInternalServerError)
		return
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		http.Error(w, "The file is missing on the server.", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h["Content-Type"] = []string{f.ContentType}
	h["Accept-Ranges"] = byteRanges
	tag := f.SHA256[:16]
	if encoding != "" {
		tag += "-" + encoding
		h["Content-Encoding"] = []string{encoding}
	}
	h["Etag"] = []string{`"` + tag + `"`}
	if r.Header["If-Match"] == nil && r.Header["Range"] == nil {
		h["Content-Length"] = []string{strconv.FormatInt(info.Size(), 10)}
	}
	http.ServeContent(w, r, "", time.Time{}, file)
}

// pick returns the best that a client accepts.
func (f *File) pick(accept []string) (path, encoding string) {
	for _, encoding := range encodings {
		if path := f.Encoded[encoding]; path != "" && acceptsAny(accept, encoding) {
			return path, encoding
		}
	}
	return f.Path, ""
}
