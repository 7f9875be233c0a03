// Package ownmodel describes models of the catalogue as an operator's own ones, for tests
// that give them other files than those published.
package ownmodel

import (
	"fmt"
	"strings"

	"bgremover.pro/core/model"
)

// Description is the text of the NAME.toml beside the model's file, for an input of size x
// size pixels.
func Description(entry model.Entry, size int) []byte {
	list := func(values []float32) string { return strings.Join(strings.Fields(fmt.Sprint(values)), ", ") }
	return fmt.Appendf(nil, "size = %d\nscale = %g\nmean = %s\nstd = %s\npost = %q\n", size, entry.Scale, list(entry.Mean), list(entry.Std), entry.Post)
}
