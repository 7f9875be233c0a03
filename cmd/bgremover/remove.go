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

// wishes are the options as flags.
type wishes struct {
	mode, format, output, edges, background string
	depth                                   int
	model, backend                          string
	anyway                                  bool
}

func (w *wishes) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&w.mode, "mode", "", "auto, fast or best (default: the configured one)")
	flags.StringVar(&w.format, "format", "", "png, webp or jpeg")
	flags.StringVar(&w.output, "what", "", "cutout or mask")
	flags.StringVar(&w.edges, "edges", "", "refined or raw")
	flags.StringVar(&w.background, "background", "", "a colour such as #ffffff")
	flags.IntVar(&w.depth, "depth", 8, "8, or 16 for PNG")
	flags.StringVar(&w.model, "model", "", "an installed model")
	flags.StringVar(&w.backend, "backend", "", "a configured backend")
	flags.BoolVar(&w.anyway, "anyway", false, "keep what little was found in a photo without a subject")
}

// options checks the flags. Code: Invalid, all mistakes together.
func (w *wishes) options() (o cutout.Options, err error) {
	var problems [5]error
	if w.mode != "" {
		o.Mode, problems[0] = cutout.ParseMode(w.mode)
	}
	o.Format, problems[1] = cutout.ParseFormat(w.format)
	o.Output, problems[2] = cutout.ParseOutput(w.output)
	o.Edges, problems[3] = cutout.ParseEdges(w.edges)
	o.Background, problems[4] = cutout.ParseColor(w.background)
	if w.depth != 8 && w.depth != 16 {
		err = cutout.Errorf(cutout.Invalid, "depth is 8 or 16")
	}
	o.Depth, o.Model, o.Backend, o.Anyway = w.depth, w.model, w.backend, w.anyway
	return o, errors.Join(append(problems[:], err)...)
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
	if !result.Subject {
		said = " (no subject was found)"
	}
	return target + said, write(target, result.File, r.force)
}
