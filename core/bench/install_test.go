package bench

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bgremover.pro/core/cutout"
)

func TestNoSuchPeer(t *testing.T) {
	_, err := InstallPeer(t.Context(), "nobody", t.TempDir(), weights(t))
	if cutout.CodeOf(err) != cutout.Invalid || !strings.Contains(cutout.MessageOf(err), "imgly, rembg, rembg-matting") {
		t.Errorf("got %v", err)
	}
}

func TestPeersNeedTheirPrograms(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	for name, want := range map[string]string{"imgly": "needs node", "rembg": "needs python3"} {
		_, err := InstallPeer(t.Context(), name, t.TempDir(), weights(t))
		if cutout.CodeOf(err) != cutout.Invalid || !strings.Contains(cutout.MessageOf(err), want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestModelThatIsNotInstalled(t *testing.T) {
	missing := cutout.Errorf(cutout.BackendUnavailable, "Not installed.")
	_, err := InstallPeer(t.Context(), "rembg", t.TempDir(), func() (string, error) { return "", missing })
	if !errors.Is(err, missing) {
		t.Errorf("got %v", err)
	}
}

// nowhere answers no request at once.
const nowhere = "http://127.0.0.1:1"

func TestInstallationThatFails(t *testing.T) {
	offline(t, t.TempDir())
	for name, want := range map[string]string{
		"imgly": "ECONNREFUSED",
		"rembg": "rembg==2.0.86",
	} {
		folder := t.TempDir()
		for range 2 { // what failed is tried again
			_, err := InstallPeer(t.Context(), name, folder, weights(t))
			if cutout.CodeOf(err) != cutout.Internal || !strings.Contains(cutout.MessageOf(err), want) {
				t.Errorf("%s: %s (%v)", name, cutout.MessageOf(err), err)
			}
		}
	}
}

func TestInstallationThatIsCanceled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := InstallPeer(ctx, "rembg", t.TempDir(), weights(t)); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// pip installs small wheels of the listed versions, once.
func TestInstallingRembg(t *testing.T) {
	wheels := t.TempDir()
	offline(t, wheels)
	manifest, err := peerFiles.ReadFile("peers/rembg/requirements.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(manifest)) {
		if name, version, ok := strings.Cut(strings.TrimSpace(line), "=="); ok {
			writeWheel(t, wheels, name, version)
		}
	}
	folder := t.TempDir()
	install := func() error {
		_, err := InstallPeer(t.Context(), "rembg", folder, weights(t))
		return err
	}
	if err := install(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"rembg-2.0.86.dist-info", "onnxruntime", "skimage_stub"} {
		_, err := os.Stat(filepath.Join(folder, "rembg", "packages", name))
		if found := err == nil; found != (name != "skimage_stub") {
			t.Errorf("%s: %v", name, err)
		}
	}
	offline(t, t.TempDir())
	if err := install(); err != nil {
		t.Errorf("it is there, and was installed again: %v", err)
	}
	if err := os.WriteFile(filepath.Join(folder, "rembg", "installed"), []byte("other versions"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := install(); cutout.CodeOf(err) != cutout.Internal {
		t.Errorf("other versions were left in place: %v", err)
	}
}

// offline has package clients find only the wheels of a folder.
func offline(t *testing.T, wheels string) {
	for name, value := range map[string]string{
		"npm_config_registry": nowhere, "npm_config_fetch_retries": "0", "npm_config_cache": t.TempDir(),
		"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": wheels,
	} {
		t.Setenv(name, value)
	}
}

// writeWheel writes a package with a requirement that cannot be met.
func writeWheel(t *testing.T, folder, name, version string) {
	name = strings.ReplaceAll(name, "-", "_")
	file, err := os.Create(filepath.Join(folder, fmt.Sprintf("%s-%s-py3-none-any.whl", name, version)))
	if err != nil {
		t.Fatal(err)
	}
	archive := zip.NewWriter(file)
	info := fmt.Sprintf("%s-%s.dist-info/", name, version)
	for _, entry := range [][2]string{
		{name + "/__init__.py", ""},
		{info + "METADATA", fmt.Sprintf("Metadata-Version: 2.1\nName: %s\nVersion: %s\nRequires-Dist: skimage_stub\n", name, version)},
		{info + "WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"},
		{info + "RECORD", ""},
	} {
		w, err := archive.Create(entry[0])
		if err == nil {
			_, err = w.Write([]byte(entry[1]))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(archive.Close(), file.Close()); err != nil {
		t.Fatal(err)
	}
}
