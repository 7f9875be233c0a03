package web

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"bgremover.pro/core/cutout"
)

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
	_, format, _ := strings.Cut(mediaType, "/")
	return cutout.Format(format).Extension()
}
