// Package container_test checks the container files, including those for
// Kubernetes.
package container_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestImagesAreExact: every image that is not built here has an exact version
// or a digest.
func TestImagesAreExact(t *testing.T) {
	image := regexp.MustCompile(`(?m)^\s*(?:FROM|image:)\s+(?:&image )?([a-z][^\s]*)`)
	exact := regexp.MustCompile(`:\d+\.\d+\.\d+(-[a-z0-9]+)?$|@sha256:[0-9a-f]{64}$|:\d\d\.\d\d-py3$|^scratch$|^bgremover:\d`)
	for _, file := range []string{"Containerfile", "compose.yaml", "../kubernetes/bgremover.yaml", "../kubernetes/inference.yaml"} {
		found := image.FindAllStringSubmatch(read(t, file), -1)
		if len(found) == 0 {
			t.Errorf("%s names no image", file)
		}
		for _, m := range found {
			if !exact.MatchString(m[1]) {
				t.Errorf("%s: %s is no exact version", file, m[1])
			}
		}
	}
	goVersion := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindStringSubmatch(read(t, "../../go.mod"))[1]
	if !strings.Contains(read(t, "Containerfile"), "FROM golang:"+goVersion+".") {
		t.Errorf("the Containerfile builds with another Go than %s", goVersion)
	}
}

// TestSecretsAreMadeAndNotWritten: no file contains a secret; the setups with
// Redis create one before the server starts.
func TestSecretsAreMadeAndNotWritten(t *testing.T) {
	compose, cluster := read(t, "compose.yaml"), read(t, "../kubernetes/bgremover.yaml")
	for name, want := range map[string][]string{
		compose: {`command: ["config", "secret", "/data/device-secret"]`, "BGREMOVER_DEVICE_SECRET_FILE: /data/device-secret", "secret: { condition: service_completed_successfully }"},
		cluster: {`--from-literal=device_secret="$(openssl rand -hex 32)"`, "BGREMOVER_DEVICE_SECRET_FILE: /secrets/device_secret", "BGREMOVER_ADMIN_TOKEN_FILE: /secrets/admin_token", "secret: { secretName: bgremover"},
	} {
		for _, line := range want {
			if !strings.Contains(name, line) {
				t.Errorf("missing: %s", line)
			}
		}
		if constant := regexp.MustCompile(`(SECRET|TOKEN|PASSWORD): *\S|kind: Secret`).FindString(name); constant != "" {
			t.Errorf("a constant: %s", constant)
		}
	}
}

// TestRootFileSystem: it contains what a program needs, and no shell.
func TestRootFileSystem(t *testing.T) {
	root := filepath.Join(t.TempDir(), "root")
	if out, err := exec.Command("./rootfs", root, "/bin/sh").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, pattern := range []string{"lib*/*/libc.so.6", "lib*/ld-linux*", "etc/ssl/certs/ca-certificates.crt", "etc/passwd"} {
		if found, _ := filepath.Glob(filepath.Join(root, pattern)); len(found) == 0 {
			if found, _ = filepath.Glob(filepath.Join(root, "usr", pattern)); len(found) == 0 {
				t.Errorf("there is no %s", pattern)
			}
		}
	}
	if shells, _ := filepath.Glob(filepath.Join(root, "*bin/*")); len(shells) > 0 {
		t.Errorf("programs: %v", shells)
	}
	if info, err := os.Stat(filepath.Join(root, "tmp")); err != nil || info.Mode().Perm() != 0o777 || info.Mode()&os.ModeSticky == 0 {
		t.Errorf("/tmp: %v, %v", info.Mode(), err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
