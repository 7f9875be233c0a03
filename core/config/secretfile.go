package config

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// SecretFile reads the secret that a file holds, and makes it first where there
// is none: 32 random bytes as text, in a file that only its owner may read. Of
// several processes that find none at once, all get the same.
func SecretFile(path string) (secret string, made bool, err error) {
	if secret, err = ReadSecretFile(path); !errors.Is(err, fs.ErrNotExist) {
		return secret, false, err
	}
	random := make([]byte, 32)
	_, _ = rand.Read(random) // never fails, says its documentation
	secret = base64.RawURLEncoding.EncodeToString(random)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return "", false, err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".bgremover-*") // mode 0600
	if err != nil {
		return "", false, err
	}
	defer func() { _ = os.Remove(f.Name()) }()
	_, err = f.WriteString(secret + "\n")
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return "", false, err
	}
	// Whole or not at all, and never in place of another's.
	if err := os.Link(f.Name(), path); errors.Is(err, fs.ErrExist) {
		secret, err = ReadSecretFile(path)
		return secret, false, err
	} else if err != nil {
		return "", false, err
	}
	return secret, true, nil
}

// ReadSecretFile reads a file that SecretFile made. One that others on the
// machine may read has no secret left.
func ReadSecretFile(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	if info.Mode().Perm()&0o007 != 0 {
		return "", fmt.Errorf("%s may be read by everyone on this machine (mode %#o); remove it, so that a new one is made", path, info.Mode().Perm())
	}
	secret, err := readSecret(path)
	if err == nil && len(secret) < minDeviceSecret {
		err = fmt.Errorf("%s holds no secret of at least %d characters; remove it, so that a new one is made", path, minDeviceSecret)
	}
	return secret, err
}
