package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"bgremover.pro/core/config"
)

func configCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Check and show the settings.",
		Long: `Settings come from the defaults, then bgremover.toml (or the file named by
BGREMOVER_CONFIG), then BGREMOVER_* variables, then flags; later sources win.`,
	}
	cmd.AddCommand(configCheckCommand(), configPrintCommand(), configReloadCommand(), configExampleCommand(), configKeyCommand(), configSecretCommand())
	return cmd
}

func configCheckCommand() *cobra.Command {
	return withSettings(&cobra.Command{
		Use:   "check",
		Short: "Report every mistake in the settings; exit status 2 if there is any.",
	}, func(cmd *cobra.Command, c *config.Config) error {
		file := "no settings file"
		if c.File != "" {
			file = c.File
		}
		fmt.Fprintf(cmd.OutOrStdout(), "The settings are valid (%s).\n", file)
		return nil
	})
}

func configPrintCommand() *cobra.Command {
	return withSettings(&cobra.Command{
		Use:   "print",
		Short: "Show every setting and where its value comes from, without secrets.",
	}, func(cmd *cobra.Command, c *config.Config) error {
		return c.Print(cmd.OutOrStdout())
	})
}

func configExampleCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "example",
		Short: "Write a settings file that explains every setting and sets none.",
		Args:  cobra.NoArgs,
		Run:   func(cmd *cobra.Command, _ []string) { config.Example(cmd.OutOrStdout()) },
	}
}

func configKeyCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "key NAME RATE",
		Short: "Create an API key for a program, for example: key shop 1000/1h",
		Long: `Creates a random API key and the entry for api_keys that gives it its own rate
limit. The entry holds only the key's hash: the key itself is shown once.`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			key, entry, err := config.NewAPIKey(args[0], args[1])
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "key for the program:   %s\nentry for api_keys:    %s\n", key, entry)
			return nil
		},
	}
}

func configSecretCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "secret FILE",
		Short: "Create a secret file, for device_secret_file or admin_token_file.",
		Long: `Writes 32 random bytes as text to a file that only its owner can read. An
existing file is left alone, so containers that start together can all run this.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			_, made, err := config.SecretFile(args[0])
			if err == nil && made {
				fmt.Fprintln(cmd.OutOrStdout(), "made", args[0])
			}
			return err
		},
	}
}

// withSettings returns the command with the flags of serve added; it fails if
// the settings are not valid.
func withSettings(cmd *cobra.Command, work func(*cobra.Command, *config.Config) error) *cobra.Command {
	cmd.Args = cobra.NoArgs
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := config.Load(config.Sources{Environ: os.Environ(), Flags: cmd.Flags()})
		if err != nil {
			return err
		}
		return work(cmd, c)
	}
	config.AddFlags(cmd.Flags())
	return cmd
}
