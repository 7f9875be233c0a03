package admin

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"bgremover.pro/core/cutout"
	"bgremover.pro/templates"
)

// workTimeout bounds an action on models, tryTimeout a test photo, which may have to
// start its backend.
const (
	workTimeout = time.Hour
	tryTimeout  = switchTimeout
	checkLines  = 200 // of a check's output are kept
)

var errBusy = errors.New("something else is in progress; wait until it is done, or stop it")

// start begins a long action, which continues if the operator disconnects, can be
// stopped, and ends with the server. The outcome is kept as a notice, and sent. do
// returns what to say once it is done.
func (s *Server) start(n *notices, what, text string, do func(ctx context.Context, number int) (string, error)) <-chan error {
	outcome := make(chan error, 1)
	ctx, stop := context.WithTimeout(s.living, workTimeout)
	number, ok := n.tryBegin(text, stop)
	if !ok {
		stop()
		outcome <- errBusy
		return outcome
	}
	started := s.spawn(func(context.Context) {
		defer stop()
		said, err := do(ctx, number)
		if err != nil {
			said = sentence(err)
			if ctx.Err() != nil {
				said = "Stopped."
			}
		}
		n.end(number, said, err != nil)
		s.acted(what, err)
		outcome <- err
	})
	if !started {
		stop()
		outcome <- errors.New("the server is shutting down")
	}
	return outcome
}

func (s *Server) models() templates.OperatorModels {
	if s.Sources.Workshop == nil {
		return templates.OperatorModels{}
	}
	return templates.OperatorModels{Notice: s.work.get(), Rows: s.Sources.Workshop.Models(), Unkept: s.unkept("model", "models")}
}

func (s *Server) modelsJSON(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, "application/json", append([]cutout.ModelStatus{}, s.models().Rows...))
}

// changeModels does what the path says with the model of the form's field "name". The
// page shows the progress; a script gets the outcome.
func (s *Server) changeModels(w http.ResponseWriter, r *http.Request) {
	values, err := form(w, r)
	action, name, shop := r.PathValue("action"), values.Get("name"), s.Sources.Workshop
	known := shop != nil && slices.ContainsFunc(shop.Models(), func(m cutout.ModelStatus) bool { return m.Name == name })
	if action == "dismiss" {
		s.work.dismiss()
		s.answer(w, r, "models", http.StatusOK, s.models(), func(*templates.Operator) {})
		return
	}
	status := http.StatusOK
	switch {
	case err == nil && !known && action != "refresh":
		err = errors.New("the form field name must name a model")
		fallthrough
	case err != nil:
		status = http.StatusBadRequest
	default:
		do := s.modelAction(action, name)
		if do == nil {
			http.NotFound(w, r)
			return
		}
		outcome := s.start(&s.work, action+" model "+name, working[action]+" "+name+".", do)
		if err = s.awaitWork(r, outcome); err != nil {
			status = http.StatusUnprocessableEntity
		}
	}
	s.conclude(w, r, "models", status, err, "Models not changed", s.models())
}

// working says what is in progress.
var working = map[string]string{"pull": "Installing", "remove": "Removing", "derive": "Deriving faster graphs from", "use": "Loading", "refresh": "Reading the data folder"}

// modelAction returns what an action does with a model; nil for an unknown one.
func (s *Server) modelAction(action, name string) func(context.Context, int) (string, error) {
	shop := s.Sources.Workshop
	return map[string]func(context.Context, int) (string, error){
		"pull": func(ctx context.Context, number int) (string, error) {
			return name + " is installed.", shop.Pull(ctx, name, func(what string, done, total int64) {
				s.work.change(number, func(n *templates.OperatorNotice) {
					n.Text, n.Done, n.Total = "Downloading "+what+".", done, total
				})
			})
		},
		"remove": func(ctx context.Context, _ int) (string, error) { return name + " is removed.", shop.Remove(ctx, name) },
		"derive": func(ctx context.Context, _ int) (string, error) {
			graphs, err := shop.Derive(ctx, name)
			return name + ": " + graphs + ".", err
		},
		"use": func(ctx context.Context, _ int) (string, error) {
			return name + " is the default until the next start; to keep it, set model = \"" + name + "\" in the settings file.", shop.Use(ctx, name)
		},
		"refresh": func(ctx context.Context, _ int) (string, error) {
			return "The server offers what the data folder holds.", shop.Refresh(ctx)
		},
	}[action]
}

// awaitWork returns the outcome to scripts; to the page, which shows the progress, only
// one that comes within a moment.
func (s *Server) awaitWork(r *http.Request, outcome <-chan error) error {
	if scripted(r) {
		select {
		case err := <-outcome:
			return err
		case <-r.Context().Done():
			return r.Context().Err()
		}
	}
	timer := time.NewTimer(300 * time.Millisecond)
	defer timer.Stop()
	select {
	case err := <-outcome:
		return err
	case <-timer.C:
		return nil
	}
}

// conclude answers an action: a script with nothing or the problem, the page with the
// part that shows it.
func (s *Server) conclude(w http.ResponseWriter, r *http.Request, anchor string, status int, err error, title string, part templates.OperatorView) {
	switch {
	case !scripted(r):
		s.answer(w, r, anchor, status, part, func(*templates.Operator) {})
	case err != nil:
		writeJSON(w, status, "application/problem+json", map[string]any{"title": title, "status": status, "detail": sentence(err)})
	default:
		writeJSON(w, status, "application/json", map[string]any{"status": "done"})
	}
}
