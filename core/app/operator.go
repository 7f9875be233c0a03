package app

import (
	"context"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"

	"bgremover.pro/core/admin"
	"bgremover.pro/core/backend"
	"bgremover.pro/core/config"
	"bgremover.pro/core/cutout"
	"bgremover.pro/core/pipeline"
)

// build says what runs.
func build() admin.Build {
	b := admin.Build{Version: Version, Go: runtime.Version()}
	info, _ := debug.ReadBuildInfo()
	if info == nil {
		return b
	}
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" {
			b.Revision = setting.Value
		}
	}
	return b
}

// offeredLine is the line as visitors may use it: only the backends that the
// operator offers, and every photo counted.
type offeredLine struct {
	*pipeline.Pipeline
	backends []string // empty: all
	metrics  *admin.Metrics
}

func (o offeredLine) Remove(ctx context.Context, job cutout.Job) (*cutout.Result, error) {
	if name := job.Options.Backend; name != "" && len(o.backends) > 0 && !slices.Contains(o.backends, name) {
		return nil, cutout.Errorf(cutout.Invalid, "backend is one of: %s", strings.Join(o.backends, ", "))
	}
	result, err := o.Pipeline.Remove(ctx, job)
	o.metrics.Photo(result, err)
	return result, err
}

// shownBackends is the manager as the operator sees it.
type shownBackends struct{ *backend.Manager }

func (b shownBackends) Snapshot() []admin.Backend {
	var all []admin.Backend
	for _, s := range b.Manager.Snapshot() {
		all = append(all, admin.Backend{
			Name: s.Name, State: string(s.State), Why: s.Why, Since: s.Since,
			Active: s.Active, Serving: s.Serving,
			Version: s.Version, Device: s.Device, Provider: s.Provider, Runtime: s.Runtime,
			Models: s.Models, Memory: s.Memory, PID: s.PID,
			Running: s.Running, Requests: s.Requests, Failures: s.Failures, Restarts: s.Restarts,
			LastError: s.LastError, Stderr: s.Stderr, NextTry: s.NextTry,
		})
	}
	return all
}

// shownConfig is the configuration as the operator sees and changes it.
type shownConfig struct{ live *config.Live }

func (c shownConfig) List() []admin.Setting {
	var all []admin.Setting
	for _, v := range c.live.Current().Values() {
		text := v.Text
		if v.Secret && v.IsSet {
			text = "(secret)"
		}
		all = append(all, admin.Setting{
			Key: v.Key, Value: text, Origin: v.Origin.String(), Help: v.Help, Accepts: v.Accepts,
			Live: v.Live, Locked: v.Locked,
		})
	}
	return all
}

func (c shownConfig) Apply(values map[string]string, persist bool) error {
	return c.live.Apply(values, persist).Err
}

func (c shownConfig) Reload() ([]string, error) {
	report := c.live.Reload("operator")
	return shownChanges(report), report.Err
}

func (c shownConfig) Last() admin.Reload {
	last := c.live.Last()
	if last == nil {
		return admin.Reload{}
	}
	return admin.Reload{Time: last.Time, Cause: last.Cause, Changes: shownChanges(*last), Err: last.Err}
}

func shownChanges(report config.Report) []string {
	var all []string
	for _, change := range report.Changes {
		line := change.Key + ": " + change.From + " → " + change.To
		if change.Restart {
			line += " (at the next start)"
		}
		all = append(all, line)
	}
	return all
}
