package templates

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
)

// newMark makes a word that stands for a picture in the rendered text. It is
// random, so it cannot occur in anything that a visitor sent.
func newMark() string { return "picture-" + rand.Text() }

// placeholder is the template function "picture": the address to put into src
// or href, which splice replaces with the data: URI.
func placeholder(mark string) func() template.URL {
	return func() template.URL { return template.URL(mark) } //nolint:gosec // our own random word, not input
}

// pictures lists the results of a view in the order in which they are shown.
func pictures(view View) []*ResultCard {
	switch v := view.(type) {
	case ResultCard:
		return []*ResultCard{&v}
	case Card:
		if v.Result != nil {
			return []*ResultCard{v.Result, v.Result} // shown, and linked to
		}
	}
	return nil
}

// splice writes text with each mark replaced by the next picture's data: URI.
func splice(w io.Writer, text []byte, mark string, cards []*ResultCard) error {
	for _, card := range cards {
		before, after, found := bytes.Cut(text, []byte(mark))
		if !found {
			return fmt.Errorf("templates: the page has no placeholder for a picture")
		}
		if _, err := w.Write(before); err != nil {
			return err
		}
		if err := writeDataURI(w, card); err != nil {
			return err
		}
		text = after
	}
	_, err := w.Write(text)
	return err
}

// writeDataURI encodes in pieces, of which only the last may need padding.
func writeDataURI(w io.Writer, card *ResultCard) error {
	const piece = 48 << 10 // a multiple of 3
	if _, err := fmt.Fprintf(w, "data:%s;base64,", card.MediaType); err != nil {
		return err
	}
	encoded := make([]byte, 0, base64.StdEncoding.EncodedLen(piece))
	for rest := card.Picture; len(rest) > 0; {
		n := min(piece, len(rest))
		encoded = base64.StdEncoding.AppendEncode(encoded[:0], rest[:n])
		if _, err := w.Write(encoded); err != nil {
			return err
		}
		rest = rest[n:]
	}
	return nil
}
