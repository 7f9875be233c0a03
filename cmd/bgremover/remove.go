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
	var output string
	var force bool
	cmd := &cobra.Command{
		Use:   "remove PHOTO...",
		Short: "Cut out photos on this machine, without a server.",
		Long: `Cuts out each photo and writes PHOTO.cutout.png beside it, or where --output
says: a file for one photo, a folder for several. A folder stands for the photos
in it. "-" reads the photo from standard input or writes the picture to standard
output. Nothing is overwritten unasked.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
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
				run := removal{cmd, line, options, output, force, len(photos) > 1}
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
	cmd.Flags().BoolVarP(&force, "force", "f", false, "overwrite results that are there already")
	cmd.Flags().StringVarP(&output, "output", "o", "", "where to write: a `FILE`, a folder, or - for standard output")
	return cmd
}

// removal is one run of the command.
type removal struct {
	cmd     *cobra.Command
	line    *app.Line
	options cutout.Options
	output  string
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
	target := targetOf(photo, r.output, r.options, r.several)
	if target == "-" {
		_, err = r.cmd.OutOrStdout().Write(result.File)
		return "", err
	}
	switch result.Subject {
	case cutout.SubjectNone:
		said = " (no subject was found)"
	case cutout.SubjectUnsure:
		said = " (it is not clear what belongs to the subject: look closely)"
	}
	return target + said, write(target, result.File, r.force)
}
