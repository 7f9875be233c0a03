package admin

import (
	"errors"
	"net/http"
	"strconv"

	"bgremover.pro/templates"
)

// unkept is the choice of a backend or model that ends with the next start; its Line is
// empty where it would be the same then.
func (s *Server) unkept(key, panel string) templates.OperatorUnkept {
	now := s.setting(key)
	if !now.Changed {
		return templates.OperatorUnkept{}
	}
	return templates.OperatorUnkept{Key: key, Panel: panel, Line: key + " = " + strconv.Quote(now.Value)}
}

// keep saves such a choice in the settings file.
func (s *Server) keep(w http.ResponseWriter, r *http.Request) {
	values, err := form(w, r)
	now, status := s.setting(values.Get("key")), http.StatusOK
	panel, n, part := "backends", &s.notices, func() templates.OperatorView { return s.backends() }
	if now.Key == "model" {
		panel, n, part = "models", &s.work, func() templates.OperatorView { return s.models() }
	}
	number, free := n.tryBegin("Saving "+now.Key+".", nil)
	switch {
	case err != nil:
	case !free:
		err = errBusy
	case !now.Changed:
		err = errors.New("the form field key must name a setting that was changed here")
	default:
		err = s.Sources.Settings.Apply(map[string]string{now.Key: now.Value}, true)
	}
	said := now.Key + " is saved in the settings file."
	if err != nil {
		said, status = sentence(err), http.StatusUnprocessableEntity
	}
	if free {
		n.end(number, said, err != nil)
	}
	s.acted("saving "+now.Key+" in the settings file", err)
	s.conclude(w, r, panel, status, err, "Not saved", part())
}
