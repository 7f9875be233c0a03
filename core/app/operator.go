package app

import (
	"cmp"
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
			Key: v.Key, Value: text, Origin: v.Origin.String(), Help: v.Help, Accepts: v.Accepts, Group: v.Group,
			Live: v.Live, Locked: v.Locked, Changed: v.Origin.Kind == config.Operation, Waits: v.Waits,
		})
	}
	return all
}

func (c shownConfig) Keys() []admin.Setting {
	var all []admin.Setting
	now := c.live.Current()
	i := slices.IndexFunc(now.Values(), func(v config.Value) bool { return v.Key == "api_keys" })
	for _, key := range now.Limits.Keys {
		all = append(all, admin.Setting{Key: admin.KeyPrefix + key.Name, Value: config.FormatRate(key.Rate), Locked: now.Values()[i].Locked})
	}
	return all
}

func (c shownConfig) Apply(values map[string]string, persist bool) error {
	values, err := c.withKeys(values)
	if err != nil {
		return err
	}
	return c.live.Apply(values, persist).Err
}

func (c shownConfig) Preview(values map[string]string) (ratelimit.Rules, error) {
	values, err := c.withKeys(values)
	if err != nil {
		return ratelimit.Rules{}, err
	}
	preview, err := c.live.Preview(values)
	if err != nil {
		return ratelimit.Rules{}, err
	}
	return preview.Limits.Rules, nil
}

func (c shownConfig) Revert(key string) error { return c.live.Revert(key).Err }

// withKeys puts the rates of API keys into the one setting that holds them.
func (c shownConfig) withKeys(values map[string]string) (map[string]string, error) {
	rates, rest := map[string]string{}, map[string]string{}
	for key, text := range values {
		if name, ofKey := strings.CutPrefix(key, admin.KeyPrefix); ofKey {
			rates[name] = text
		} else {
			rest[key] = text
		}
	}
	if len(rates) == 0 {
		return rest, nil
	}
	keys, err := c.live.Current().WithKeyRates(rates)
	rest["api_keys"] = keys
	return rest, err
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

// shownChanges puts what a reload has changed into words.
func shownChanges(report config.Report) []string {
	var all []string
	for _, change := range report.Changes {
		is, was := cmp.Or(change.To, "not set"), cmp.Or(change.From, "not set")
		line := fmt.Sprintf("%s is now %s; it was %s", change.Key, is, was)
		if change.Restart {
			line = fmt.Sprintf("%s will be %s after a restart; until then it keeps its value", change.Key, is)
		}
		help, _, _ := strings.Cut(change.Help, ";")
		all = append(all, line+" ("+help+").")
	}
	return all
}
