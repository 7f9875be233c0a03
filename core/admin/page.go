package admin

import (
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	dto "github.com/prometheus/client_model/go"

	"bgremover.pro/templates"
)

func (s *Server) page(w http.ResponseWriter, r *http.Request) {
	page := s.whole()
	page.Charts = s.charts(r.URL.Query().Get("span"))
	s.render(w, http.StatusOK, page)
}

func (s *Server) whole() templates.Operator {
	return templates.Operator{
		Status: s.status(), Charts: s.charts(""), Events: s.shown(), Backends: s.backends(), Models: s.models(), Try: s.trials(nil),
		Limits: s.limits(templates.OperatorMessage{}, nil), Devices: s.devices(templates.OperatorMessage{}),
		Log: s.accessLog(), Config: s.config(templates.OperatorMessage{}),
	}
}

// part renders a part of the page that refreshes itself.
func (s *Server) part(w http.ResponseWriter, r *http.Request) {
	var view templates.OperatorView
	switch r.PathValue("name") {
	case "status":
		view = s.status()
	case "charts":
		view = s.charts(r.URL.Query().Get("span"))
	case "backends":
		view = s.backends()
	case "models":
		view = s.models()
	case "check":
		view = templates.OperatorCheck(s.checks.get())
	case "events":
		view = s.shown()
	case "devices":
		view = s.devices(templates.OperatorMessage{})
	case "log":
		view = s.accessLog()
	default:
		http.NotFound(w, r)
		return
	}
	s.render(w, http.StatusOK, view)
}

func (s *Server) render(w http.ResponseWriter, status int, view templates.OperatorView) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	body := &strings.Builder{}
	if err := s.templates.Render(body, view); err != nil {
		s.Log.Error("rendering the operator's page failed", "error", err)
		http.Error(w, "The page could not be rendered; see the server log.", http.StatusInternalServerError)
		return
	}
	w.WriteHeader(status)
	_, _ = w.Write([]byte(body.String()))
}

func (s *Server) status() templates.OperatorStatus {
	q := s.Sources.Queue()
	v := templates.OperatorStatus{
		Version: s.Build.Version, Revision: s.Build.Revision, Go: s.Build.Go, Up: time.Since(s.started).Round(time.Second),
		Site: s.setting("site_name").Value, Address: s.setting("public_url").Value,
		Working: q.Working, Workers: q.Workers, Waiting: q.Waiting, Waiters: q.Capacity,
	}
	if err := s.Sources.Ready(); err != nil {
		v.NotReady = cause(err)
	}
	for _, b := range s.Sources.Backends.Snapshot() {
		if b.Serving {
			v.Backend, v.Device, v.Model = b.Name, b.Device, strings.Join(b.Models, ", ")
		}
	}
	if s.Sources.Limiter != nil {
		v.Degraded, _ = s.Sources.Limiter.Degraded()
	}
	v.Todo = s.todo()
	return v
}

// statusJSON is what the first part of the page shows, for scripts and for bgremover
// status.
func (s *Server) statusJSON(w http.ResponseWriter, _ *http.Request) {
	v := s.status()
	writeJSON(w, http.StatusOK, "application/json", map[string]any{
		"ready": v.NotReady == "", "why": v.NotReady, "version": v.Version, "up_seconds": int(v.Up.Seconds()),
		"backend": v.Backend, "device": v.Device, "models": v.Model, "working": v.Working, "workers": v.Workers,
		"waiting": v.Waiting, "queue": v.Waiters, "needs_doing": append([]string{}, v.Todo...),
		"photos_today": counts(s.history.today()), "refused": counts(s.hits()), "errors": len(s.events.recent()),
		"figures": s.figures(),
	})
}

// figures are the latest values of the charts' curves, by chart and curve; what was not
// measured is left out.
func (s *Server) figures() map[string]map[string]float64 {
	all := map[string]map[string]float64{}
	p, ok := s.history.latest()
	if !ok {
		return all
	}
	for _, plot := range plots {
		all[plot.title] = map[string]float64{}
		for _, each := range plot.curves {
			if v := each.value(p); !math.IsNaN(v) {
				all[plot.title][each.name] = v
			}
		}
	}
	return all
}

func counts(hits []templates.OperatorHit) map[string]int64 {
	all := map[string]int64{}
	for _, h := range hits {
		all[h.Name] = h.Count
	}
	return all
}

// charts shows the span of a name, else the shortest.
func (s *Server) charts(name string) templates.OperatorCharts {
	number := max(0, slices.IndexFunc(spans, func(s span) bool { return s.name == name }))
	shown := spans[number]
	v := templates.OperatorCharts{Span: shown.name, Title: shown.title, Charts: canvas{shown, s.history.of(number), time.Now()}.charts()}
	for _, each := range spans {
		v.Spans = append(v.Spans, each.name)
	}
	return v
}

func (s *Server) backends() templates.OperatorBackends {
	return templates.OperatorBackends{Notice: s.notices.get(), Choice: s.setting("backend").Value, Rows: s.Sources.Backends.Snapshot(), Unkept: s.unkept("backend", "backends")}
}

func (s *Server) setting(key string) Setting {
	all := s.Sources.Settings.List()
	if i := slices.IndexFunc(all, func(o Setting) bool { return o.Key == key }); i >= 0 {
		return all[i]
	}
	return Setting{Key: key}
}

// hits reads the refusals from the metrics.
func (s *Server) hits() (all []templates.OperatorHit) {
	families, err := s.Metrics.registry.Gather()
	if err != nil {
		return nil
	}
	i := slices.IndexFunc(families, func(f *dto.MetricFamily) bool { return f.GetName() == "bgremover_limit_hits_total" })
	if i < 0 {
		return nil
	}
	for _, m := range families[i].GetMetric() {
		all = append(all, templates.OperatorHit{Name: label(m, "limit"), Count: int64(m.GetCounter().GetValue())})
	}
	return all
}

// refused are the limits that have refused something, in words.
func (s *Server) refused() (all []templates.OperatorHit) {
	words := map[string]string{"device": "a device’s limit", "network": "a network’s limit", "ceiling": "the limit of a group of networks", "key": "an API key’s limit", "blocked": "a block", "loads": "the limit of model loads"}
	for _, h := range s.hits() {
		if h.Count > 0 {
			all = append(all, templates.OperatorHit{Name: words[h.Name], Count: h.Count})
		}
	}
	return all
}

func (s *Server) devices(message templates.OperatorMessage) templates.OperatorDevices {
	v := templates.OperatorDevices{Message: message}
	if s.Sources.Limiter == nil {
		return v
	}
	for _, u := range s.Sources.Limiter.Busiest(20) {
		row := templates.OperatorDevice{ID: u.Device, Allowed: u.Allowed, Refused: u.Refused, Blocked: u.Blocked,
			Program: strings.HasPrefix(u.Device, "key:")}
		if !u.Last.IsZero() {
			row.Last = max(time.Second, time.Since(u.Last).Round(time.Second))
		}
		v.Rows = append(v.Rows, row)
	}
	return v
}

func (s *Server) devicesJSON(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, "application/json", append([]templates.OperatorDevice{}, s.devices(templates.OperatorMessage{}).Rows...))
}

func (s *Server) accessLog() templates.OperatorLog {
	if s.Sources.AccessLog == nil {
		return templates.OperatorLog{}
	}
	return templates.OperatorLog{On: true, LogStatus: s.Sources.AccessLog.Status()}
}

func (s *Server) config(message templates.OperatorMessage) templates.OperatorConfig {
	v := templates.OperatorConfig{Message: message, Caches: s.Sources.Purge != nil}
	for _, o := range s.Sources.Settings.List() {
		if n := len(v.Groups); n == 0 || v.Groups[n-1].Name != o.Group {
			v.Groups = append(v.Groups, templates.OperatorGroup{Name: o.Group})
		}
		group := &v.Groups[len(v.Groups)-1]
		group.Settings = append(group.Settings, o)
		if o.Origin == "default" {
			v.Defaults++
		}
		if o.Waits != "" {
			v.Waiting++
		}
	}
	last := s.Sources.Settings.Last()
	if last.Time.IsZero() {
		return v
	}
	when := last.Time.UTC().Format("2006-01-02 15:04:05 UTC")
	if v.Last, v.Changes = "Changed on "+when+" by "+last.Cause+":", last.Changes; last.Err != nil {
		v.Failed, v.Last = true, "Failed on "+when+" ("+last.Cause+"), keeping the previous configuration: "+last.Err.Error()
	}
	return v
}
