package config

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t *testing.T, sources Sources) *Live {
	t.Helper()
	l, err := Open(sources)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestReloadSwapsWholeOrNotAtAll(t *testing.T) {
	path := write(t, "limits_device = \"10/1h\"\n")
	l := open(t, Sources{File: path})
	if r := l.Reload("test"); r.Err != nil || len(r.Changes) != 0 || l.Last() != nil {
		t.Errorf("nothing had changed, but: %+v", r)
	}
	before := l.Current()

	overwrite(t, path, "limits_device = \"20/1h\"\nlimits_network = \"nonsense\"\n")
	if r := l.Reload("test"); r.Err == nil || l.Current() != before || l.Last().Err == nil {
		t.Errorf("a bad file changed something: %+v", r)
	}

	overwrite(t, path, "limits_device = \"20/1h\"\nlisten = \":8081\"\nadmin_token = \"0123456789abcdef\"\n")
	r := l.Reload("test")
	want := []Change{{"listen", ":8080", ":8081", "addresses of the public listener", true},
		{"admin_token", "", "(secret)", "token for the operator's listener; empty: one is generated in the file admin-token of data_dir", true},
		{"limits_device", "10/1h", "20/1h", "photos that a device may send", false}}
	if r.Err != nil || len(r.Changes) != len(want) {
		t.Fatalf("report = %+v", r)
	}
	for i, c := range r.Changes {
		if c != want[i] {
			t.Errorf("change = %+v, want %+v", c, want[i])
		}
	}
	if l.Current().Limits.Device.Count != 20 {
		t.Error("the new value is not in force")
	}
}

func TestApplyUntilTheNextStart(t *testing.T) {
	path := write(t, "limits_device = \"10/1h\"\n")
	l := open(t, Sources{File: path})
	if r := l.Apply(map[string]string{"limits_device": "30/1h"}, false); r.Err != nil {
		t.Fatal(r.Err)
	}
	overwrite(t, path, "limits_device = \"40/1h\"\nqueue = 9\n")
	l.Reload("test")
	if c := l.Current(); c.Limits.Device.Count != 30 || c.Inference.Queue != 9 {
		t.Errorf("device = %v, queue = %d", c.Limits.Device, c.Inference.Queue)
	}
	if r := l.Apply(map[string]string{"limits_device": "0/1h"}, false); r.Err == nil || l.Current().Limits.Device.Count != 30 {
		t.Errorf("a bad value was applied: %+v", r)
	}
	if again := open(t, Sources{File: path}); again.Current().Limits.Device.Count != 40 {
		t.Error("the value outlived the start")
	}
}

func TestApplyPersists(t *testing.T) {
	path := write(t, "# my limits\nlimits_device = \"10/1h\" # per hour\ntrusted_proxies = [\n  \"10.0.0.1\",\n]\n\n[backends.mine]\ncommand = \"x\"\nmodels = [\"isnet\"]\n")
	l := open(t, Sources{File: path})
	r := l.Apply(map[string]string{"limits_device": "30/1h", "trusted_proxies": "10.0.0.2", "model": "other"}, true)
	if r.Err != nil {
		t.Fatal(r.Err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want := "# my limits\nlimits_device = \"30/1h\"\ntrusted_proxies = \"10.0.0.2\"\n\nmodel = \"other\"\n[backends.mine]\ncommand = \"x\"\nmodels = [\"isnet\"]\n"
	if string(content) != want {
		t.Errorf("file:\n%s\nwant:\n%s", content, want)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode = %v, %v", info.Mode(), err)
	}
	if again := open(t, Sources{File: path}).Current(); again.Limits.Device.Count != 30 || again.Inference.Model != "other" {
		t.Error("the file does not hold what was applied")
	}
	if again := l.Current(); !slices.Equal(again.Backends[0].Models, []string{"isnet"}) {
		t.Error("a table was changed")
	}
}

func TestApplyRespectsTheEnvironment(t *testing.T) {
	l := open(t, Sources{File: write(t, ""), Environ: []string{"BGREMOVER_LIMITS_DEVICE=5/1h"}})
	r := l.Apply(map[string]string{"limits_device": "30/1h"}, true)
	if r.Err == nil || !strings.Contains(r.Err.Error(), "BGREMOVER_LIMITS_DEVICE") || l.Current().Limits.Device.Count != 5 {
		t.Errorf("report = %+v", r)
	}
	if r := l.Apply(map[string]string{"limits_device": "5/1h", "limits_network": "50/1h"}, false); r.Err != nil {
		t.Errorf("the same value is no change: %v", r.Err)
	}
}

func TestApplyToAFileThatCannotBeWritten(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "absent")
	l := open(t, Sources{File: write(t, "")})
	l.sources.File, l.sources.Environ = "", []string{"BGREMOVER_CONFIG=" + filepath.Join(folder, "x.toml")}
	if r := l.Apply(map[string]string{"queue": "3"}, true); r.Err == nil || l.Current().Inference.Queue != 32 {
		t.Errorf("report = %+v", r)
	}
}

// TestReadersNeverSeeHalfAChange reloads while others read: two settings that
// always change together are never seen apart.
func TestReadersNeverSeeHalfAChange(t *testing.T) {
	path := write(t, "queue = 1\nmax_photos = 1\n")
	l := open(t, Sources{File: path})
	stop := make(chan struct{})
	var readers sync.WaitGroup
	for range 3 {
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					if c := l.Current(); c.Inference.Queue != c.Inference.MaxPhotos {
						t.Errorf("queue = %d, max_photos = %d", c.Inference.Queue, c.Inference.MaxPhotos)
						return
					}
				}
			}
		})
	}
	for i := range 60 {
		overwrite(t, path, fmt.Sprintf("queue = %d\nmax_photos = %d\n", i+1, i+1))
		if i%3 == 0 {
			overwrite(t, path, "queue = 7\nmax_photos = 0\n")
		}
		l.Reload("test")
	}
	close(stop)
	readers.Wait()
	if got := l.Current().Inference.Queue; got != 60 {
		t.Errorf("queue = %d at the end", got)
	}
}

// TestWhatWaitsForTheStart: a setting that needs a restart keeps its value, each
// change is reported once, and the next start applies it.
func TestWhatWaitsForTheStart(t *testing.T) {
	const secret = "0123456789abcdef0123456789abcdef"
	path := write(t, "access_log = \"file\"\nlimits_device = \"10/1h\"\n")
	l := open(t, Sources{File: path})
	overwrite(t, path, "access_log = \"off\"\nlimits_device = \"20/1h\"\ndevice_secret = \""+secret+"\"\n")
	report := l.Reload("test")
	waits := map[string]bool{}
	for _, c := range report.Changes {
		waits[c.Key] = c.Restart
	}
	if report.Err != nil || len(waits) != 3 || !waits["access_log"] || !waits["device_secret"] || waits["limits_device"] {
		t.Errorf("report: %+v", report)
	}
	if c := l.Current(); c.Log.Access != "file" || c.Server.DeviceSecret != "" || c.Limits.Device.Count != 20 {
		t.Errorf("in force: %q, %q, %v", c.Log.Access, c.Server.DeviceSecret, c.Limits.Device)
	}
	if again := l.Reload("test"); len(again.Changes) > 0 {
		t.Errorf("reported again: %+v", again.Changes)
	}
	if c := open(t, Sources{File: path}).Current(); c.Log.Access != "off" || c.Server.DeviceSecret != secret {
		t.Errorf("at the next start: %q, %q", c.Log.Access, c.Server.DeviceSecret)
	}
}

// TestWaitsForARestart: a setting that needs a restart says which value is in force, for
// as long as it differs.
func TestWaitsForARestart(t *testing.T) {
	file := filepath.Join(t.TempDir(), "bgremover.toml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("threads = 2\n")
	l, err := Open(Sources{File: file})
	if err != nil {
		t.Fatal(err)
	}
	value := func(key string) (found Value) {
		for _, v := range l.Current().Values() {
			if v.Key == key {
				found = v
			}
		}
		return found
	}
	for _, step := range []struct{ text, shown, waits string }{
		{"threads = 3\nqueue = 7\n", "3", "2"}, {"threads = 4\n", "4", "2"}, {"threads = 2\n", "2", ""}, {"", "0", "2"},
	} {
		write(step.text)
		if r := l.Reload("test"); r.Err != nil {
			t.Fatal(r.Err)
		}
		if v := value("threads"); v.Text != step.shown || v.Waits != step.waits || v.Group != "Photos and models" {
			t.Errorf("%q: %+v", step.text, v)
		}
		if v := value("queue"); v.Waits != "" {
			t.Errorf("a setting that a reload applies waits: %+v", v)
		}
	}
}

// TestPreviewAndRevert: a preview changes nothing, and what was set until the next start
// can be undone.
func TestPreviewAndRevert(t *testing.T) {
	file := filepath.Join(t.TempDir(), "bgremover.toml")
	entry := "shop:" + strings.Repeat("ab", 32) + "=10/1h"
	if err := os.WriteFile(file, []byte("limits_device = \"60/1h\"\napi_keys = \""+entry+"\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := Open(Sources{File: file})
	if err != nil {
		t.Fatal(err)
	}
	c, err := l.Preview(map[string]string{"limits_device": "5/1h"})
	if err != nil || c.Limits.Device.Count != 5 || l.Current().Limits.Device.Count != 60 || l.Last() != nil {
		t.Errorf("%v, %v", c.Limits, err)
	}
	if _, err := l.Preview(map[string]string{"limits_device": "many"}); err == nil {
		t.Error("a mistake passes")
	}
	keys, err := l.Current().WithKeyRates(map[string]string{"shop": "5/1m"})
	if err != nil || keys != strings.Replace(entry, "10/1h", "5/1m", 1) {
		t.Errorf("%q, %v", keys, err)
	}
	for name, rate := range map[string]string{"shop": "many", "stranger": "1/1h"} {
		if _, err := l.Current().WithKeyRates(map[string]string{name: rate}); err == nil || strings.Contains(err.Error(), "abab") {
			t.Errorf("%s=%s: %v", name, rate, err)
		}
	}
	if r := l.Apply(map[string]string{"limits_device": "7/1h", "api_keys": keys}, false); r.Err != nil || l.Current().Limits.Keys[0].Rate.Count != 5 {
		t.Error(r.Err)
	}
	if r := l.Revert("limits_device"); r.Err != nil || l.Current().Limits.Device.Count != 60 || l.Current().Limits.Keys[0].Rate.Count != 5 {
		t.Errorf("%+v, %+v", r, l.Current().Limits)
	}
	if r := l.Revert("limits_device"); r.Err != nil || len(r.Changes) != 0 {
		t.Errorf("a second time: %+v", r)
	}
}

// TestChangedBackIsNotChanged: a setting that is put back to what it is without the
// operator's page has that origin again, not one that ends with the next start.
func TestChangedBackIsNotChanged(t *testing.T) {
	file := filepath.Join(t.TempDir(), "bgremover.toml")
	if err := os.WriteFile(file, []byte("limits_device = \"60/1h\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := Open(Sources{File: file})
	if err != nil {
		t.Fatal(err)
	}
	changed := func() string {
		var all []string
		for _, v := range l.Current().Values() {
			if v.Origin.Kind == Operation {
				all = append(all, v.Key)
			}
		}
		return strings.Join(all, " ")
	}
	for _, step := range []struct {
		values map[string]string
		want   string
	}{
		{map[string]string{"backend": "onnx-cpu", "limits_device": "5/1h"}, "backend limits_device"},
		{map[string]string{"limits_device": "60/60m"}, "backend"},
		{map[string]string{"backend": "auto"}, ""},
	} {
		if r := l.Apply(step.values, false); r.Err != nil || changed() != step.want {
			t.Errorf("%v: %v, changed: %q", step.values, r.Err, changed())
		}
	}
}
