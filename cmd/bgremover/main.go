// Command bgremover removes the background from photos: as a web server, or
// for single files on the command line.
package main

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

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// A second signal finds the default handler and ends the process at once.
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:]))
}

// run executes one command line and returns its exit status: 0, 1 where the
// work failed, 2 where the configuration or the command line is wrong.
func run(ctx context.Context, args []string) int {
	root := &cobra.Command{
		Use:           "bgremover",
		Short:         "Removes the background from photos.",
		Version:       app.Version,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddCommand(
		serveCommand(), removeCommand(), modelsCommand(), backendsCommand(),
		configCommand(), healthCommand(), edgeCommand(), benchCommand(),
	)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	var wrong config.Errors
	switch {
	case err == nil:
		return 0
	case errors.As(err, &wrong):
		fmt.Fprintln(os.Stderr, wrong)
		return 2
	case ctx.Err() != nil:
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
