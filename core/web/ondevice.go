package web

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"bgremover.pro/core/httpcache"
)

// OnDevice is what visitors' devices fetch to process photos themselves: a list,
// and the files that it names. The address of each holds a checksum of its content,
// so that any edge may keep it for good.
type OnDevice struct {
	// List is the address of the list; Content is the list, JSON that the page's
	// scripts read.
	List    string
	Content []byte
	// Files are the files, by address.
	Files map[string]*httpcache.File
	// Bytes is what a visitor fetches before the first result, compressed.
	Bytes int64
}

// onDevice answers the list, or a file of it.
func (s *Server) onDevice(c *gin.Context) {
	g, path := responseOf(c).generation, c.Request.URL.Path
	if doc := g.documents[path]; doc != nil {
		doc.ServeHTTP(c.Writer, c.Request)
		return
	}
	if g.settings.OnDevice != nil {
		if file := g.settings.OnDevice.Files[path]; file != nil {
			body := s.paced(c)
			body.tight = func() bool { return false } // it holds no photo's memory
			file.ServeHTTP(pacedAnswer{c.Writer, body}, c.Request)
			return
		}
	}
	s.fail(c, errNotFound)
}

// pacedAnswer is an answer whose body a pacedWriter writes.
type pacedAnswer struct {
	http.ResponseWriter
	body *pacedWriter
}

func (a pacedAnswer) Write(p []byte) (int, error) { return a.body.Write(p) }
