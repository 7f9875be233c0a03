package bench

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"

	"bgremover.pro/core/cutout"
)

// Peer is another program that cuts photos out with the same weights, in a
// process of its own that lives from Start to Close. It does one photo at a
// time.
type Peer struct {
	program program
	folder  string

	process *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Reader
	said    bytes.Buffer
}

// Start starts its process, which ends with ctx or with Close.
func (p *Peer) Start(ctx context.Context) error {
	command := p.program.command
	cmd := exec.CommandContext(ctx, command[0], command[1:]...) //nolint:gosec // one of ours, see programs
	// It looks for its model and packages from the working folder.
	cmd.Dir, cmd.Stderr, cmd.WaitDelay = p.folder, &p.said, 5*time.Second
	cmd.Env = append(os.Environ(), p.program.environ...)
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return cutout.Wrap(cutout.Internal, err, "Cannot start "+p.program.title+".")
	}
	p.process, p.in, p.out = cmd, in, bufio.NewReader(out)
	return nil
}

// Close ends its process and waits for it.
func (p *Peer) Close() {
	if p.process == nil {
		return
	}
	_ = p.in.Close()
	_ = p.process.Process.Kill()
	_ = p.process.Wait() // it was killed
	p.process = nil
}

func (p *Peer) pid() int {
	if p.process == nil {
		return 0
	}
	return p.process.Process.Pid
}

// Remove cuts out one photo and returns the PNG and the time that it took
// inside the peer, without the way there and back.
func (p *Peer) Remove(_ context.Context, photo []byte) (file []byte, took time.Duration, err error) {
	if p.process == nil {
		return nil, 0, fmt.Errorf("%s is not running", p.program.name)
	}
	var answer struct {
		Milliseconds float64 `json:"milliseconds"`
		Error        string  `json:"error"`
	}
	line, file, err := p.exchange(photo)
	if err == nil {
		err = json.Unmarshal(line, &answer)
	}
	if err == nil && answer.Error != "" {
		return nil, 0, fmt.Errorf("%s: %s", p.program.name, answer.Error)
	}
	if err != nil {
		p.Close() // its state is unknown; after this its output is complete
		return nil, 0, fmt.Errorf("%s gave no answer (%w): %s", p.program.name, err, lastLine(p.said.Bytes()))
	}
	return file, time.Duration(answer.Milliseconds * float64(time.Millisecond)), nil
}

func (p *Peer) exchange(photo []byte) (line, file []byte, err error) {
	if err := binary.Write(p.in, binary.BigEndian, uint32(len(photo))); err != nil {
		return nil, nil, err
	}
	if _, err := p.in.Write(photo); err != nil {
		return nil, nil, err
	}
	if line, err = p.frame(); err != nil {
		return nil, nil, err
	}
	file, err = p.frame()
	return line, file, err
}

func (p *Peer) frame() ([]byte, error) {
	var length uint32
	if err := binary.Read(p.out, binary.BigEndian, &length); err != nil {
		return nil, err
	}
	const most = 1 << 30
	if length > most {
		return nil, fmt.Errorf("a frame of %d bytes", length)
	}
	frame := make([]byte, length)
	_, err := io.ReadFull(p.out, frame)
	return frame, err
}

func lastLine(said []byte) []byte {
	lines := bytes.Split(bytes.TrimSpace(said), []byte("\n"))
	return lines[len(lines)-1]
}
