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
	"runtime"
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

// child is a backend's program with what a host gives it.
type child struct {
	cmd    *exec.Cmd
	folder string   // for its socket
	host   *os.File // our end of the pipe; closing it tells the backend that the host is gone
	theirs *os.File // its end, to be closed once it has been started
}

// child prepares the program, to be started with further variables. The end of ctx
// kills it.
func (c Command) child(ctx context.Context, env ...string) (*child, error) {
	folder, err := os.MkdirTemp("", "backend")
	if err != nil {
		return nil, err
	}
	theirs, ours, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(folder))
	}
	cmd := exec.CommandContext(ctx, c.Path, c.Args...) //nolint:gosec // the command that the caller wants to check
	cmd.Env = append(append(env, "PLUGIN_UNIX_SOCKET_DIR="+folder, contract.EnvHostPipe+"=3"), c.Env...)
	cmd.ExtraFiles = []*os.File{theirs}
	return &child{cmd, folder, ours, theirs}, nil
}

func (c *child) clean() {
	_ = c.host.Close()
	_ = os.RemoveAll(c.folder)
}

// Process is a running backend.
type Process struct {
	*child
	Client *contract.Client
	plugin *plugin.Client
}

// Start starts a backend and completes the handshake, within a minute. The end of
// ctx kills it.
func (c Command) Start(ctx context.Context) (*Process, error) {
	prepared, err := c.child(ctx)
	if err != nil {
		return nil, err
	}
	defer prepared.theirs.Close()
	p := &Process{child: prepared}
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	config := contract.ClientConfig()
	config.Cmd, config.AutoMTLS, config.Stderr = p.cmd, c.TLS, c.Stderr
	p.plugin = plugin.NewClient(config)
	if p.Client, err = p.connect(); err != nil {
		p.Kill()
		if errors.Is(err, syscall.ENOEXEC) {
			err = fmt.Errorf("it is no program for this machine (%s/%s): %w", runtime.GOOS, runtime.GOARCH, err)
		}
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

// Timeout bounds each check; a large model on a busy machine takes its time.
const Timeout = 5 * time.Minute
