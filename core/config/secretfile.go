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

// SecretFile reads the secret in a file, and generates it first if there is no
// file: 32 random bytes as text, readable only by the owner. Several processes
// that find no file at the same time all get the same secret.
func SecretFile(path string) (secret string, made bool, err error) {
	if secret, err = ReadSecretFile(path); !errors.Is(err, fs.ErrNotExist) {
		return secret, false, err
	}
	random := make([]byte, 32)
	_, _ = rand.Read(random) // documented never to fail
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
	// Atomic, and never overwrites the secret of another process.
	if err := os.Link(f.Name(), path); errors.Is(err, fs.ErrExist) {
		secret, err = ReadSecretFile(path)
		return secret, false, err
	} else if err != nil {
		return "", false, err
	}
	return secret, true, nil
}

// ReadSecretFile reads a file that SecretFile made. It refuses a file that every
// user of the machine may read.
func ReadSecretFile(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	if info.Mode().Perm()&0o007 != 0 {
		return "", fmt.Errorf("%s can be read by every user of this machine (mode %#o); remove it, and a new secret is generated", path, info.Mode().Perm())
	}
	secret, err := readSecret(path)
	if err == nil && len(secret) < minDeviceSecret {
		err = fmt.Errorf("%s holds no secret of at least %d characters; remove it, and a new secret is generated", path, minDeviceSecret)
	}
	return secret, err
}
