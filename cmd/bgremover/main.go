// Command bgremover removes the background from photos: as a web server, or
// for single files on the command line.
package main

import (
	"github.com/spf13/cobra"

	"bgremover.pro/cmd/internal/cli"
)

func main() {
	cli.Main(rootCommand())
}

func rootCommand() *cobra.Command {
	root := &cobra.Command{Use: "bgremover", Short: "Removes the background from photos.", Long: `Removes the background from photos: as a web server (serve), or from files on this
machine (remove).

Settings come from bgremover.toml in the current folder, or the file that
BGREMOVER_CONFIG names, then from BGREMOVER_* variables, then from the flags of serve;
"bgremover config print" shows each with its origin. Commands about a running server find
the one that runs on this machine with the same settings, and read its token from the
data folder: run them as the server's user, or as root.`}
	root.AddCommand(
		serveCommand(), removeCommand(), modelsCommand(), backendsCommand(),
		configCommand(), statusCommand(), errorsCommand(), actionsCommand(), limitsCommand(), devicesCommand(), healthCommand(), edgeCommand(), benchCommand(), docsCommand(),
	)
	explain(root)
	return root
}
