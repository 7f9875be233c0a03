package model

import (
	"bytes"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// patched does what browsers do.
func patched(base []byte, pieces []Piece) []byte {
	var out []byte
	for _, p := range pieces {
		out = append(append(out, base[p.From:p.From+p.Length]...), p.Then...)
	}
	return out
}

// A patch makes exactly the other file, of whatever the two hold.
func TestPatchMakesTheFile(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		base := rapid.SliceOfN(rapid.Byte(), 0, 400).Draw(t, "base")
		target := slices.Clone(base)
		for range rapid.IntRange(0, 5).Draw(t, "changes") {
			at := rapid.IntRange(0, len(target)).Draw(t, "at")
			end := min(len(target), at+rapid.IntRange(0, 40).Draw(t, "removed"))
			target = slices.Replace(target, at, end, rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(t, "added")...)
		}
		pieces, err := patchOf(base, target)
		if err == nil && !bytes.Equal(patched(base, pieces), target) {
			t.Fatalf("%v makes %v", pieces, patched(base, pieces))
		}
	})
}

// Weights are not sent again for a few bytes that differ among them.
func TestPatchIsSmall(t *testing.T) {
	base := make([]byte, 1<<20)
	for i := range base {
		base[i] = byte(i * i >> 7)
	}
	target := slices.Replace(slices.Clone(base), 5000, 5004, 1, 2, 3, 4, 5, 6)
	target = slices.Replace(target, 900_000, 900_030)
	pieces, err := patchOf(base, target)
	if err != nil {
		t.Fatal(err)
	}
	fresh := 0
	for _, p := range pieces {
		fresh += len(p.Then)
	}
	if !bytes.Equal(patched(base, pieces), target) || fresh > 64 || len(pieces) > 8 {
		t.Errorf("%d pieces with %d new bytes", len(pieces), fresh)
	}
	if _, err := patchOf(base, bytes.Repeat([]byte("unlike"), 1000)); err == nil {
		t.Error("a patch of files that have nothing in common")
	}
}
