package admin

import (
	"context"
	"errors"
	"net/http"

	"bgremover.pro/core/cutout"
	"bgremover.pro/templates"
)

// trials shows the form for test photos, with the outcome of one.
func (s *Server) trials(trial *templates.OperatorTrial) templates.OperatorTry {
	if s.Sources.Workshop == nil {
		return templates.OperatorTry{}
	}
	v := templates.OperatorTry{On: true, Trial: trial, Check: templates.OperatorCheck(s.checks.get())}
	if trial != nil {
		v.Backend, v.Model = trial.Backend, trial.Model
	}
	for _, b := range s.Sources.Backends.Snapshot() {
		v.Backends = append(v.Backends, b.Name)
	}
	for _, m := range s.Sources.Workshop.Models() {
		if m.Installed && !m.Runtime {
			v.Models = append(v.Models, m.Name)
		}
	}
	return v
}

// try cuts out the test photo on the form's backend and with its model; empty fields
// mean those that serve. The picture is a part of the answer: no address leads to it.
func (s *Server) try(w http.ResponseWriter, r *http.Request) {
	values, err := form(w, r)
	trial := templates.OperatorTrial{}
	backend, model := values.Get("backend"), values.Get("model")
	if err == nil && s.Sources.Workshop == nil {
		err = errors.New("nothing can be tried here")
	}
	if err == nil {
		ctx, cancel := context.WithTimeout(r.Context(), tryTimeout)
		defer cancel()
		trial.Trial, err = s.Sources.Workshop.Try(ctx, backend, model)
		s.acted("test photo on "+orDefault(backend)+" with "+orDefault(model), err)
	}
	status := http.StatusOK
	if err != nil {
		status = http.StatusServiceUnavailable
		if cutout.CodeOf(err) == cutout.Invalid {
			status = http.StatusBadRequest
		}
		trial.Message = failed(err)
		trial.Backend, trial.Model = backend, model
	}
	switch {
	case r.Header.Get("HX-Request") == "true":
		s.render(w, status, trial)
	case !scripted(r):
		page := s.whole()
		page.Try = s.trials(&trial)
		s.render(w, status, page)
	case err != nil:
		writeJSON(w, status, "application/problem+json", map[string]any{"title": "The test photo failed", "status": status, "detail": sentence(err)})
	default:
		writeJSON(w, status, "application/json", trial.Trial)
	}
}

func orDefault(name string) string {
	if name == "" {
		return "the default"
	}
	return name
}

// checkBackend runs the conformance suite on a second process of the form's backend;
// the page shows its output as it comes.
func (s *Server) checkBackend(w http.ResponseWriter, r *http.Request) {
	values, err := form(w, r)
	name, status := values.Get("backend"), http.StatusOK
	switch {
	case err == nil && (name == "" || s.Sources.Workshop == nil):
		err = errors.New("the form field backend must name a backend")
		fallthrough
	case err != nil:
		status = http.StatusBadRequest
	default:
		outcome := s.start(&s.checks, "check of backend "+name, "Checking "+name+" with a second process.", func(ctx context.Context, number int) (string, error) {
			return name + " implements the backend contract.", s.Sources.Workshop.Check(ctx, name, func(line string) {
				s.checks.change(number, func(n *templates.OperatorNotice) {
					if len(n.Lines) < checkLines {
						n.Lines = append(n.Lines, line)
					}
				})
			})
		})
		if err = s.awaitWork(r, outcome); err != nil {
			status = http.StatusUnprocessableEntity
		}
	}
	s.conclude(w, r, "try", status, err, "The check failed", templates.OperatorCheck(s.checks.get()))
}

func (s *Server) dismissCheck(w http.ResponseWriter, r *http.Request) {
	s.checks.dismiss()
	s.answer(w, r, "try", http.StatusOK, templates.OperatorCheck(s.checks.get()), func(*templates.Operator) {})
}
