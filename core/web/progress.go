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
	mu      sync.Mutex
	entries map[entryKey]*entry
}

type entryKey struct{ device, upload string }

// entry is one request in flight.
type entry struct {
	tracker  *tracker
	key      entryKey
	progress cutout.Progress
}

func newTracker() *tracker { return &tracker{entries: map[entryKey]*entry{}} }

// begin adds an entry that is not visible until it has a name.
func (t *tracker) begin(device string) *entry {
	return &entry{tracker: t, key: entryKey{device: device}}
}

// name makes the entry visible; the first name counts, and one already in use
// by the same device is not taken over.
func (e *entry) name(upload string) {
	e.tracker.mu.Lock()
	defer e.tracker.mu.Unlock()
	key := entryKey{e.key.device, upload}
	if e.key.upload != "" || !uploadName.MatchString(upload) || e.tracker.entries[key] != nil || len(e.tracker.entries) >= maxTracked {
		return
	}
	e.key = key
	e.tracker.entries[key] = e
}

func (e *entry) observe(progress cutout.Progress) {
	e.tracker.mu.Lock()
	defer e.tracker.mu.Unlock()
	e.progress = progress
}

func (e *entry) end() {
	e.tracker.mu.Lock()
	defer e.tracker.mu.Unlock()
	if e.key.upload != "" {
		delete(e.tracker.entries, e.key)
	}
}

// of returns the progress of an upload; zero if it is unknown.
func (t *tracker) of(device, upload string) cutout.Progress {
	t.mu.Lock()
	defer t.mu.Unlock()
	if e := t.entries[entryKey{device, upload}]; e != nil {
		return e.progress
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

// queue answers GET /device/queue?upload=ID.
func (s *Server) queue(c *gin.Context) {
	upload := c.Query("upload")
	if !uploadName.MatchString(upload) {
		s.fail(c, cutout.Errorf(cutout.Invalid, "upload must be the ID that the page gave its upload"))
		return
	}
	p := s.progress.of(s.devices.Identify(c.Request).ID, upload)
	s.render(c, http.StatusOK, templates.Queue{Upload: upload, Stage: string(p.Stage), Ahead: p.Ahead})
}
