// Package cli runs command lines: signals, errors and exit statuses.
package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"bgremover.pro/core/app"
	"bgremover.pro/core/config"
	"bgremover.pro/core/cutout"
)

// Main runs the process's command line and exits. The first signal cancels the
// command's context, a second one ends the process at once.
func Main(root *cobra.Command) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// The default handler is back for a second signal.
	context.AfterFunc(ctx, stop)
	os.Exit(Run(ctx, root, os.Args[1:]))
}

// FailedError is how a command went that only an interrupt ends.
type FailedError struct{ Err error }

func (o FailedError) Error() string { return o.Err.Error() }
func (o FailedError) Unwrap() error { return o.Err }

// Run executes one command line and returns its exit status: 0 for success, 2 for
// invalid settings, 130 if it was interrupted, else 1.
func Run(ctx context.Context, root *cobra.Command, args []string) int {
	root.Version, root.SilenceUsage, root.SilenceErrors = app.Version, true, true
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	var wrong config.Errors
	var failed FailedError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &wrong):
		fmt.Fprintln(os.Stderr, wrong)
		return 2
	case ctx.Err() != nil && !errors.As(err, &failed):
		fmt.Fprintln(os.Stderr, "bgremover: stopped")
		return 130
	}
	var known *cutout.Error
	if errors.As(err, &known) {
		err = errors.New(known.Message)
	}
	fmt.Fprintln(os.Stderr, "bgremover:", err)
	return 1
}
