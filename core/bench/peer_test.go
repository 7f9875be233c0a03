package bench

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Stand-ins for the peers' packages: each gives back what it gets, says
// something on standard output, and fails or ends where the photo says so.
var standIns = map[string]map[string]string{
	"imgly": {
		"node_modules/@imgly/background-removal-node/package.json": `{"type": "module", "exports": "./index.js"}`,
		"node_modules/@imgly/background-removal-node/index.js": `
export async function removeBackground(blob) {
  const text = await blob.text();
  console.log('working');
  if (text === 'fail') throw new Error('no such luck');
  if (text === 'die') { console.error('out of memory'); process.exit(3); }
  return new Blob([await blob.arrayBuffer()]);
}
`},
	"rembg": {
		"packages/rembg/__init__.py": `
import os, sys

def new_session(name, model_path):
    print("loading")
    home = os.path.abspath(os.environ["U2NET_HOME"])
    assert name == "dis_custom" and os.path.abspath(model_path).startswith(home + os.sep)
    return open(model_path).read()

def remove(photo, session, alpha_matting):
    os.write(1, b"working")
    if photo == b"fail":
        raise ValueError("no such luck")
    if photo == b"die":
        print("out of memory", file=sys.stderr)
        os._exit(3)
    if photo == b"what":
        return f"{session}, {alpha_matting}".encode()
    return photo
`},
}

func weights(t *testing.T) func() (string, error) {
	file := filepath.Join(t.TempDir(), "isnet.onnx")
	if err := os.WriteFile(file, []byte("the weights"), 0o600); err != nil {
		t.Fatal(err)
	}
	return func() (string, error) { return file, nil }
}

// installed is a folder for peers with one in place, a stand-in for its packages.
func installed(t *testing.T, name string) string {
	t.Helper()
	folder := t.TempDir()
	program, err := findProgram(name)
	if err != nil {
		t.Fatal(err)
	}
	runtime, err := program.find()
	if err != nil {
		t.Fatal(err)
	}
	peer := &Peer{program: program, folder: filepath.Join(folder, program.folder)}
	manifest, err := peer.place()
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{"installed": string(manifest) + runtime}
	for name, text := range standIns[program.folder] {
		files[name] = text
	}
	for name, text := range files {
		name = filepath.Join(peer.folder, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

func startPeer(ctx context.Context, t *testing.T, name string) *Peer {
	t.Helper()
	peer, err := InstallPeer(ctx, name, installed(t, name), weights(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := peer.Start(ctx); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(peer.Close)
	return peer
}

// eachPeer runs a test for every peer there is.
func eachPeer(t *testing.T, test func(t *testing.T, name string)) {
	for _, program := range programs {
		t.Run(program.name, func(t *testing.T) {
			t.Parallel()
			test(t, program.name)
		})
	}
}

func TestPeerAnswersOneAfterTheOther(t *testing.T) {
	eachPeer(t, func(t *testing.T, name string) {
		peer := startPeer(t.Context(), t, name)
		large := bytes.Repeat([]byte("0123456789abcdef"), 1<<17)
		for _, photo := range [][]byte{[]byte("first"), large, []byte("third")} {
			file, took, err := peer.Remove(t.Context(), photo)
			if err != nil || !bytes.Equal(file, photo) || took <= 0 {
				t.Fatalf("%d of %d bytes came back in %v: %v", len(file), len(photo), took, err)
			}
		}
		if _, _, err := peer.Remove(t.Context(), []byte("fail")); err == nil || !strings.Contains(err.Error(), "no such luck") {
			t.Errorf("got %v", err)
		}
		if _, _, err := peer.Remove(t.Context(), []byte("after")); err != nil {
			t.Errorf("after a failure: %v", err)
		}
	})
}

func TestPeerThatEnds(t *testing.T) {
	eachPeer(t, func(t *testing.T, name string) {
		peer := startPeer(t.Context(), t, name)
		if _, _, err := peer.Remove(t.Context(), []byte("die")); err == nil || !strings.Contains(err.Error(), "out of memory") {
			t.Errorf("got %v", err)
		}
		if _, _, err := peer.Remove(t.Context(), []byte("again")); err == nil {
			t.Error("a peer that has ended answered")
		}
	})
}

func TestPeerEndsWithTheContext(t *testing.T) {
	eachPeer(t, func(t *testing.T, name string) {
		ctx, cancel := context.WithCancel(t.Context())
		peer := startPeer(ctx, t, name)
		cancel()
		if _, _, err := peer.Remove(ctx, []byte("late")); err == nil {
			t.Error("a peer whose context has ended answered")
		}
	})
}

// Only one of them asks for alpha matting, and both run the installed model.
func TestRembgRunsTheInstalledModel(t *testing.T) {
	for name, want := range map[string]string{"rembg": "the weights, False", "rembg-matting": "the weights, True"} {
		answer, _, err := startPeer(t.Context(), t, name).Remove(t.Context(), []byte("what"))
		if err != nil || string(answer) != want {
			t.Errorf("%s: %q, %v, want %q", name, answer, err, want)
		}
	}
}
