// Command pack compresses files for the folder static: next to each file it writes FILE.br
// and FILE.gz, at the best level, so that a server need not take seconds over a large one.
// A file whose copies are up to date is left alone.
package main

import (
	"bytes"
	"fmt"
	"io"
	"os"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"
)

func main() {
	for _, name := range os.Args[1:] {
		if err := pack(name); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

func pack(name string) error {
	content, err := os.ReadFile(name) //nolint:gosec // the caller's own file
	if err != nil || packed(name, content) {
		return err
	}
	var br, gz bytes.Buffer
	zipper, err := gzip.NewWriterLevel(&gz, gzip.BestCompression)
	if err != nil {
		return err
	}
	for _, w := range []io.WriteCloser{brotli.NewWriterLevel(&br, brotli.BestCompression), zipper} {
		if _, err := w.Write(content); err != nil {
			return err
		}
		if err := w.Close(); err != nil {
			return err
		}
	}
	fmt.Printf("%s: %d bytes, %d with gzip, %d with brotli\n", name, len(content), gz.Len(), br.Len())
	// The gzip copy is written last: packed looks at it.
	if err := write(name+".br", br.Bytes()); err != nil {
		return err
	}
	return write(name+".gz", gz.Bytes())
}

// packed says whether the copies are those of the content.
func packed(name string, content []byte) bool {
	if _, err := os.Stat(name + ".br"); err != nil { //nolint:gosec // the caller's own file
		return false
	}
	file, err := os.Open(name + ".gz") //nolint:gosec // the caller's own file
	if err != nil {
		return false
	}
	defer file.Close()
	r, err := gzip.NewReader(file)
	if err != nil {
		return false
	}
	old, err := io.ReadAll(r)
	return err == nil && bytes.Equal(old, content)
}

func write(name string, content []byte) error {
	return os.WriteFile(name, content, 0o644) //nolint:gosec // it is published
}
