package browsertest

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// photo writes a JPEG of a size into the test's folder.
func photo(t testing.TB, name string, width, height int) string {
	t.Helper()
	made.Lock()
	defer made.Unlock()
	size := image.Pt(width, height)
	if made.files[size] == nil {
		made.files[size] = grainy(t, width, height)
	}
	return write(t, name, made.files[size])
}

// made are the photos so far.
var made = struct {
	sync.Mutex
	files map[image.Point][]byte
}{files: map[image.Point][]byte{}}

// grainy is a soft gradient with some grain, so that it is about as large as a photo.
func grainy(t testing.TB, width, height int) []byte {
	t.Helper()
	picture := image.NewRGBA(image.Rect(0, 0, width, height))
	grain := rand.New(rand.NewPCG(1, 2))
	for y := range height {
		for x := range width {
			noise := uint8(grain.IntN(24))
			picture.SetRGBA(x, y, color.RGBA{uint8(200*x/width) + noise, uint8(200*y/height) + noise, 120 + noise, 255})
		}
	}
	var file bytes.Buffer
	if err := jpeg.Encode(&file, picture, &jpeg.Options{Quality: 85}); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

func write(t testing.TB, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func photos(t testing.TB, count, width, height int) []string {
	var all []string
	for i := range count {
		all = append(all, photo(t, fmt.Sprintf("photo-%d.jpg", i+1), width, height))
	}
	return all
}
