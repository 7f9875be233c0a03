package admin_test

import (
	"strings"
	"testing"

	"bgremover.pro/core/admin"
)

// The page says what needs doing, and only that.
func TestNeedsDoing(t *testing.T) {
	for name, c := range map[string]struct {
		environ []string
		says    []string
		not     []string
	}{
		"public": {[]string{"BGREMOVER_LISTEN=:8080"},
			[]string{"contact_email", "cross the network unencrypted"}, []string{"The fallback"}},
		"named address": {[]string{"BGREMOVER_LISTEN=192.0.2.1:8080"}, []string{"cross the network unencrypted"}, nil},
		"local":         {[]string{"BGREMOVER_LISTEN=127.0.0.1:8080", "BGREMOVER_CONTACT_EMAIL=me@example.org"}, nil, []string{"Needs doing"}},
		"behind a proxy": {[]string{"BGREMOVER_LISTEN=:8080", "BGREMOVER_TRUSTED_PROXIES=10.0.0.0/8", "BGREMOVER_CONTACT_EMAIL=me@example.org"},
			nil, []string{"Needs doing"}},
	} {
		t.Run(name, func(t *testing.T) {
			page := start(t, admin.Access{}, c.environ...).ask("GET", "/part/status", nil).body
			for _, text := range c.says {
				if !strings.Contains(page, text) {
					t.Errorf("it does not say %q", text)
				}
			}
			for _, text := range c.not {
				if strings.Contains(page, text) {
					t.Errorf("it says %q", text)
				}
			}
		})
	}
	o := start(t, admin.Access{})
	o.backends.mu.Lock()
	o.backends.fallback = true
	o.backends.mu.Unlock()
	if page := o.ask("GET", "/part/status", nil).body; !strings.Contains(page, "The fallback onnx-cpu serves, in place of onnx-cuda: no CUDA device is there.") {
		t.Error("nothing about the fallback:", page)
	}
}
