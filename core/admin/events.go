package admin

import (
	"encoding/json"
	"net/http"
	"slices"
	"sync"
	"time"

	"bgremover.pro/core/accesslog"
	"bgremover.pro/templates"
)

// Failure and Action are what the page shows of them.
type (
	Failure = templates.OperatorFailure
	Action  = templates.OperatorAction
)

// kept is how many failures, and how many actions, are kept.
const kept = 200

// maxCause bounds the text of one cause, maxAction that of one action.
const maxCause, maxAction = 500, 200

// events are the latest failures and the operator's latest actions.
type events struct {
	mu       sync.Mutex
	failures []Failure
	actions  []Action
}

// Failed keeps a request that failed through the server's fault, for the page.
func (s *Server) Failed(r accesslog.Request) {
	f := Failure{Time: r.Time, Request: r.ID, Route: r.Route, Status: r.Status, Code: string(r.Code), Cause: shortened(cause(r.Err), maxCause)}
	s.events.mu.Lock()
	defer s.events.mu.Unlock()
	s.events.failures = latest(s.events.failures, f)
}

// acted records an action of the operator: on the page, in the audit trail and in the
// server's log. It holds names and keys, but no values, which may be addresses.
func (s *Server) acted(what string, err error) {
	s.Log.Info("action of the operator", "action", what, "error", err)
	a := Action{Time: time.Now().UTC(), What: shortened(what, maxAction), Failed: err != nil}
	if s.Audit != nil {
		if line, err := json.Marshal(a); err == nil {
			s.Audit(append(line, '\n'))
		}
	}
	s.events.mu.Lock()
	defer s.events.mu.Unlock()
	s.events.actions = latest(s.events.actions, a)
}

func shortened(text string, most int) string {
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return text
}

func latest[T any](all []T, one T) []T {
	if len(all) == kept {
		all = slices.Delete(all, 0, 1)
	}
	return append(all, one)
}

// recent returns the failures, the newest first.
func (e *events) recent() []Failure { return newestFirst(e, &e.failures) }

func (s *Server) failuresJSON(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, "application/json", append([]Failure{}, s.events.recent()...))
}

// done returns the operator's actions, the newest first.
func (e *events) done() []Action { return newestFirst(e, &e.actions) }

// newestFirst copies one of the lists of e.
func newestFirst[T any](e *events, list *[]T) []T {
	e.mu.Lock()
	defer e.mu.Unlock()
	all := slices.Clone(*list)
	slices.Reverse(all)
	return all
}

func (s *Server) actionsJSON(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, "application/json", append([]Action{}, s.events.done()...))
}

// shown are the events as the page shows them.
func (s *Server) shown() templates.OperatorEvents {
	return templates.OperatorEvents{Photos: s.history.today(), Refused: s.refused(), Failures: s.events.recent(), Actions: s.events.done()}
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") }
