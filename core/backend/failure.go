package backend

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/hashicorp/go-plugin"

	"bgremover.pro/core/cutout"
)

// DownError tells the operator why a backend is not serving.
type DownError struct {
	Reason string
	// Permanent: a retry fails the same way until somebody changes something.
	Permanent bool
	// Lacking: the program works, but reports that something it needs does not,
	// which may come back at any time.
	Lacking bool
	// Stderr holds the last lines that the process wrote to its stderr.
	Stderr []string
	Err    error
}

func (f *DownError) Error() string { return f.Reason }
func (f *DownError) Unwrap() error { return f.Err }

// ExitError is how a process ended.
type ExitError struct {
	Code   int            // -1 if a signal ended it
	Signal syscall.Signal // 0 if none did
}

func (e *ExitError) Error() string {
	switch e.Signal {
	case 0:
		return fmt.Sprintf("exited with status %d", e.Code)
	case syscall.SIGKILL:
		return "was killed from outside (SIGKILL), possibly because the machine ran out of memory"
	}
	return fmt.Sprintf("was ended by signal %v", e.Signal)
}

func exitOf(state *os.ProcessState) *ExitError {
	exit := &ExitError{Code: state.ExitCode()}
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() { //nolint:misspell // the standard library's word
		exit.Signal = status.Signal()
	}
	return exit
}

// explainStart turns go-plugin's error for a failed start into a sentence.
func explainStart(err error, timeout time.Duration, state *os.ProcessState, stderr []string) *DownError {
	f := &DownError{Err: err, Stderr: stderr}
	text := err.Error()
	line, _, _ := strings.Cut(text, "\n")
	rubbish, unrecognised := strings.CutPrefix(line, "Unrecognized remote plugin message: ") //nolint:misspell // go-plugin's words
	switch {
	case errors.Is(err, plugin.ErrChecksumsDoNotMatch):
		f.Reason, f.Permanent = "its file does not match the configured sha256", true
	case strings.Contains(text, "incompatible"):
		f.Reason, f.Permanent = "it speaks another version of the plugin contract; use the backend that came with this server", true
	case strings.Contains(text, "timeout while waiting"):
		f.Reason = fmt.Sprintf("it did not finish its handshake within %v", timeout)
	case errors.Is(err, syscall.ENOEXEC):
		f.Reason, f.Permanent = "its file is not a program for this machine ("+runtime.GOOS+"/"+runtime.GOARCH+"); it may be built for another kind of processor", true
	case errors.Is(err, fs.ErrPermission), errors.Is(err, fs.ErrNotExist):
		f.Reason, f.Permanent = fmt.Sprintf("it cannot be run on this machine: %v", err), true
	case unrecognised && rubbish != "":
		f.Reason, f.Permanent = fmt.Sprintf("it wrote something other than a handshake: %.80q", rubbish), true
	case state != nil:
		f.Reason = fmt.Sprintf("it %v before it was ready", exitOf(state)) + saying(stderr)
	default:
		f.Reason = "it did not start: " + text
	}
	return f
}

// saying returns the most informative line that the process wrote, to append to a reason.
func saying(stderr []string) string {
	if line := telling(stderr); line != "" {
		return ": " + line
	}
	return ""
}

// reason is the text of an error for the operator, with its cause.
func reason(err error) string {
	var f *DownError
	if errors.As(err, &f) {
		return f.Reason
	}
	var e *cutout.Error
	if errors.As(err, &e) {
		text := strings.TrimSuffix(e.Message, ".")
		if e.Err != nil && e.Err.Error() != e.Message {
			text += ": " + e.Err.Error()
		}
		return text
	}
	return err.Error()
}

// inWords gives any error of this package a code and a sentence.
func inWords(ctx context.Context, err error) error {
	var e *cutout.Error
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return cutout.Wrap(cutout.CodeOf(ctx.Err()), ctx.Err(), cutout.MessageOf(ctx.Err()))
	case errors.As(err, &e):
		return err
	}
	return cutout.Wrap(cutout.BackendUnavailable, err, "The backend failed. Please try again.")
}
