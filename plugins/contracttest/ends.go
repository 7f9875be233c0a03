package contracttest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"bgremover.pro/plugins/contract"
)

func (s *suite) survivesSignals(ctx context.Context) error {
	if err := s.loads(ctx); err != nil {
		return err
	}
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		if err := syscall.Kill(s.process.ID(), signal); err != nil {
			return err
		}
		select {
		case <-s.process.Client.Done():
		case <-time.After(time.Second): // time for a backend that ends on the signal
		}
		if err := errors.Join(s.answers(ctx), s.health(ctx)); err != nil {
			return fmt.Errorf("after the signal %v: %w", signal, err)
		}
	}
	return nil
}

func (s *suite) endsWithHost(ctx context.Context) error {
	limited, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if err := s.process.Abandon(limited); err != nil {
		return fmt.Errorf("it still ran 10 seconds after the pipe %s was closed", contract.EnvHostPipe)
	}
	return nil
}

func (s *suite) endsWhenAsked(ctx context.Context) error {
	return retried(func() error {
		p, err := s.command.Start(ctx)
		if err != nil {
			return err
		}
		p.Stop()
		if state := p.State(); !state.Success() {
			return fmt.Errorf("it ended with %v", state)
		}
		return nil
	})
}

// byHand starts the program without a host, no go-plugin and no TLS, and returns its
// standard output.
func (s *suite) byHand(ctx context.Context, env ...string) (*child, io.Reader, error) {
	p, err := s.command.child(ctx, env...)
	if err != nil {
		return nil, nil, err
	}
	defer p.theirs.Close()
	p.cmd.Stderr, p.cmd.WaitDelay = s.command.Stderr, time.Second
	out, err := p.cmd.StdoutPipe()
	if err == nil {
		err = p.cmd.Start()
	}
	if err != nil {
		p.clean()
		return nil, nil, err
	}
	return p, out, nil
}

// quiet makes a process do some work, and checks all that it writes.
func (s *suite) quiet(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx) // kills it
	defer cancel()
	cookie := contract.Handshake.MagicCookieKey + "=" + contract.Handshake.MagicCookieValue
	p, written, err := s.byHand(ctx, cookie)
	if err != nil {
		return err
	}
	defer p.clean()
	out := bufio.NewReader(written)
	line, err := out.ReadString('\n')
	if err == nil {
		err = s.worksAt(ctx, p.folder, line)
	}
	if err != nil {
		cancel()
		return errors.Join(err, errors.Unwrap(p.cmd.Wait()))
	}
	_ = p.host.Close()
	defer time.AfterFunc(5*time.Second, cancel).Stop() // a process that stays is another check's concern
	rest, _ := io.ReadAll(out)
	_ = p.cmd.Wait()
	if len(rest) > 0 {
		return fmt.Errorf("after its handshake it wrote to standard output: %.80q", rest)
	}
	return nil
}

// worksAt talks to a process at the address in its handshake.
func (s *suite) worksAt(ctx context.Context, folder, line string) error {
	fields := strings.Split(strings.TrimSpace(line), "|")
	version := strconv.Itoa(int(contract.Handshake.ProtocolVersion))
	if len(fields) < 5 || fields[0] != "1" || fields[1] != version || fields[2] != "unix" || fields[4] != "grpc" {
		return fmt.Errorf("the handshake is %q, not like 1|%s|unix|/the/folder/backend.sock|grpc", line, version)
	}
	if filepath.Dir(fields[3]) != folder {
		return fmt.Errorf("its socket is %s, not in the folder PLUGIN_UNIX_SOCKET_DIR", fields[3])
	}
	conn, err := grpc.NewClient("unix:"+fields[3], grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	client, err := (&contract.Plugin{}).GRPCClient(ctx, nil, conn)
	if err != nil {
		return err
	}
	on := *s
	on.process = &Process{Client: client.(*contract.Client)}
	return errors.Join(on.loads(ctx), on.answers(ctx))
}

func (s *suite) needsCookie(ctx context.Context) error {
	limited, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	p, out, err := s.byHand(limited)
	if err != nil {
		return err
	}
	defer p.clean()
	_, _ = io.Copy(io.Discard, out)
	err = p.cmd.Wait()
	switch {
	case limited.Err() != nil:
		return errors.New("it serves without the cookie")
	case err == nil:
		return errors.New("it exits with status 0, not with an error")
	}
	return nil
}
