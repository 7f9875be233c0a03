package backend

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/hashicorp/go-plugin"

	"bgremover.pro/plugins/contract"
)

// process is one run of a backend's program. A go-plugin client starts only once,
// so a restart is a new process with a new client.
type process struct {
	*contract.Client
	*users
	*modelCache
	spec   Spec
	pid    int
	about  contract.Description // as it was at its start
	stderr *tail
	// strikes counts the failed runs since the last good one.
	strikes atomic.Int32
	// doubted: its connection broke; a health check or its end will follow.
	doubted atomic.Bool

	kill     context.CancelCauseFunc // ends the whole process group at once
	killed   context.Context         //nolint:containedctx // its cause says why we killed it
	stopping chan struct{}
	stopOnce sync.Once
	// gone is closed when the process has ended and is cleaned up; exit then
	// holds the reason, nil if it was asked to end.
	gone chan struct{}
	exit error
}

// errLate is the reason for killing a process that did not end when asked to.
var errLate = errors.New("it did not end when asked to")

// life is a process with what only the goroutine that owns it may use.
type life struct {
	*process
	client  *plugin.Client
	cmd     *exec.Cmd
	host    *os.File // our end of the pipe whose end tells it that we are gone
	theirs  *os.File
	sockets *sockets
	grace   time.Duration
}

// start runs the command and performs the handshake, unless ctx ends first.
// Error: *DownError.
func start(ctx context.Context, spec Spec, o *Options, log *slog.Logger) (*process, error) {
	l, err := prepare(spec, o, log)
	if err != nil {
		return nil, err
	}
	started := make(chan error, 1)
	go l.live(ctx, started)
	if err := <-started; err != nil {
		<-l.gone
		return nil, err
	}
	return l.process, nil
}

// prepare creates everything that the process needs, without starting it.
func prepare(spec Spec, o *Options, log *slog.Logger) (*life, error) {
	path, err := spec.Path()
	if err != nil {
		return nil, err
	}
	sockets, err := newSockets(o.RunDir)
	if err != nil {
		return nil, &DownError{Reason: "no folder can hold its socket: " + err.Error(), Err: err}
	}
	theirs, host, err := os.Pipe()
	if err != nil {
		sockets.remove()
		return nil, &DownError{Reason: "cannot create a pipe for it: " + err.Error(), Err: err}
	}
	p := &process{
		spec: spec, stderr: &tail{log: log},
		stopping: make(chan struct{}), gone: make(chan struct{}),
		users: newUsers(max(spec.Concurrency, 1)),
	}
	p.killed, p.kill = context.WithCancelCause(context.Background())
	cmd := exec.CommandContext(p.killed, path, spec.Args...) //nolint:gosec // the operator names the command
	group(cmd)
	cmd.ExtraFiles = []*os.File{theirs} // the first is descriptor 3
	cmd.Env = append(spec.Environment(os.Environ()),
		contract.EnvHostPipe+"=3", "PLUGIN_UNIX_SOCKET_DIR="+sockets.path)
	return &life{process: p, client: plugin.NewClient(clientConfig(spec, cmd, p.stderr)), cmd: cmd,
		host: host, theirs: theirs, sockets: sockets, grace: o.StopTimeout}, nil
}

func clientConfig(spec Spec, cmd *exec.Cmd, stderr *tail) *plugin.ClientConfig {
	c := contract.ClientConfig()
	c.Cmd, c.Stderr, c.SyncStderr, c.SyncStdout = cmd, stderr, stderr, stderr
	c.StartTimeout = spec.startTimeout()
	c.AutoMTLS = !spec.NoTLS
	if sum, _ := hex.DecodeString(spec.SHA256); len(sum) > 0 {
		c.SecureConfig = &plugin.SecureConfig{Checksum: sum, Hash: sha256.New()}
	}
	return c
}

// live owns the process from its start to its end. It keeps its thread because
// Linux ends the process together with the thread that started it.
func (l *life) live(ctx context.Context, started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer l.clean()
	giveUp := context.AfterFunc(ctx, func() { l.kill(context.Cause(ctx)) })
	err := l.shakeHands()
	_ = l.theirs.Close()
	if !giveUp() && err == nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		l.kill(err)
		l.client.Kill() // only waits
		if ctx.Err() == nil {
			err = explainStart(err, l.spec.startTimeout(), l.cmd.ProcessState, l.stderr.last(statusLines))
		}
		started <- err
		return
	}
	l.pid = l.cmd.Process.Pid
	started <- nil
	select {
	case <-l.Done():
	case <-l.stopping:
	}
	_ = l.host.Close()
	// go-plugin's Kill waits without limit for an answer to its request to end,
	// and for pipes that the process's own children may hold.
	deadline := time.AfterFunc(l.grace, func() { l.kill(errLate) })
	l.client.Kill()
	deadline.Stop()
}

func (l *life) shakeHands() error {
	protocol, err := l.client.Client()
	if err != nil {
		return err
	}
	raw, err := protocol.Dispense(contract.Name)
	if err != nil {
		return err
	}
	client, ok := raw.(*contract.Client)
	if !ok {
		return fmt.Errorf("go-plugin gave a %T", raw)
	}
	l.Client = client
	l.modelCache = newModelCache(client)
	return nil
}

// clean removes what the process may have left behind and closes gone.
func (l *life) clean() {
	select {
	case <-l.stopping:
	default:
		l.exit = l.explainExit()
	}
	l.kill(nil)
	_ = l.host.Close()
	l.sockets.remove()
	close(l.gone)
}

func (l *life) explainExit() error {
	f := &DownError{Stderr: l.stderr.last(statusLines)}
	switch {
	case l.killed.Err() != nil:
		f.Err = context.Cause(l.killed)
		f.Reason = reason(f.Err)
	case l.cmd.ProcessState != nil:
		exit := exitOf(l.cmd.ProcessState)
		f.Err, f.Reason = exit, "it "+exit.Error()
		if exit.Signal != syscall.SIGKILL { // SIGKILL leaves no time to write why
			f.Reason += saying(f.Stderr)
		}
	default:
		f.Reason = "its connection ended"
	}
	return f
}

// ending reports whether the process was killed, even if it is not gone yet.
func (p *process) ending() bool { return p.killed.Err() != nil }

// stop asks the process to end, kills it if it does not, and waits until it is
// gone.
func (p *process) stop() {
	p.stopOnce.Do(func() { close(p.stopping) })
	<-p.gone
}
