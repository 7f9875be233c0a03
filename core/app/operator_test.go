package app

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bgremover.pro/core/admin"
	"bgremover.pro/core/config"
)

// The rates of API keys are settings of their own to the operator, who never sees the
// keys; a reload is reported in words.
func TestConfigurationAsShown(t *testing.T) {
	file := filepath.Join(t.TempDir(), "bgremover.toml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("api_keys = \"shop:" + strings.Repeat("ab", 32) + "=10/1h\"\n")
	live, err := config.Open(config.Sources{File: file})
	if err != nil {
		t.Fatal(err)
	}
	shown := shownConfig{live}
	if keys := shown.Keys(); len(keys) != 1 || keys[0] != (admin.Setting{Key: "key:shop", Value: "10/1h"}) {
		t.Errorf("%+v", keys)
	}
	if rules, err := shown.Preview(map[string]string{"key:shop": "5/1h", "limits_device": "7/1h"}); err != nil || rules.Keys[0].Rate.Count != 5 || rules.Device.Count != 7 ||
		live.Current().Limits.Keys[0].Rate.Count != 10 {
		t.Errorf("%+v, %v", rules, err)
	}
	if err := shown.Apply(map[string]string{"key:shop": "5/1h"}, true); err != nil || live.Current().Limits.Keys[0].Rate.Count != 5 {
		t.Error(err)
	}
	if text, err := os.ReadFile(file); err != nil || !strings.Contains(string(text), "abab=5/1h") {
		t.Errorf("%q, %v", text, err)
	}
	if err := shown.Apply(map[string]string{"key:stranger": "5/1h"}, false); err == nil {
		t.Error("an unknown key has a rate")
	}
	write("limits_device = \"7/1h\"\nthreads = 3\n")
	changes, err := shown.Reload()
	if err != nil {
		t.Fatal(err)
	}
	said := strings.Join(changes, "\n")
	for _, want := range []string{"limits_device is now 7/1h; it was 60/1h (photos that a device may send).", "threads will be 3 after a restart; until then it keeps its value", "api_keys is now not set; it was (secret)"} {
		if !strings.Contains(said, want) {
			t.Errorf("it does not say %q:\n%s", want, said)
		}
	}
	for _, s := range shown.List() {
		if (s.Waits != "") != (s.Key == "threads") || strings.Contains(s.Value, "abab") {
			t.Errorf("%+v", s)
		}
	}
}
