package admin

import (
	"net/http"
	"slices"
	"sync"
	"time"

	"bgremover.pro/templates"
)

// Failure is a request that failed and was the server's fault. It holds nothing of
// the visitor: no picture, file name or address.
type Failure struct {
	Time    time.Time `json:"time"`
	Request string    `json:"request"` // as in the log, and in the answer's X-Request-ID
	Route   string    `json:"route"`
	Status  int       `json:"status"`
	Code    string    `json:"code"`
	Cause   string    `json:"cause"`
}

// action is something that the operator did.
type action struct {
	at     time.Time
	what   string
	failed bool
}

// kept is how many failures, and how many actions, are kept.
const kept = 200

// maxCause bounds the text of one cause.
const maxCause = 500

// events are the latest failures and the operator's latest actions.
type events struct {
	mu       sync.Mutex
	failures []Failure
	actions  []action
}

// Failed keeps a failure for the page.
func (s *Server) Failed(f Failure) {
	if runes := []rune(f.Cause); len(runes) > maxCause {
		f.Cause = string(runes[:maxCause]) + "…"
	}
	s.events.mu.Lock()
	defer s.events.mu.Unlock()
	s.events.failures = latest(s.events.failures, f)
}

// acted records an action of the operator, on the page and in the server's log.
func (s *Server) acted(what string, err error) {
	s.Log.Info("action of the operator", "action", what, "error", err)
	s.events.mu.Lock()
	defer s.events.mu.Unlock()
	s.events.actions = latest(s.events.actions, action{time.Now(), what, err != nil})
}

func latest[T any](all []T, one T) []T {
	if len(all) == kept {
		all = slices.Delete(all, 0, 1)
	}
	return append(all, one)
}

// recent returns the failures, the newest first.
func (e *events) recent() []Failure {
	e.mu.Lock()
	defer e.mu.Unlock()
	all := slices.Clone(e.failures)
	slices.Reverse(all)
	return all
}

func (s *Server) failuresJSON(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, "application/json", append([]Failure{}, s.events.recent()...))
}

// shown are the events as the page shows them.
func (s *Server) shown() templates.OperatorEvents {
	v := templates.OperatorEvents{Photos: s.history.today(), Refused: s.hits()}
	for _, f := range s.events.recent() {
		v.Failures = append(v.Failures, templates.OperatorFailure{
			At: stamp(f.Time), Request: f.Request, Route: f.Route, Status: f.Status, Code: f.Code, Cause: f.Cause,
		})
	}
	s.events.mu.Lock()
	defer s.events.mu.Unlock()
	for _, a := range slices.Backward(s.events.actions) {
		v.Actions = append(v.Actions, templates.OperatorAction{At: stamp(a.at), What: a.what, Failed: a.failed})
	}
	return v
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") }
