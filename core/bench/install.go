package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"bgremover.pro/core/cutout"
)

// InstallPeer installs a peer below a folder, unless it is there, with the
// package client that it comes by, so that the user's registry and proxy settings
// apply. model finds the installed ISNet model, for peers that bring
// none. Codes: Invalid (no such peer, or a program that it needs is missing),
// Internal (the client failed; the sentence says why), Canceled, and model's.
func InstallPeer(ctx context.Context, name, folder string, model func() (string, error)) (*Peer, error) {
	program, err := findProgram(name)
	if err != nil {
		return nil, err
	}
	runtime, err := program.find()
	if err != nil {
		return nil, err
	}
	peer := &Peer{program: program, folder: filepath.Join(folder, program.folder)}
	manifest, err := peer.place()
	if err != nil {
		return nil, err
	}
	if program.takesModel {
		if err := peer.link(model); err != nil {
			return nil, err
		}
	}
	// Packages fit one manifest and one runtime: after a change of either they
	// are installed again. The record is written last.
	record, wanted := filepath.Join(peer.folder, "installed"), slices.Concat(manifest, []byte(runtime))
	if known, _ := os.ReadFile(record); bytes.Equal(known, wanted) {
		return peer, nil
	}
	if err := os.RemoveAll(filepath.Join(peer.folder, program.packages)); err != nil {
		return nil, err
	}
	if err := program.install(ctx, peer.folder); err != nil {
		return nil, err
	}
	return peer, os.WriteFile(record, wanted, 0o600)
}

// find looks for the programs that a peer needs, and returns the file of the
// first, which runs it.
func (p *program) find() (string, error) {
	runtime := ""
	for _, need := range p.needs {
		found, err := exec.LookPath(need[0])
		if err != nil {
			return "", cutout.Wrap(cutout.Invalid, err, fmt.Sprintf(
				"Comparing with %s needs %s, which is not installed: install it (Debian: apt install %s), or omit the peer from --compare.",
				p.title, need[0], need[1]))
		}
		if runtime == "" {
			if runtime, err = filepath.EvalSymlinks(found); err != nil {
				return "", err
			}
		}
	}
	return runtime, nil
}

// place writes the peer's own files and returns the manifest.
func (p *Peer) place() (manifest []byte, err error) {
	if err := os.MkdirAll(p.folder, 0o750); err != nil {
		return nil, err
	}
	from := path.Join("peers", p.program.folder)
	files, err := peerFiles.ReadDir(from)
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		content, err := peerFiles.ReadFile(path.Join(from, file.Name()))
		if err != nil {
			return nil, err
		}
		if file.Name() == p.program.manifest {
			manifest = content
		}
		if err := os.WriteFile(filepath.Join(p.folder, file.Name()), content, 0o600); err != nil {
			return nil, err
		}
	}
	return manifest, nil
}

func (p *Peer) link(model func() (string, error)) error {
	file, err := model()
	if err != nil {
		return err
	}
	link := filepath.Join(p.folder, modelLink)
	if err := os.Remove(link); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return os.Symlink(file, link)
}

// install runs the package client in a process group of its own, so that its
// end is the end of everything it started.
func (p *program) install(ctx context.Context, folder string) error {
	var said bytes.Buffer
	cmd := exec.CommandContext(ctx, p.client[0], p.client[1:]...) //nolint:gosec // one of ours, see programs
	cmd.Dir, cmd.Stderr, cmd.WaitDelay = folder, &said, 5*time.Second
	cmd.Env = append(os.Environ(), "NO_UPDATE_NOTIFIER=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	err := cmd.Run()
	if err == nil || ctx.Err() != nil {
		return ctx.Err()
	}
	reason := err.Error()
	if m := p.reason.FindStringSubmatch(said.String()); m != nil {
		reason = m[1]
	}
	last := p.needs[len(p.needs)-1]
	return cutout.Wrap(cutout.Internal, errors.Join(err, errors.New(said.String())), fmt.Sprintf(
		"Cannot install %s (%s): check the network and the settings of the package client (Debian: %s).", p.title, reason, last[1]))
}
