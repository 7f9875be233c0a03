package config

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// TestSecretFile: of many concurrent callers one makes the secret, all get it, and
// only its owner may read the file.
func TestSecretFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "secret")
	var mu sync.Mutex
	made, secrets := 0, map[string]bool{}
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			secret, fresh, err := SecretFile(path)
			mu.Lock()
			defer mu.Unlock()
			if secrets[secret] = true; err != nil || len(secret) < 43 {
				t.Errorf("%q, %v", secret, err)
			}
			if fresh {
				made++
			}
		})
	}
	all.Wait()
	if made != 1 || len(secrets) != 1 {
		t.Errorf("%d times made, %d secrets", made, len(secrets))
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode = %v, %v", info.Mode(), err)
	}
	if left, _ := os.ReadDir(filepath.Dir(path)); len(left) != 1 {
		t.Errorf("left beside it: %v", left)
	}
	other, _, err := SecretFile(filepath.Join(t.TempDir(), "secret"))
	if err != nil || secrets[other] {
		t.Error("two files hold the same secret")
	}
}

func TestSecretFilesThatAreNone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secret")
	for content, mode := range map[string]os.FileMode{strings.Repeat("x", 43): 0o644, "short": 0o600, "": 0o600} {
		if err := os.WriteFile(path, []byte(content), mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if secret, _, err := SecretFile(path); err == nil || !strings.Contains(err.Error(), "remove it") {
			t.Errorf("%q with mode %v: %q, %v", content, mode, secret, err)
		}
	}
}

// TestRedisNeedsASecret: without one, addresses could be found in the names.
func TestRedisNeedsASecret(t *testing.T) {
	const url = "BGREMOVER_REDIS_URL=redis://127.0.0.1:6379/0"
	_, err := Load(Sources{Environ: []string{url}})
	if err == nil || !strings.Contains(err.Error(), "device_secret") || !strings.Contains(err.Error(), "run bgremover config secret FILE") {
		t.Errorf("without a secret: %v", err)
	}
	if _, err := Load(Sources{Environ: []string{url, "BGREMOVER_DEVICE_SECRET=" + strings.Repeat("x", 31)}}); err == nil {
		t.Error("a secret of 31 characters was taken")
	}
	path := filepath.Join(t.TempDir(), "secret")
	secret, _, err := SecretFile(path)
	if err != nil {
		t.Fatal(err)
	}
	c, err := Load(Sources{Environ: []string{url, "BGREMOVER_DEVICE_SECRET_FILE=" + path}})
	if err != nil || c.Server.DeviceSecret != secret {
		t.Errorf("from a file: %v", err)
	}
}
