package bench

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bgremover.pro/core/cutout"
)

func TestPeerNeedsNode(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := InstallPeer(t.Context(), t.TempDir())
	if cutout.CodeOf(err) != cutout.Invalid || !strings.Contains(cutout.MessageOf(err), "needs node") {
		t.Errorf("got %v", err)
	}
}

// echo stands for the peer's package: it gives back what it gets, says
// something on standard output, and fails or ends where the photo says so.
const echo = `
export async function removeBackground(blob) {
  const text = await blob.text();
  console.log('working');
  if (text === 'fail') throw new Error('no such luck');
  if (text === 'die') { console.error('out of memory'); process.exit(3); }
  return new Blob([await blob.arrayBuffer()]);
}
`

// installed is a folder with the package in place, as npm leaves it.
func installed(t *testing.T) string {
	folder := t.TempDir()
	place := filepath.Join(folder, "node_modules", "@imgly", "background-removal-node")
	if err := os.MkdirAll(place, 0o750); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		filepath.Join(folder, "package.json"):                       string(peerPackage),
		filepath.Join(folder, "node_modules", ".package-lock.json"): "{}",
		filepath.Join(place, "package.json"):                        `{"type": "module", "exports": "./index.js"}`,
		filepath.Join(place, "index.js"):                            echo,
	} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

func startPeer(ctx context.Context, t *testing.T) *Peer {
	t.Helper()
	peer, err := InstallPeer(ctx, installed(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := peer.Start(ctx); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(peer.Close)
	return peer
}

func TestPeerAnswersOneAfterTheOther(t *testing.T) {
	peer := startPeer(t.Context(), t)
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
}

func TestPeerThatEnds(t *testing.T) {
	peer := startPeer(t.Context(), t)
	if _, _, err := peer.Remove(t.Context(), []byte("die")); err == nil || !strings.Contains(err.Error(), "out of memory") {
		t.Errorf("got %v", err)
	}
	if _, _, err := peer.Remove(t.Context(), []byte("again")); err == nil {
		t.Error("a peer that has ended answered")
	}
}

func TestPeerEndsWithTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	peer := startPeer(ctx, t)
	cancel()
	if _, _, err := peer.Remove(ctx, []byte("late")); err == nil {
		t.Error("a peer whose context has ended answered")
	}
}
