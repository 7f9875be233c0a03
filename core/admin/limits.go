package admin

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"bgremover.pro/core/ratelimit"
	"bgremover.pro/templates"
)

// editable are the settings that the page's form changes, besides the rates of API keys.
// A table has a row of two fields for each entry of a list.
var editable = []struct {
	key, label string
	table      []string // its columns; nil: one field
}{
	{"limits_device", "Per device", nil},
	{"limits_network", "Per network", nil},
	{"limits_model_loads", "Model loads", nil},
	{"limits_routes", "Per route", []string{"Route", "Rate of a device"}},
	{"limits_overrides", "Exceptions", []string{"Address, network or device:ID", "Rate, off or block"}},
}

// typedLimits reads the form: the fields whose text is not the one in force. With all,
// also those that were changed here before, which are to be saved.
func (s *Server) typedLimits(values url.Values, all bool) map[string]string {
	typed := map[string]string{}
	take := func(now Setting, text string) {
		if text = strings.TrimSpace(text); text != now.Value || all && now.Changed {
			typed[now.Key] = text
		}
	}
	for _, e := range editable {
		if who := values[e.key+"_who"]; len(who) > 0 {
			take(s.setting(e.key), joined(who, values[e.key+"_rate"]))
		} else if values.Has(e.key) {
			take(s.setting(e.key), values.Get(e.key))
		}
	}
	for _, key := range s.Sources.Settings.Keys() {
		if values.Has(key.Key) {
			take(key, values.Get(key.Key))
		}
	}
	return typed
}

// joined makes a list of a table's rows; a row without its first field is removed.
func joined(who, rates []string) string {
	var all []string
	for i, name := range who {
		if name = strings.TrimSpace(name); name != "" && i < len(rates) {
			all = append(all, name+"="+strings.TrimSpace(rates[i]))
		}
	}
	return strings.Join(all, ",")
}

// limits shows the form; typed holds rejected input.
func (s *Server) limits(message templates.OperatorMessage, typed map[string]string) templates.OperatorLimits {
	v := templates.OperatorLimits{Message: message, Hits: s.refused()}
	for _, e := range editable {
		field := templates.OperatorField{Label: e.label, Columns: e.table, OperatorSetting: s.setting(e.key)}
		if text, given := typed[e.key]; given {
			field.Value = text
		}
		if e.table != nil {
			for part := range strings.SplitSeq(field.Value, ",") {
				if who, rate, _ := strings.Cut(part, "="); who != "" {
					field.Rows = append(field.Rows, templates.OperatorPair{Who: who, Rate: rate})
				}
			}
			field.Rows = append(field.Rows, templates.OperatorPair{}) // for a new one
		}
		v.Fields = append(v.Fields, field)
	}
	for _, key := range s.Sources.Settings.Keys() {
		field := templates.OperatorField{Label: strings.TrimPrefix(key.Key, KeyPrefix), OperatorSetting: key}
		if text, given := typed[key.Key]; given {
			field.Value = text
		}
		v.Keys = append(v.Keys, field)
	}
	return v
}

// Limit is one of them, for scripts.
type Limit struct {
	Key     string `json:"key"`
	Value   string `json:"value"`
	Origin  string `json:"origin,omitempty"`
	Locked  bool   `json:"locked,omitempty"`  // by the environment or a flag
	Changed bool   `json:"changed,omitempty"` // until the next start
}

func (s *Server) limitsJSON(w http.ResponseWriter, _ *http.Request) {
	all := []Limit{}
	for _, e := range editable {
		now := s.setting(e.key)
		all = append(all, Limit{now.Key, now.Value, now.Origin, now.Locked, now.Changed})
	}
	for _, key := range s.Sources.Settings.Keys() {
		all = append(all, Limit{key.Key, key.Value, key.Origin, key.Locked, key.Changed})
	}
	writeJSON(w, http.StatusOK, "application/json", all)
}

// applyLimits sets the limits of the form that differ, and saves them in the file if the
// box "persist" was ticked.
func (s *Server) applyLimits(w http.ResponseWriter, r *http.Request) {
	values, err := form(w, r)
	persist := values.Get("persist") != ""
	typed := s.typedLimits(values, persist)
	if err == nil && len(typed) > 0 {
		err = s.Sources.Settings.Apply(typed, persist)
	}
	s.acted("change of limits: "+strings.Join(slices.Sorted(maps.Keys(typed)), ", "), err)
	message := done("Applied until the next start.")
	switch {
	case len(typed) == 0:
		message = done("Nothing has changed.")
	case persist:
		message = done("Applied and saved in the settings file.")
	}
	s.answerLimits(w, r, message, typed, persist, err)
}

// revertLimit undoes a change of one setting.
func (s *Server) revertLimit(w http.ResponseWriter, r *http.Request) {
	values, err := form(w, r)
	key := values.Get("key")
	if err == nil && !s.setting(key).Changed {
		err = errors.New("the form field key must name a setting that was changed here")
	}
	if err == nil {
		err = s.Sources.Settings.Revert(key)
	}
	s.acted("limit back to the settings file's value:  "+key, err)
	s.answerLimits(w, r, done(key+" is back to the settings file's value."), nil, false, err)
}

func (s *Server) answerLimits(w http.ResponseWriter, r *http.Request, message templates.OperatorMessage, typed map[string]string, persist bool, err error) {
	part, status := s.limits(message, nil), http.StatusOK
	if err != nil {
		part, status = s.limits(failed(err), typed), http.StatusUnprocessableEntity
	}
	if err != nil && scripted(r) {
		writeJSON(w, status, "application/problem+json", map[string]any{"title": "Limits not changed", "status": status, "detail": sentence(err)})
		return
	}
	part.Persist = persist
	s.answer(w, r, "limits", status, part, func(p *templates.Operator) { p.Limits = part })
}

// previewLimits says whom the form's limits would refuse now.
func (s *Server) previewLimits(w http.ResponseWriter, r *http.Request) {
	values, err := form(w, r)
	typed := s.typedLimits(values, false)
	var view templates.OperatorPreview
	var rules ratelimit.Rules
	if err == nil {
		rules, err = s.Sources.Settings.Preview(typed)
	}
	if err == nil {
		view, err = s.preview(r.Context(), &rules, values.Get("address"))
	}
	status := http.StatusOK
	if err != nil {
		view, status = templates.OperatorPreview{Message: failed(err)}, http.StatusUnprocessableEntity
	}
	view.Shown = true
	switch {
	case scripted(r) && err != nil:
		writeJSON(w, status, "application/problem+json", map[string]any{"title": "No preview", "status": status, "detail": sentence(err)})
	case scripted(r):
		writeJSON(w, status, "application/json", map[string]any{"senders": view.Senders, "refused": append([]string{}, view.Refused...),
			"already": view.Already, "admitted": append([]string{}, view.Admitted...), "address": view.Address})
	case r.Header.Get("HX-Request") == "true":
		s.render(w, status, view)
	default:
		page := s.whole()
		page.Limits = s.limits(templates.OperatorMessage{}, typed)
		page.Limits.Preview = view
		s.render(w, status, page)
	}
}

// previewed is how many recent senders a preview looks at.
const previewed = 1024

// preview compares rules with those in force: for the recent senders, and for an address.
// Which addresses have sent something is kept nowhere.
func (s *Server) preview(ctx context.Context, rules *ratelimit.Rules, address string) (v templates.OperatorPreview, err error) {
	l := s.Sources.Limiter
	if l == nil {
		return v, errors.New("there are no limits")
	}
	for _, u := range l.Busiest(previewed) {
		key := ratelimit.Key{Device: u.Device}
		if program, isKey := strings.CutPrefix(u.Device, KeyPrefix); isKey {
			key = ratelimit.Key{Program: program}
		}
		v.Senders++
		was, would := refuses(ctx, l, l.Rules(), key), refuses(ctx, l, rules, key)
		switch {
		case was && would:
			v.Already++
		case would:
			v.Refused = append(v.Refused, u.Device)
		case was:
			v.Admitted = append(v.Admitted, u.Device)
		}
	}
	if address = strings.TrimSpace(address); address == "" {
		return v, nil
	}
	addr, err := netip.ParseAddr(address)
	if err != nil {
		return v, fmt.Errorf("%q is not an address", address)
	}
	switch d := l.Under(ctx, rules, ratelimit.Key{Addr: addr}); {
	case d.Blocked:
		v.Address = address + " would be blocked."
	case !d.Allowed:
		v.Address = address + " would be refused."
	case len(d.Quotas) == 0:
		v.Address = address + " would have no limit."
	default:
		v.Address = fmt.Sprintf("%s would have %d of %d photos left.", address, d.Quotas[0].Remaining, d.Quotas[0].Limit)
	}
	return v, nil
}

// refuses reports whether a sender's next photo would be refused, on any route.
func refuses(ctx context.Context, l *ratelimit.Limiter, rules *ratelimit.Rules, key ratelimit.Key) bool {
	routes := []string{""}
	for _, r := range rules.Routes {
		routes = append(routes, r.Route)
	}
	return slices.ContainsFunc(routes, func(route string) bool {
		key.Route = route
		return !l.Under(ctx, rules, key).Allowed
	})
}
