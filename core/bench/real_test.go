//go:build peers

package bench

import (
	"os"
	"path/filepath"
	"testing"

	"bgremover.pro/core/cutout"
)

// The real peers, fetched from their registries (1 GB on disk), find an
// astronaut. BGREMOVER_ISNET is the file of the installed model.
func TestRealPeers(t *testing.T) {
	isnet := os.Getenv("BGREMOVER_ISNET")
	if isnet == "" {
		t.Skip("BGREMOVER_ISNET is not set")
	}
	photo, err := os.ReadFile(filepath.Join("..", "app", "testdata", "photos", "astronaut.jpg"))
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	for _, program := range programs {
		peer, err := InstallPeer(t.Context(), program.name, folder, func() (string, error) { return isnet, nil })
		if err != nil {
			t.Fatal(cutout.MessageOf(err), err)
		}
		if err := peer.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		file, took, err := peer.Remove(t.Context(), photo)
		peer.Close()
		if err != nil {
			t.Errorf("%s: %v", program.name, err)
			continue
		}
		cut, err := readPixels(file)
		if err != nil || cut.empty() || !cut.transparent {
			t.Errorf("%s: %v, %+v", program.name, err, cut)
			continue
		}
		kept := 0
		for _, alpha := range cut.matte() {
			if alpha > 127 {
				kept++
			}
		}
		share := float64(kept) / float64(cut.width*cut.height)
		t.Logf("%s kept %.2f of the photo in %v", program.title, share, took)
		if share < .2 || share > .8 {
			t.Errorf("%s kept %.2f of the photo", program.name, share)
		}
	}
}
