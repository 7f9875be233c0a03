package model

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"bgremover.pro/core/atomicfile"
	"bgremover.pro/core/cutout"
)

// wheelTags select the one file that the catalogue's checksum is of: Python 3.11's, for
// glibc 2.28. The libraries in it need no Python.
var wheelTags = []string{"--only-binary=:all:", "--implementation=cp", "--python-version=3.11", "--abi=cp311",
	"--platform=manylinux_2_28_x86_64", "--platform=manylinux_2_27_x86_64", "--platform=manylinux2014_x86_64",
	"--platform=manylinux2010_x86_64", "--platform=manylinux1_x86_64", "--platform=manylinux_2_5_x86_64"}

// pipDownload fetches a wheel with the pip client, so that the user's index, proxy and
// credentials apply. Nothing of the package runs. The wheel appears under its name
// only when it is whole; pip checks its checksum.
func pipDownload(ctx context.Context, source Package, archive string, tell func(done, total int64)) error {
	pip := findPip()
	if pip == nil {
		return cutout.Errorf(cutout.Internal,
			"The pip client is missing: install it (Debian: apt install python3-pip), or copy %s by hand (--from).", source.archive())
	}
	scratch, err := os.MkdirTemp(filepath.Dir(archive), atomicfile.Temporary)
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(scratch) }()
	pinned := filepath.Join(scratch, "pinned.txt")
	if err := os.WriteFile(pinned, []byte(source.PIP+" --hash=sha256:"+source.Sum+"\n"), 0o600); err != nil {
		return err
	}
	arguments := slices.Concat(pip[1:], []string{"download", "--no-deps", "--require-hashes", "--no-input", "--disable-pip-version-check",
		"--progress-bar=off", "--requirement=" + pinned, "--dest=" + scratch}, wheelTags)
	stop := watchFolder(ctx, scratch, tell)
	// It collects the download in its own temporary folder.
	err = runClient(ctx, scratch, []string{"TMPDIR=" + scratch, "PIP_RESUME_RETRIES=5"}, pip[0], arguments...)
	stop()
	if err != nil {
		return explainPip(source, err)
	}
	wheels, err := filepath.Glob(filepath.Join(scratch, "*.whl"))
	if err != nil || len(wheels) != 1 {
		return fmt.Errorf("pip download %s left %d wheels", source.PIP, len(wheels))
	}
	return os.Rename(wheels[0], archive)
}

// findPip returns the command that is pip; nil if there is none.
func findPip() []string {
	for _, name := range []string{"pip3", "pip"} {
		if path, err := exec.LookPath(name); err == nil {
			return []string{path}
		}
	}
	if path, err := exec.LookPath("python3"); err == nil && exec.Command(path, "-m", "pip", "--version").Run() == nil { //nolint:gosec // found on PATH
		return []string{path, "-m", "pip"}
	}
	return nil
}

// explainPip condenses pip's output into one sentence.
func explainPip(source Package, err error) error {
	var failed clientError
	if !errors.As(err, &failed) {
		return err
	}
	says := func(signs ...string) bool {
		for _, sign := range signs {
			if strings.Contains(failed.stderr, sign) {
				return true
			}
		}
		return false
	}
	sentence := func(format string, args ...any) error {
		return cutout.Wrap(cutout.Internal, err, fmt.Sprintf(format, args...))
	}
	switch {
	case says("No space left on device"):
		return fmt.Errorf("%w: %s", syscall.ENOSPC, failed.stderr)
	case says("DO NOT MATCH THE HASHES"):
		return sentence("pip received a %s that is not the published one (its checksum differs).", source.PIP)
	case says("NewConnectionError", "Connection refused", "Name or service not known", "timed out", "ProxyError", "Network is unreachable"):
		return sentence("pip cannot reach its index: check the network and pip's proxy settings, or copy the files by hand (--from).")
	case says("No matching distribution", "Could not find a version"):
		return sentence("pip's index does not have %s.", source.PIP)
	}
	reason := failed.err.Error()
	for line := range strings.Lines(failed.stderr) {
		if text, ok := strings.CutPrefix(strings.TrimSpace(line), "ERROR: "); ok {
			reason = text
		}
	}
	return sentence("pip could not fetch %s: %s.", source.PIP, strings.TrimSuffix(reason, "."))
}

// watchFolder reports how much a client has fetched, which it does not do itself, by
// the size of the folder in which it collects a download.
func watchFolder(ctx context.Context, folder string, tell func(done, total int64)) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(250 * time.Millisecond)
		defer tick.Stop()
		var most int64
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				if size := sizeOfFolder(folder); size > most {
					most = size
					tell(most, 0)
				}
			}
		}
	}()
	return func() { cancel(); <-ended }
}

func sizeOfFolder(folder string) (size int64) {
	_ = filepath.WalkDir(folder, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return nil //nolint:nilerr // files come and go here
		}
		if info, err := entry.Info(); err == nil {
			size += info.Size()
		}
		return nil
	})
	return size
}
