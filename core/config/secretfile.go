package config

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"bgremover.pro/core/atomicfile"
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
	switch err := atomicfile.Create(path, 0o600, atomicfile.Bytes([]byte(secret+"\n"))); {
	case errors.Is(err, fs.ErrExist): // made by another process meanwhile
		secret, err = ReadSecretFile(path)
		return secret, false, err
	case err != nil:
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
