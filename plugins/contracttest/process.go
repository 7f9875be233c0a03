// Package contracttest is the conformance suite of the backend contract. It
// runs against any backend program: from tests, and from the command line with
// `bgremover backends check`.
package contracttest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/hashicorp/go-plugin"

	"bgremover.pro/plugins/contract"
)

// Command is a backend program and how to start it.
type Command struct {
	Path string
	Args []string
	Env  []string // "NAME=value", all that the program gets
	// TLS requires mutual TLS, which a backend in another language may lack.
	TLS bool
	// Stderr receives the program's stderr; nil discards it.
	Stderr io.Writer
}

// Process is a running backend.
type Process struct {
	Client *contract.Client
	host   *os.File // our end of the pipe; closing it tells the backend that the host is gone
	cmd    *exec.Cmd
	plugin *plugin.Client
	folder string
}

// Start starts a backend and completes the handshake, within a minute. The end of
// ctx kills it.
func (c Command) Start(ctx context.Context) (*Process, error) {
	folder, err := os.MkdirTemp("", "backend") // for its socket
	if err != nil {
		return nil, err
	}
	read, write, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(folder))
	}
	defer read.Close()
	p := &Process{host: write, folder: folder}
	p.cmd = exec.CommandContext(ctx, c.Path, c.Args...) //nolint:gosec // the command that the caller wants to check
	p.cmd.Env = append([]string{"PLUGIN_UNIX_SOCKET_DIR=" + folder, contract.EnvHostPipe + "=3"}, c.Env...)
	p.cmd.ExtraFiles = []*os.File{read}
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	config := contract.ClientConfig()
	config.Cmd, config.AutoMTLS, config.Stderr = p.cmd, c.TLS, c.Stderr
	p.plugin = plugin.NewClient(config)
	if p.Client, err = p.connect(); err != nil {
		p.Kill()
		return nil, err
	}
	return p, nil
}

func (p *Process) connect() (*contract.Client, error) {
	protocol, err := p.plugin.Client()
	if err != nil {
		return nil, err
	}
	raw, err := protocol.Dispense(contract.Name)
	if err != nil {
		return nil, err
	}
	client, ok := raw.(*contract.Client)
	if !ok {
		return nil, fmt.Errorf("dispensed a %T", raw)
	}
	return client, nil
}

// ID is the process id.
func (p *Process) ID() int { return p.cmd.Process.Pid }

// State says how the process ended; it is nil while it runs.
func (p *Process) State() *os.ProcessState { return p.cmd.ProcessState }

// Stop asks the process to end and waits; go-plugin kills it after 2 seconds.
func (p *Process) Stop() {
	p.plugin.Kill()
	p.clean()
}

// Abandon closes the pipe as the end of the host would, and waits until the
// process has ended by itself.
func (p *Process) Abandon(ctx context.Context) error {
	_ = p.host.Close()
	select {
	case <-p.Client.Done():
		p.Stop()
		return nil
	case <-ctx.Done():
		p.Kill()
		return ctx.Err()
	}
}

// Kill ends the process at once, in whatever state it is.
func (p *Process) Kill() {
	if p.cmd.Process != nil {
		_ = p.cmd.Process.Kill()
	}
	p.Stop()
}

func (p *Process) clean() {
	_ = p.host.Close()
	_ = os.RemoveAll(p.folder)
}

// Timeout bounds each check; a large model on a busy machine takes its time.
const Timeout = 5 * time.Minute
