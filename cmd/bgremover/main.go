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
	root := &cobra.Command{Use: "bgremover", Short: "Removes the background from photos."}
	root.AddCommand(
		serveCommand(), removeCommand(), modelsCommand(), backendsCommand(),
		configCommand(), statusCommand(), errorsCommand(), actionsCommand(), limitsCommand(), devicesCommand(), healthCommand(), edgeCommand(), benchCommand(), docsCommand(),
	)
	return root
}
