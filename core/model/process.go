package model

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"time"

	"golang.org/x/image/draw"

	"bgremover.pro/core/cutout"
	"bgremover.pro/models"
	"bgremover.pro/plugins/contract"
)

// runDerive starts the program onnx-derive for one task. Its standard input stays
// open until it has answered: the program ends when that closes, as it does when
// this process ends, even if it is killed. A temporary Error in the answer is
// returned as an error.
func (s *Store) runDerive(ctx context.Context, program string, request contract.DeriveRequest, pictures []*cutout.Input) (contract.DeriveAnswer, error) {
	var answer contract.DeriveAnswer
	library, err := s.Runtime()
	if err != nil {
		return answer, err
	}
	line, err := json.Marshal(request)
	if err != nil {
		return answer, err
	}
	var stderr tail
	cmd := exec.CommandContext(ctx, program)
	cmd.Env = []string{contract.EnvRuntime + "=" + library, "PATH=" + os.Getenv("PATH"), "TMPDIR=" + os.TempDir()}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Stderr, cmd.WaitDelay = &stderr, 5*time.Second
	in, err := cmd.StdinPipe()
	if err != nil {
		return answer, err
	}
	defer in.Close()
	out, err := cmd.StdoutPipe()
	if err != nil {
		return answer, err
	}
	if err := cmd.Start(); err != nil {
		advice := "run `make build`"
		if errors.Is(err, syscall.ENOEXEC) {
			advice = "it is not a program for this machine (" + runtime.GOOS + "/" + runtime.GOARCH + "); it may be built for another kind of processor"
		}
		return answer, cutout.Wrap(cutout.BackendUnavailable, err, fmt.Sprintf("The program %s cannot be started: %s.", program, advice))
	}
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		send(in, line, pictures)
	}()
	decodeErr := json.NewDecoder(io.LimitReader(out, 64<<20)).Decode(&answer)
	_ = in.Close()
	<-sent
	err = cmd.Wait()
	switch {
	case ctx.Err() != nil:
		return answer, ctx.Err()
	case decodeErr != nil:
		return answer, fmt.Errorf("%s gave no answer (%w): %s", program, errors.Join(err, decodeErr), stderr.String())
	case strings.Contains(answer.Error, syscall.ENOSPC.Error()):
		return answer, syscall.ENOSPC
	case answer.Error != "" && !answer.Lasting:
		return answer, errors.New(answer.Error)
	}
	return answer, nil
}

// send writes a request. A program that stops reading reports why itself.
func send(in io.Writer, line []byte, pictures []*cutout.Input) {
	if _, err := in.Write(append(line, '\n')); err != nil {
		return
	}
	for _, p := range pictures {
		if _, err := in.Write(p.Pix); err != nil {
			return
		}
	}
}

// tail keeps the end of a process's stderr.
type tail struct{ bytes.Buffer }

func (t *tail) Write(p []byte) (int, error) {
	const most = 4 << 10
	n, err := t.Buffer.Write(p)
	if over := t.Len() - most; over > 0 {
		t.Next(over)
	}
	return n, err
}

// checkPictures returns the built-in picture at each size.
func checkPictures(sizes []int) ([]*cutout.Input, error) {
	photo, err := jpeg.Decode(bytes.NewReader(models.Check))
	if err != nil {
		return nil, err
	}
	var pictures []*cutout.Input
	for _, size := range sizes {
		scaled := image.NewNRGBA(image.Rect(0, 0, size, size))
		draw.BiLinear.Scale(scaled, scaled.Bounds(), photo, photo.Bounds(), draw.Src, nil)
		p := &cutout.Input{Width: size, Height: size, Pix: make([]uint8, 0, 3*size*size)}
		for i := 0; i < len(scaled.Pix); i += 4 {
			p.Pix = append(p.Pix, scaled.Pix[i:i+3]...)
		}
		pictures = append(pictures, p)
	}
	return pictures, nil
}
