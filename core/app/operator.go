package app

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"

	"bgremover.pro/core/admin"
	"bgremover.pro/core/config"
	"bgremover.pro/core/cutout"
	"bgremover.pro/core/pipeline"
	"bgremover.pro/core/ratelimit"
)

// build identifies the running program.
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

// operatorAccess says who may use the operator's listener. If the settings name no
// token, the first start generates one and logs it once; our own commands read it
// from its file.
func operatorAccess(c *config.Config, log *slog.Logger) (admin.Access, error) {
	o := c.Operator
	access := admin.Access{Token: o.Token, Cert: o.TLSCert, Key: o.TLSKey, ClientCA: o.ClientCA,
		OpenMetrics: o.Metrics == "open" || o.Metrics == "auto" && o.Token == "" && config.Loopback(o.Listen)}
	file := c.MadeToken()
	if file == "" {
		return access, nil
	}
	token, made, err := config.SecretFile(file)
	switch {
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		token = rand.Text()
		log.Warn("nobody can open the operator's page: its generated token cannot be saved; set admin_token, or make data_dir writable", "error", err)
	case err != nil:
		return access, fmt.Errorf("the operator's token cannot be used: %w", err)
	case made:
		log.Info("generated the operator's token; it is logged only this once and stays in its file", "token", token, "file", file)
	}
	access.Token = token
	return access, nil
}

// offeredLine is the pipeline as visitors may use it: only the backends that the
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

// mayLoad keeps visitors from making the server load and unload models all the
// time by naming different ones: a model that is not in memory is charged to the
// device and its network, programs with a key included.
func (a *App) mayLoad(ctx context.Context, who ratelimit.Key, o cutout.Options) error {
	if o.Model == "" && o.Backend == "" || a.line.Backends.Loaded(o.Backend, o.Model) {
		return nil
	}
	d := a.loads.Charge(ctx, ratelimit.Key{Device: who.Device, Addr: who.Addr}, 1)
	if d.Allowed {
		return nil
	}
	return &cutout.Error{Code: cutout.RateLimited, RetryAfter: d.RetryAfter,
		Message: "You have requested too many models that are not loaded. Leave out model and backend, or try again later."}
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
