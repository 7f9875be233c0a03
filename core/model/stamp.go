package model

import (
	"crypto/md5" //nolint:gosec // some publishers give nothing better; a sha256 is kept too
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"bgremover.pro/core/atomicfile"
	"bgremover.pro/core/cutout"
)

// stamps record which files were checked, so that a start does not read
// hundreds of megabytes again. They are not a security measure: anyone who
// can change the files can change the stamps.
type stamps struct {
	mu     sync.Mutex
	file   string
	loaded map[string]stamp
}

type stamp struct {
	Bytes    int64  `json:"bytes"`
	Modified int64  `json:"modified"` // nanoseconds since 1970
	SHA256   string `json:"sha256"`
}

// get returns the checksum of a file that has not changed since it was checked.
func (s *stamps) get(rel string, info fs.FileInfo) (string, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	known, ok := s.load()[rel]
	if !ok { // another process may have recorded it since
		s.loaded = nil
		known, ok = s.load()[rel]
	}
	if !ok || known.Bytes != info.Size() || known.Modified != info.ModTime().UnixNano() {
		return "", false
	}
	return known.SHA256, true
}

// sha256 returns the checksum that was recorded for a path, or "".
func (s *stamps) sha256(rel string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.load()[rel].SHA256
}

// set records a checked file. Other processes' records are read again first.
func (s *stamps) set(rel string, info fs.FileInfo, sum string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.loaded = nil
	all := s.load()
	all[rel] = stamp{Bytes: info.Size(), Modified: info.ModTime().UnixNano(), SHA256: sum}
	text, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return err
	}
	return writeFile(s.file, text)
}

// load reads the file once; one that is missing or broken counts as empty.
func (s *stamps) load() map[string]stamp {
	if s.loaded == nil {
		if text, err := os.ReadFile(s.file); err != nil || json.Unmarshal(text, &s.loaded) != nil || s.loaded == nil {
			s.loaded = map[string]stamp{}
		}
	}
	return s.loaded
}

// digests are the checksums of one file.
type digests struct {
	bytes       int64
	sha256, md5 string
}

func digest(path string) (digests, error) {
	file, err := os.Open(path)
	if err != nil {
		return digests{}, err
	}
	defer file.Close()
	a, b := sha256.New(), md5.New() //nolint:gosec // see the import
	n, err := io.CopyBuffer(io.MultiWriter(a, b), onlyReader{file}, make([]byte, 1<<20))
	return digests{bytes: n, sha256: hex.EncodeToString(a.Sum(nil)), md5: hex.EncodeToString(b.Sum(nil))}, err
}

// onlyReader hides WriteTo, which would ignore the buffer.
type onlyReader struct{ io.Reader }

// match compares a file with what it should be. Code: BackendUnavailable.
func (d digests) match(name string, want Content) error {
	switch {
	case want.Bytes != 0 && want.Bytes != d.bytes:
		return cutout.Errorf(cutout.BackendUnavailable, "%s is damaged: it has %d bytes and should have %d.", name, d.bytes, want.Bytes)
	case want.SHA256 != "" && want.SHA256 != d.sha256:
		return cutout.Errorf(cutout.BackendUnavailable, "%s is not the file it should be: its sha256 is %s, not %s.", name, d.sha256, want.SHA256)
	case want.MD5 != "" && want.MD5 != d.md5:
		return cutout.Errorf(cutout.BackendUnavailable, "%s is not the file it should be: its md5 is %s, not %s.", name, d.md5, want.MD5)
	}
	return nil
}

// Models are no secret, and other accounts may serve them.
const (
	folderMode = 0o755
	fileMode   = 0o644
)

// writeFile replaces a file in one step.
func writeFile(path string, content []byte) error {
	return replace(path, atomicfile.Bytes(content))
}

func replace(path string, fill func(*os.File) error) error {
	if err := os.MkdirAll(filepath.Dir(path), folderMode); err != nil {
		return err
	}
	return atomicfile.Replace(path, fileMode, fill)
}
