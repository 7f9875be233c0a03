package web

import (
	"testing"
	"strings"
	"net/http"
)

func TestSmoke(t *testing.T) {
	s := start(t, succeed)
	r := s.do(http.MethodPost, "/api/v1/cutouts", strings.NewReader("photo"))
	r.expect(t, 200, string(picture))
	t.Log(r.header)
	r = s.get("/")
	t.Log(r.header, r.body)
}
