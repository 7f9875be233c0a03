package web

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"bgremover.pro/core/cutout"
)

// healthz says that the process is running.
func (s *Server) healthz(c *gin.Context) {
	s.send(c, http.StatusOK, textType, []byte("ok\n"))
}

// readyz says whether photos can be served now and, if not, why.
func (s *Server) readyz(c *gin.Context) {
	if s.draining.Load() {
		s.send(c, http.StatusServiceUnavailable, textType, []byte("not ready: the server is shutting down\n"))
		return
	}
	if err := s.options.Ready(); err != nil {
		s.send(c, http.StatusServiceUnavailable, textType, []byte("not ready: "+cutout.MessageOf(err)+"\n"))
		return
	}
	s.send(c, http.StatusOK, textType, []byte("ready\n"))
}

const textType = "text/plain; charset=utf-8"
