package model

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"
)

// maxFile bounds any one file, so that a broken or hostile archive cannot
// fill the disk.
const maxFile = 8 << 30

var errEnough = errors.New("no more members are needed")

// unpack writes one file of an archive: a member, several members joined, or
// the archive unchanged.
func unpack(ctx context.Context, archive string, content Content, out *os.File) error {
	switch {
	case content.Index != "":
		return join(ctx, archive, content, out)
	case content.Member != "":
		found := false
		err := walk(ctx, archive, func(name string, r io.Reader) error {
			if name != content.Member {
				return nil
			}
			found = true
			if err := copyBounded(out, r, limit(content)); err != nil {
				return err
			}
			return errEnough
		})
		if err == nil && !found {
			err = fmt.Errorf("there is no %s in %s", content.Member, path.Base(archive))
		}
		return err
	}
	in, err := os.Open(archive)
	if err != nil {
		return err
	}
	defer in.Close()
	return copyBounded(out, reader{ctx, in}, limit(content))
}

// walk calls each for the regular files of a wheel, or of a gzipped tar by their paths
// without the leading folder, until each returns an error; errEnough ends it
// without one.
func walk(ctx context.Context, archive string, each func(name string, r io.Reader) error) error {
	if strings.HasSuffix(archive, ".whl") {
		return walkWheel(ctx, archive, each)
	}
	file, err := os.Open(archive)
	if err != nil {
		return err
	}
	defer file.Close()
	unzipped, err := gzip.NewReader(reader{ctx, file})
	if err != nil {
		return fmt.Errorf("%s is not a package: %w", path.Base(archive), err)
	}
	members := tar.NewReader(unzipped)
	for {
		header, err := members.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s is damaged: %w", path.Base(archive), err)
		}
		_, name, inFolder := strings.Cut(path.Clean(header.Name), "/")
		if header.Typeflag != tar.TypeReg || !inFolder {
			continue
		}
		if err := each(name, members); errors.Is(err, errEnough) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

func walkWheel(ctx context.Context, archive string, each func(name string, r io.Reader) error) error {
	wheel, err := zip.OpenReader(archive)
	if err != nil {
		return fmt.Errorf("%s is not a wheel: %w", path.Base(archive), err)
	}
	defer func() { _ = wheel.Close() }()
	for _, member := range wheel.File {
		if !member.Mode().IsRegular() {
			continue
		}
		content, err := member.Open()
		if err == nil {
			err = each(member.Name, reader{ctx, content})
			_ = content.Close()
		}
		if errors.Is(err, errEnough) {
			return nil
		} else if err != nil {
			return err
		}
	}
	return nil
}

// chunk is one part of a joined file: the member it is in, and its place.
type chunk struct {
	Hash    string   `json:"hash"`
	Offsets [2]int64 `json:"offsets"`
}

// join writes the members that an index lists to their places. The index may
// come after them in the archive, so this reads the archive twice.
func join(ctx context.Context, archive string, content Content, out *os.File) error {
	chunks, err := readIndex(ctx, archive, content)
	if err != nil {
		return err
	}
	folder := path.Dir(content.Index)
	err = walk(ctx, archive, func(name string, r io.Reader) error {
		part, ok := chunks[name]
		if !ok || path.Dir(name) != folder {
			return nil
		}
		delete(chunks, name)
		length := part.Offsets[1] - part.Offsets[0]
		n, err := io.Copy(io.NewOffsetWriter(out, part.Offsets[0]), io.LimitReader(r, length))
		if err == nil && n != length {
			err = fmt.Errorf("%s is damaged: a part of the model is too short", path.Base(archive))
		}
		if err == nil && len(chunks) == 0 {
			return errEnough
		}
		return err
	})
	if err == nil && len(chunks) > 0 {
		err = fmt.Errorf("%s lacks %d parts of the model", path.Base(archive), len(chunks))
	}
	return err
}

func readIndex(ctx context.Context, archive string, content Content) (map[string]chunk, error) {
	var index map[string]struct {
		Chunks []chunk `json:"chunks"`
	}
	err := walk(ctx, archive, func(name string, r io.Reader) error {
		if name != content.Index {
			return nil
		}
		if err := json.NewDecoder(io.LimitReader(r, 1<<20)).Decode(&index); err != nil {
			return fmt.Errorf("%s in %s cannot be read: %w", content.Index, path.Base(archive), err)
		}
		return errEnough
	})
	if err != nil {
		return nil, err
	}
	chunks := map[string]chunk{}
	var end int64
	for _, c := range index[content.Key].Chunks {
		if c.Offsets[0] != end || c.Offsets[1] <= end || c.Offsets[1] > limit(content) {
			return nil, fmt.Errorf("%s lists parts that do not fit together", content.Index)
		}
		end = c.Offsets[1]
		chunks[path.Join(path.Dir(content.Index), c.Hash)] = c
	}
	if len(chunks) == 0 {
		return nil, fmt.Errorf("%s does not list %s", content.Index, content.Key)
	}
	return chunks, nil
}

func limit(content Content) int64 {
	if content.Bytes > 0 {
		return content.Bytes
	}
	return maxFile
}

func copyBounded(out io.Writer, in io.Reader, most int64) error {
	n, err := io.CopyBuffer(struct{ io.Writer }{out}, io.LimitReader(in, most+1), make([]byte, 1<<20))
	if err == nil && n > most {
		err = fmt.Errorf("the file is larger than the %d bytes it may have", most)
	}
	return err
}

// reader ends a long read with its context.
type reader struct {
	ctx context.Context //nolint:containedctx // lives no longer than the call that made it
	io.Reader
}

func (r reader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.Reader.Read(p)
}
