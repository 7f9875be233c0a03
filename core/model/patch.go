package model

import (
	"bytes"
	"errors"
)

// Piece is one step of a patch, which makes one file from another: bytes of the
// base, then new ones.
type Piece struct {
	From   int    `json:"from"`
	Length int    `json:"length"`
	Then   []byte `json:"then,omitempty"`
}

const (
	// Two files that differ count as alike again after this many equal bytes.
	alike = 16
	// mostChanged bounds a change, in bytes of both files together.
	mostChanged = 512
)

var errUnlike = errors.New("the files differ too much for a patch")

// patchOf returns what makes target from base. The graphs of a model's sizes hold
// the same weights and differ in a few hundred bytes, so that a browser need not
// fetch the weights for each.
func patchOf(base, target []byte) ([]Piece, error) {
	var pieces []Piece
	for at := 0; ; {
		same := common(base[at:], target)
		piece := Piece{From: at, Length: same}
		at, target = at+same, target[same:]
		if len(target) == 0 {
			return append(pieces, piece), nil
		}
		old, fresh, ok := change(base[at:], target)
		if !ok {
			return nil, errUnlike
		}
		piece.Then = target[:fresh]
		at, target = at+old, target[fresh:]
		pieces = append(pieces, piece)
	}
}

// common is the number of leading bytes that two files share.
func common(a, b []byte) int {
	const block = 4096
	n := 0
	for len(a) >= n+block && len(b) >= n+block && bytes.Equal(a[n:n+block], b[n:n+block]) {
		n += block
	}
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

// change finds the shortest change after which two files go on alike: so many
// bytes of the first give way to so many of the second.
func change(a, b []byte) (old, fresh int, ok bool) {
	for both := 1; both <= mostChanged; both++ {
		for old := range both + 1 {
			fresh := both - old
			if len(a) >= old+alike && len(b) >= fresh+alike && bytes.Equal(a[old:old+alike], b[fresh:fresh+alike]) {
				return old, fresh, true
			}
		}
	}
	return 0, 0, false
}
