package web

import (
	"net/http"
	"regexp"
	"sync"

	"github.com/gin-gonic/gin"

	"bgremover.pro/core/cutout"
	"bgremover.pro/templates"
)

// maxTracked bounds how many uploads are followed at a time.
const maxTracked = 4096

// uploadName is the form of the random ID that a page gives its upload.
var uploadName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// tracker knows the progress of the uploads in flight. An entry lives as long as its
// request, and only the device that sent it can see it.
type tracker struct {
	mu     sync.Mutex
	places map[placeKey]*place
}

type placeKey struct{ device, upload string }

// place is one request in flight.
type place struct {
	tracker  *tracker
	key      placeKey
	progress cutout.Progress
}

func newTracker() *tracker { return &tracker{places: map[placeKey]*place{}} }

// begin adds a place that is not visible until it has a name.
func (t *tracker) begin(device string) *place {
	return &place{tracker: t, key: placeKey{device: device}}
}

// name makes the place visible; the first name counts, and one already in use
// by the same device is not taken over.
func (p *place) name(upload string) {
	p.tracker.mu.Lock()
	defer p.tracker.mu.Unlock()
	key := placeKey{p.key.device, upload}
	if p.key.upload != "" || !uploadName.MatchString(upload) || p.tracker.places[key] != nil || len(p.tracker.places) >= maxTracked {
		return
	}
	p.key = key
	p.tracker.places[key] = p
}

func (p *place) observe(progress cutout.Progress) {
	p.tracker.mu.Lock()
	defer p.tracker.mu.Unlock()
	p.progress = progress
}

func (p *place) end() {
	p.tracker.mu.Lock()
	defer p.tracker.mu.Unlock()
	if p.key.upload != "" {
		delete(p.tracker.places, p.key)
	}
}

// where returns the progress of an upload; zero if it is unknown.
func (t *tracker) where(device, upload string) cutout.Progress {
	t.mu.Lock()
	defer t.mu.Unlock()
	if p := t.places[placeKey{device, upload}]; p != nil {
		return p.progress
	}
	return cutout.Progress{}
}

// uploadID reads an upload's ID where a page sent it outside the form.
func uploadID(r *http.Request) string {
	if id := r.Header.Get("X-Upload-ID"); id != "" {
		return id
	}
	return r.URL.Query().Get("upload")
}

// queuePlace answers GET /device/queue?upload=ID.
func (s *Server) queuePlace(c *gin.Context) {
	upload := c.Query("upload")
	if !uploadName.MatchString(upload) {
		s.fail(c, cutout.Errorf(cutout.Invalid, "upload must be the ID that the page gave its upload"))
		return
	}
	p := s.uploads.where(s.devices.Identify(c.Request).ID, upload)
	s.render(c, http.StatusOK, templates.Queue{Upload: upload, Stage: string(p.Stage), Ahead: p.Place})
}
