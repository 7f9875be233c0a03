package main

import (
	"os"
	"path/filepath"
	"syscall"

	"github.com/spf13/cobra"

	"bgremover.pro/core/cutout"
)

// benchCommand replaces this process with bgremover-bench, from the same folder,
// so that the server binary does not contain what only benchmarks need.
func benchCommand() *cobra.Command {
	return &cobra.Command{
		Use:                "bench PHOTO|FOLDER...",
		Short:              "Measure time, memory and quality on photos, and compare with other programs.",
		Long:               "Measures time, memory and quality on photos, and compares with other programs.\n\"bgremover bench --help\" lists what it can measure, and its flags.",
		DisableFlagParsing: true,
		RunE: func(_ *cobra.Command, args []string) error {
			self, err := os.Executable()
			if err != nil {
				return err
			}
			program := filepath.Join(filepath.Dir(self), "bgremover-bench")
			err = syscall.Exec(program, append([]string{program}, args...), os.Environ()) //nolint:gosec // our own program
			return cutout.Wrap(cutout.Internal, err, "Cannot start "+program+"; run make build to build it.")
		},
	}
}
