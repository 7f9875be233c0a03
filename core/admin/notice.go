package admin

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	"bgremover.pro/core/cutout"
	"bgremover.pro/templates"
)

// notices is what became of the latest switch of the backend. It is kept here, not in
// the page, so that it survives refreshes until the operator dismisses it.
type notices struct {
	mu     sync.Mutex
	now    templates.OperatorNotice
	began  time.Time
	number int
}

// begin notes that something is in progress and returns its number.
func (n *notices) begin(text string) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.number++
	n.now, n.began = templates.OperatorNotice{Number: n.number, Text: text, Pending: true}, time.Now()
	return n.number
}

// end notes its outcome, unless something else has begun since.
func (n *notices) end(number int, text string, failed bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.now.Number == number {
		n.number++
		n.now = templates.OperatorNotice{Number: n.number, Text: text, Failed: failed}
	}
}

// dismiss removes an outcome; what is in progress stays.
func (n *notices) dismiss() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.now.Pending {
		n.now = templates.OperatorNotice{}
	}
}

func (n *notices) get() templates.OperatorNotice {
	n.mu.Lock()
	defer n.mu.Unlock()
	now := n.now
	if now.Pending {
		now.For = time.Since(n.began).Round(time.Second)
	}
	return now
}

// switchTimeout bounds how long a new backend may take to become ready.
const switchTimeout = 5 * time.Minute

// startSwitch makes a backend the active one, which continues if the operator
// disconnects, and ends with the server. The outcome is sent, and kept as a notice.
func (s *Server) startSwitch(name string) <-chan error {
	outcome := make(chan error, 1)
	number := s.notices.begin("Switching to " + name + ". Still serving: " + s.serving() + ".")
	started := s.spawn(func(ctx context.Context) {
		err := s.activate(ctx, name)
		if err == nil {
			s.notices.end(number, "Switched to "+name+".", false)
		} else {
			s.notices.end(number, s.whySwitchFailed(name, err), true)
		}
		s.acted("switch to backend "+name, err)
		outcome <- err
	})
	if !started {
		outcome <- errors.New("the server is shutting down")
	}
	return outcome
}

// activate switches first, as that may fail, and then records the choice in the
// configuration.
func (s *Server) activate(ctx context.Context, name string) error {
	ctx, cancel := context.WithTimeout(ctx, switchTimeout)
	defer cancel()
	if err := s.Sources.Backends.Switch(ctx, name); err != nil {
		return err
	}
	if err := s.Sources.Settings.Apply(map[string]string{"backend": name}, false); err != nil {
		s.Log.Warn("the backend was switched, but the configuration could not record it; the next start or reload undoes the switch", "error", err)
	}
	return nil
}

// whySwitchFailed says what the operator needs to know: why the new backend does not
// serve, and that another one still does. The error itself is for visitors.
func (s *Server) whySwitchFailed(name string, err error) string {
	if cutout.CodeOf(err) == cutout.Invalid {
		return sentence(err)
	}
	why := ""
	for _, b := range s.Sources.Backends.Snapshot() {
		if b.Name == name {
			why = cmp.Or(b.Why, b.LastError)
		}
	}
	why = strings.TrimSuffix(cmp.Or(why, sentence(err)), ".")
	return name + " did not start: " + why + ". Still serving: " + s.serving() + "."
}

// serving names the backend that serves.
func (s *Server) serving() string {
	for _, b := range s.Sources.Backends.Snapshot() {
		if b.Serving {
			return b.Name
		}
	}
	return "nothing"
}

func (s *Server) dismiss(w http.ResponseWriter, r *http.Request) {
	s.notices.dismiss()
	s.answer(w, r, "backends", http.StatusOK, s.backends(), func(*templates.Operator) {})
}
