package main

import (
	"errors"
	"fmt"
	"log/slog"
	"os"

	"github.com/spf13/cobra"

	"bgremover.pro/core/app"
	"bgremover.pro/core/config"
	"bgremover.pro/core/cutout"
)

func removeCommand() *cobra.Command {
	var wish wishes
	var target string
	var force bool
	cmd := &cobra.Command{
		Use:   "remove PHOTO...",
		Short: "Cut out photos on this machine, without a server.",
		Long: `Cuts out each photo and writes PHOTO.cutout.png beside it, or to the path given
with --to: a file for one photo, a folder for several. A folder as an argument
means all photos directly inside it. "-" reads a photo from standard input, or
writes the result to standard output. Existing files are overwritten only with
--force.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if former := wish.formerOutput(); target == "" {
				target = former
			}
			options, err := wish.options()
			if err != nil {
				return err
			}
			photos, err := photosIn(args)
			if err != nil {
				return err
			}
			settings, err := config.Load(config.Sources{Environ: os.Environ()})
			if err != nil {
				return err
			}
			quiet := slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), &slog.HandlerOptions{Level: slog.LevelError}))
			return app.WithLine(cmd.Context(), settings, quiet, func(line *app.Line) error {
				run := removal{cmd, line, options, target, force, len(photos) > 1}
				bar := newPhotoBar(cmd.ErrOrStderr(), len(photos))
				failed := 0
				for _, photo := range photos {
					said, err := run.one(photo)
					if cmd.Context().Err() != nil {
						return cmd.Context().Err()
					}
					if err != nil {
						failed++
						said = fmt.Sprintf("%s: %v", photo, err)
					}
					if said != "" {
						bar.say(said)
					}
					bar.done()
				}
				if failed > 0 {
					return fmt.Errorf("%d of %d photos failed", failed, len(photos))
				}
				return nil
			})
		},
	}
	wish.add(cmd)
	cmd.Flags().BoolVarP(&force, "force", "f", false, "overwrite existing files")
	cmd.Flags().StringVarP(&target, "to", "o", "", "write to `PATH`: a file, a folder, or - for standard output")
	return cmd
}

// removal is one invocation of the command.
type removal struct {
	cmd     *cobra.Command
	line    *app.Line
	options cutout.Options
	target  string
	force   bool
	several bool
}

// one cuts out one photo and returns a line to print, if any.
func (r removal) one(photo string) (said string, err error) {
	upload, err := readPhoto(r.cmd.InOrStdin(), photo)
	if err != nil {
		return "", err
	}
	result, err := r.line.Pipeline.Remove(r.cmd.Context(), cutout.Job{Upload: upload, Options: r.options})
	if err != nil {
		return "", errors.New(cutout.MessageOf(err))
	}
	target := targetOf(photo, r.target, r.options, r.several)
	if target == "-" {
		_, err = r.cmd.OutOrStdout().Write(result.File)
		return "", err
	}
	switch result.Subject {
	case cutout.SubjectNone:
		said = " (no subject found)"
	case cutout.SubjectUnsure:
		said = " (the subject is uncertain; check the result)"
	}
	return target + said, write(target, result.File, r.force)
}
