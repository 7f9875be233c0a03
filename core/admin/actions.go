package admin

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"bgremover.pro/core/cutout"
	"bgremover.pro/templates"
)

// scripted reports whether a request comes from a program, which does not want HTML.
func scripted(r *http.Request) bool {
	return !strings.Contains(r.Header.Get("Accept"), "text/html") && r.Header.Get("HX-Request") == ""
}

// form reads a small form itself: net/http would mix in the URL's query.
func form(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 64<<10))
	if err != nil {
		return nil, err
	}
	return url.ParseQuery(string(body))
}

// answer responds to an action: to htmx with a part of the page, else with a
// redirect to the page or, after an error, with the page and the error.
func (s *Server) answer(w http.ResponseWriter, r *http.Request, anchor string, status int, part templates.OperatorView, whole func(*templates.Operator)) {
	switch {
	case r.Header.Get("HX-Request") == "true":
		s.render(w, status, part)
	case status == http.StatusOK:
		http.Redirect(w, r, "/#"+anchor, http.StatusSeeOther)
	default:
		page := s.whole()
		whole(&page)
		s.render(w, status, page)
	}
}

func done(text string) templates.OperatorMessage { return templates.OperatorMessage{Text: text} }

func failed(err error) templates.OperatorMessage {
	return templates.OperatorMessage{Text: sentence(err), Failed: true}
}

// sentence returns an error's text with its cause, which the operator may know.
func sentence(err error) string {
	var coded *cutout.Error
	switch {
	case !errors.As(err, &coded):
		return err.Error()
	case coded.Err != nil:
		return coded.Message + " (" + coded.Err.Error() + ")"
	}
	return coded.Message
}

// cause is why something fails, without the sentence that is for visitors.
func cause(err error) string {
	var coded *cutout.Error
	if errors.As(err, &coded) && coded.Err != nil {
		return coded.Err.Error()
	}
	return sentence(err)
}

func (s *Server) backendsJSON(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, "application/json", s.Sources.Backends.Snapshot())
}

func writeJSON(w http.ResponseWriter, status int, mediaType string, v any) {
	w.Header().Set("Content-Type", mediaType)
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // to a client that may have left
}

// switchBackend makes the backend of the form's field "name" the active one, and
// responds when it is; to htmx after a moment, since the page shows the progress. A
// script, which does not ask for HTML, gets JSON: the list of backends, or the error as
// problem+json.
func (s *Server) switchBackend(w http.ResponseWriter, r *http.Request) {
	values, err := form(w, r)
	status, name := http.StatusOK, values.Get("name")
	switch {
	case err != nil:
		status = http.StatusBadRequest
	case name == "":
		status, err = http.StatusBadRequest, errors.New("the form field name must name a backend")
	default:
		if err = s.awaitSwitch(r, s.startSwitch(name)); err != nil {
			status = http.StatusServiceUnavailable
			if cutout.CodeOf(err) == cutout.Invalid {
				status = http.StatusBadRequest
			}
		}
	}
	if !scripted(r) {
		s.answer(w, r, "backends", status, s.backends(), func(*templates.Operator) {})
		return
	}
	if err != nil {
		detail := sentence(err)
		if status == http.StatusServiceUnavailable {
			detail = s.whySwitchFailed(name, err)
		}
		writeJSON(w, status, "application/problem+json", map[string]any{"title": "Backend switch failed", "status": status, "detail": detail})
		return
	}
	s.backendsJSON(w, r)
}

// awaitSwitch returns the outcome; nil to htmx if it takes longer than a moment.
func (s *Server) awaitSwitch(r *http.Request, outcome <-chan error) error {
	var moment <-chan time.Time
	if r.Header.Get("HX-Request") == "true" {
		timer := time.NewTimer(time.Second)
		defer timer.Stop()
		moment = timer.C
	}
	select {
	case err := <-outcome:
		return err
	case <-moment:
		return nil
	}
}

// changeDevice clears, blocks or unblocks the device of the form's field.
func (s *Server) changeDevice(w http.ResponseWriter, r *http.Request) {
	values, err := form(w, r)
	device := values.Get("device")
	if err == nil && (device == "" || len(device) > 64 || s.Sources.Limiter == nil) {
		err = errors.New("the form field device must name a device")
	}
	message := templates.OperatorMessage{}
	if err == nil {
		switch r.PathValue("action") {
		case "clear":
			s.Sources.Limiter.Clear(r.Context(), device)
			message = done("The count of " + device + " is cleared.")
		case "block":
			if !s.Sources.Limiter.Block(device) {
				err = errors.New("too many devices are blocked already; unblock one first")
			}
			message = done(device + " is blocked.")
		case "unblock":
			s.Sources.Limiter.Unblock(device)
			message = done(device + " is unblocked.")
		default:
			http.NotFound(w, r)
			return
		}
	}
	s.acted(r.PathValue("action")+" device "+device, err)
	status := http.StatusOK
	if err != nil {
		message, status = failed(err), http.StatusBadRequest
	}
	if scripted(r) {
		s.conclude(w, r, "devices", status, err, "Device not changed", nil)
		return
	}
	s.answer(w, r, "devices", status, s.devices(message), func(p *templates.Operator) { p.Devices.Message = message })
}

// reload reads the configuration again.
func (s *Server) reload(w http.ResponseWriter, r *http.Request) {
	changes, err := s.Sources.Settings.Reload()
	s.acted("reload of the configuration", err)
	message, status := done("Reloaded; nothing has changed."), http.StatusOK
	if len(changes) > 0 {
		message = done("Reloaded.")
	}
	if err != nil {
		message, status = failed(err), http.StatusUnprocessableEntity
	}
	switch {
	case !scripted(r):
		s.answer(w, r, "config", status, s.config(message), func(p *templates.Operator) { p.Config.Message = message })
	case err != nil:
		s.conclude(w, r, "config", status, err, "Configuration not reloaded", nil)
	default:
		writeJSON(w, status, "application/json", append([]string{}, changes...))
	}
}

// purge purges the caches in front of the server.
func (s *Server) purge(w http.ResponseWriter, r *http.Request) {
	err := errors.New("no cache to purge is configured")
	var purged []string
	if s.Sources.Purge != nil {
		purged, err = s.Sources.Purge(r.Context())
	}
	s.acted("purge of the edge caches", err)
	message, status := done("Purged: "+strings.Join(purged, ", ")+"."), http.StatusOK
	if err != nil {
		message, status = failed(err), http.StatusBadGateway
	}
	s.answer(w, r, "config", status, s.config(message), func(p *templates.Operator) { p.Config.Message = message })
}
