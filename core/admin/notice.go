package admin

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"bgremover.pro/core/cutout"
	"bgremover.pro/templates"
)

// notices holds the outcome of the latest long action of one kind, such as a switch of the
// backend. It is kept here, not in the page, so that it survives refreshes until the
// operator dismisses it.
type notices struct {
	mu     sync.Mutex
	now    templates.OperatorNotice
	began  time.Time
	number int
	stop   context.CancelFunc // ends what is in progress; nil if that cannot be stopped
}

// begin notes that something is in progress and returns its number.
func (n *notices) begin(text string) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.next(text, nil)
}

// tryBegin does so unless something else is in progress.
func (n *notices) tryBegin(text string, stop context.CancelFunc) (number int, ok bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.now.Pending {
		return 0, false
	}
	return n.next(text, stop), true
}

func (n *notices) next(text string, stop context.CancelFunc) int {
	n.number++
	n.now, n.began, n.stop = templates.OperatorNotice{Number: n.number, Text: text, Pending: true, Stops: stop != nil}, time.Now(), stop
	return n.number
}

// change changes the notice of what is in progress, unless something else has begun
// since.
func (n *notices) change(number int, f func(*templates.OperatorNotice)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.now.Number == number {
		f(&n.now)
	}
}

// end notes its outcome; what it wrote stays.
func (n *notices) end(number int, text string, failed bool) {
	n.change(number, func(now *templates.OperatorNotice) {
		n.number++
		*now = templates.OperatorNotice{Number: n.number, Text: text, Failed: failed, Lines: now.Lines}
	})
}

// dismiss removes an outcome, and stops what is in progress if that can be stopped.
func (n *notices) dismiss() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.now.Pending {
		n.now = templates.OperatorNotice{}
	} else if n.stop != nil {
		n.stop()
	}
}

func (n *notices) get() templates.OperatorNotice {
	n.mu.Lock()
	defer n.mu.Unlock()
	now := n.now
	now.Lines = slices.Clone(now.Lines)
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
