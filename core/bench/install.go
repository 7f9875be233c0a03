package bench

import (
	"bytes"
	"context"
	_ "embed" // the peer's files
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"syscall"
	"time"

	"bgremover.pro/core/cutout"
)

// PeerName is the program that the line is compared with, as npm knows it.
const PeerName = "@imgly/background-removal-node 1.4.5"

const peerVariant = "peer"

var (
	// The peer asks for a version of sharp whose native part comes from
	// elsewhere than npm; the one laid over it has it in npm packages.
	//go:embed peer.json
	peerPackage []byte
	//go:embed peer.mjs
	peerProgram []byte
)

// InstallPeer installs the peer into a folder, unless it is there, with the
// npm client, so that a person's registry and proxy settings hold; no script
// of a package runs. Codes: Invalid (node or npm missing), Internal (npm
// failed; the sentence says why), Canceled.
func InstallPeer(ctx context.Context, folder string) (*Peer, error) {
	node, err := program("node", "nodejs")
	if err != nil {
		return nil, err
	}
	npm, err := program("npm", "npm")
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(folder, 0o750); err != nil {
		return nil, err
	}
	peer := &Peer{node: node, folder: folder}
	if err := os.WriteFile(filepath.Join(folder, "peer.mjs"), peerProgram, 0o600); err != nil {
		return nil, err
	}
	manifest := filepath.Join(folder, "package.json")
	// npm writes this file last.
	_, err = os.Stat(filepath.Join(folder, "node_modules", ".package-lock.json"))
	if known, _ := os.ReadFile(manifest); err == nil && bytes.Equal(known, peerPackage) {
		return peer, nil
	}
	if err := os.WriteFile(manifest, peerPackage, 0o600); err != nil {
		return nil, err
	}
	return peer, install(ctx, npm, folder)
}

func program(name, debian string) (string, error) {
	path, err := exec.LookPath(name)
	if err != nil {
		return "", cutout.Wrap(cutout.Invalid, err, fmt.Sprintf(
			"The comparison runs %s, which needs %s, and this machine has none: install it (Debian: apt install %s), or leave --compare out.",
			PeerName, name, debian))
	}
	return path, nil
}

var npmReason = regexp.MustCompile(`(?m)^npm (?:error|ERR!) (.+)$`)

// install runs npm in a process group of its own, so that its end is the end
// of everything it started.
func install(ctx context.Context, npm, folder string) error {
	var said bytes.Buffer
	cmd := exec.CommandContext(ctx, npm, "install", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
	cmd.Dir, cmd.Stderr, cmd.WaitDelay = folder, &said, 5*time.Second
	cmd.Env = append(os.Environ(), "NO_UPDATE_NOTIFIER=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	err := cmd.Run()
	if err == nil || ctx.Err() != nil {
		return ctx.Err()
	}
	reason := err.Error()
	if m := npmReason.FindStringSubmatch(said.String()); m != nil {
		reason = m[1]
	}
	return cutout.Wrap(cutout.Internal, errors.Join(err, errors.New(said.String())),
		fmt.Sprintf("npm could not install %s (%s): check the network and npm's settings.", PeerName, reason))
}
