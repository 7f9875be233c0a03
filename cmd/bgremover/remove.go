package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"bgremover.pro/core/app"
	"bgremover.pro/core/config"
	"bgremover.pro/core/cutout"
)

func removeCommand() *cobra.Command {
	var wish wishes
	var output string
	cmd := &cobra.Command{
		Use:   "remove PHOTO...",
		Short: "Cut out photos on this machine, without a server.",
		Long: `Cuts out each photo and writes PHOTO.cutout.png beside it, or where --output
says: a file for one photo, a folder for several. "-" reads the photo from
standard input or writes the picture to standard output.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, photos []string) error {
			options, err := wish.options()
			if err != nil {
				return err
			}
			settings, err := config.Load(config.Sources{Environ: os.Environ()})
			if err != nil {
				return err
			}
			quiet := slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), &slog.HandlerOptions{Level: slog.LevelError}))
			return app.WithLine(cmd.Context(), settings, quiet, func(line *app.Line) error {
				var failed []error
				for _, photo := range photos {
					target := targetOf(photo, output, options, len(photos) > 1)
					if err := removeOne(cmd, line, photo, target, options); err != nil {
						failed = append(failed, fmt.Errorf("%s: %w", photo, err))
					}
				}
				return errors.Join(failed...)
			})
		},
	}
	wish.add(cmd)
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

// targetOf says where the result of a photo goes.
func targetOf(photo, output string, options cutout.Options, several bool) string {
	name := strings.TrimSuffix(filepath.Base(photo), filepath.Ext(photo)) + "." + string(options.Output) + options.Format.Extension()
	switch {
	case output == "" && photo == "-", output == "-":
		return "-"
	case output == "":
		return filepath.Join(filepath.Dir(photo), name)
	}
	if info, err := os.Stat(output); several || err == nil && info.IsDir() {
		return filepath.Join(output, name)
	}
	return output
}

func removeOne(cmd *cobra.Command, line *app.Line, photo, target string, options cutout.Options) error {
	upload, err := readPhoto(cmd.InOrStdin(), photo)
	if err != nil {
		return err
	}
	result, err := line.Pipeline.Remove(cmd.Context(), cutout.Job{Upload: upload, Options: options})
	if err != nil {
		return errors.New(cutout.MessageOf(err))
	}
	if !result.Subject {
		fmt.Fprintf(cmd.ErrOrStderr(), "%s: no subject was found\n", photo)
	}
	if target == "-" {
		_, err = cmd.OutOrStdout().Write(result.File)
		return err
	}
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil { //nolint:gosec // a folder of the person's own pictures
		return err
	}
	if err := os.WriteFile(target, result.File, 0o644); err != nil { //nolint:gosec // a picture of the person's own
		return err
	}
	fmt.Fprintln(cmd.ErrOrStderr(), target)
	return nil
}

func readPhoto(stdin io.Reader, photo string) ([]byte, error) {
	if photo == "-" {
		return io.ReadAll(stdin)
	}
	return os.ReadFile(photo)
}
