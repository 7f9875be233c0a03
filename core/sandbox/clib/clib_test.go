package clib

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"strings"
	"testing"
)

func TestFilesAreThoseOfTheReadme(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{"heif/heif": heif, "avif/avif": avif, "webp/webp": webp} {
		sum := sha256.Sum256(content)
		row := "| `" + name + ".wasm.gz` |"
		if _, rest, found := strings.Cut(string(readme), row); !found || !strings.Contains(strings.SplitN(rest, "\n", 2)[0], hex.EncodeToString(sum[:])) {
			t.Errorf("%s: sha256 %x is not the one in README.md", name, sum)
		}
	}
}
