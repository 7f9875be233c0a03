package main

import (
	"os"
	"path/filepath"
	"syscall"

	"github.com/spf13/cobra"

	"bgremover.pro/core/cutout"
)

// benchCommand becomes the program bgremover-bench, which lies beside this one,
// so that the server does not carry what only measuring needs.
func benchCommand() *cobra.Command {
	return &cobra.Command{
		Use:                "bench PHOTO|FOLDER...",
		Short:              "Measure time, memory and quality on photos, and compare with peers.",
		DisableFlagParsing: true,
		RunE: func(_ *cobra.Command, args []string) error {
			self, err := os.Executable()
			if err != nil {
				return err
			}
			program := filepath.Join(filepath.Dir(self), "bgremover-bench")
			err = syscall.Exec(program, append([]string{program}, args...), os.Environ()) //nolint:gosec // our own program
			return cutout.Wrap(cutout.Internal, err, program+" cannot be started; make build puts it there.")
		},
	}
}
