package main

import (
	"context"
	"log/slog"
	"os"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"bgremover.pro/cmd/internal/cli"
	"bgremover.pro/core/app"
	"bgremover.pro/core/batch"
	"bgremover.pro/core/config"
	"bgremover.pro/core/cutout"
	"bgremover.pro/core/remote"
	"bgremover.pro/core/video"
)

const removeHelp = `Cuts out each photo and writes PHOTO.cutout.png next to it, or to the path given
with --to: a file for one photo, a folder for several. "-" reads a photo from
standard input, or writes the result to standard output. Existing files are
overwritten only with --force.

A folder as an argument means the photos in it and in folders inside it, hidden
ones and results of this program left out. With --to, results keep the folders'
structure. A photo of a folder is skipped if its result exists and is at least as
new as the photo; an older result is made again, and with --force, all are. Photos
that differ only in their endings keep them: a.jpg.cutout.png, a.png.cutout.png.
With --watch the command goes on until it is interrupted, and takes each photo that
appears or changes as soon as it is completely written.

A photo that fails does not stop the others. The exit status is 0 if all succeeded,
1 if some failed, 2 for invalid settings, 130 if interrupted (with --watch: 0 or 1).

With --json each file is one line on standard output, an object with these fields:
file, output, status (done, skipped or failed), subject (found, unsure or none),
width, height, frames (of a video), ms, backend, model, mode, code and error (of
those that failed; the code is that of the API, or "file" for what the system
refuses to read or write).

With --server photos are sent to a server instead, which needs no model here. If
it is busy or a limit is reached, photos wait as it says, up to --patience each.

A video, such as clip.mp4, is cut out frame by frame through ffmpeg, which must be
installed, to clip.cutout.mov, clip.cutout.webm, clip.cutout.mp4, or the folder
clip.cutout; its sound is kept except in a folder. Over a background the default is
mp4, else prores. The mode is fast unless one is named. crop, aspect, size, margin, keep,
remove, hints and box do not apply.`

// removeFlags are the flags besides the API's options.
type removeFlags struct {
	wishes
	to           string
	force, watch bool
	json         bool
	jobs         int
	server, key  string
	patience     time.Duration
	options      cutout.Options
	videoOptions cutout.Options
	kind         video.Kind
	names        batch.Naming
}

func removeCommand() *cobra.Command {
	f := &removeFlags{}
	cmd := &cobra.Command{
		Use:   "remove PHOTO|VIDEO|FOLDER...",
		Short: "Cut out photos and videos on this machine, or through a server.",
		Long:  removeHelp,
		Args:  cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.parse(); err != nil {
				return err
			}
			return f.run(cmd, args)
		},
	}
	f.add(cmd)
	flags := cmd.Flags()
	flags.BoolVarP(&f.force, "force", "f", false, "overwrite existing files, and redo all results")
	flags.StringVarP(&f.to, "to", "o", "", "write to `PATH`: a file, a folder, or - for standard output")
	flags.IntVarP(&f.jobs, "jobs", "j", 2, "photos in progress at a time, 1 to 64")
	flags.BoolVarP(&f.watch, "watch", "w", false, "continue with photos that appear in the folders, until interrupted")
	flags.BoolVar(&f.json, "json", false, "one JSON object for each file on standard output")
	flags.StringVar(&f.server, "server", "", "send photos to the server at `URL`, such as https://example.org")
	flags.StringVar(&f.key, "key", "", "the server's API key (better: in BGREMOVER_SERVER_KEY, which other users cannot see)")
	flags.DurationVar(&f.patience, "patience", 5*time.Minute, "how long a photo may wait for a busy server")
	return cmd
}

// run finds the files, and then what cuts them out: nothing is started if there is nothing
// to do.
func (f *removeFlags) run(cmd *cobra.Command, args []string) error {
	ctx := cmd.Context()
	r := &removal{removeFlags: f, stdin: cmd.InOrStdin(), stdout: cmd.OutOrStdout(), report: newTally(cmd, f)}
	var files []batch.File
	if !f.watch {
		files = r.plan(ctx, args)
		if ctx.Err() != nil || len(files) == 0 {
			return r.report.end(ctx, args)
		}
	}
	r.report.begin(files)
	work := func() error {
		if f.watch {
			if err := r.watch(ctx, args); err != nil {
				return err
			}
			if err := r.report.end(context.WithoutCancel(ctx), args); err != nil {
				return cli.FailedError{Err: err}
			}
			return nil
		}
		r.all(ctx, files)
		return r.report.end(ctx, args)
	}
	if f.server != "" {
		return r.remotely(work)
	}
	settings, err := config.Load(config.Sources{Environ: os.Environ()})
	if err != nil {
		return err
	}
	settings.Inference.Workers, settings.Inference.Queue = f.jobs, f.jobs
	r.limits = settings.Inference
	quiet := slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), &slog.HandlerOptions{Level: slog.LevelError}))
	var outcome error
	err = app.WithEngine(ctx, settings, quiet, func(engine *app.Engine) error {
		r.engine, r.cut = engine, func(ctx context.Context, upload []byte) (*cutout.Result, error) {
			return engine.Pipeline.Remove(ctx, cutout.Job{Upload: upload, Options: f.options})
		}
		outcome = work()
		return outcome
	})
	if f.watch && ctx.Err() != nil {
		return outcome // an interrupt is how it ends
	}
	return err
}

// remotely works with the server's help.
func (r *removal) remotely(work func() error) error {
	client, err := remote.New(r.server, r.key)
	if err != nil {
		return err
	}
	defer client.Close()
	values, pictures, err := r.fields(r.options)
	if err != nil {
		return err
	}
	client.Patience, client.Waiting = r.patience, r.report.waiting
	photo := remote.Photo{Options: values, Files: pictures}
	r.cut = func(ctx context.Context, upload []byte) (*cutout.Result, error) {
		p := photo
		p.File = upload
		return client.Remove(ctx, p)
	}
	return work()
}

// plan lists what is to be done; the rest is reported at once.
func (r *removal) plan(ctx context.Context, args []string) (files []batch.File) {
	found, problems := batch.Find(ctx, args, r.names)
	for _, p := range problems {
		r.report.failed(batch.File{Path: p.Path}, p.Err)
	}
	for _, file := range found {
		if file.Found && !r.force && file.Done() {
			r.report.skipped(file)
			continue
		}
		files = append(files, file)
	}
	return files
}

// all works on the files, several at once, until ctx ends.
func (r *removal) all(ctx context.Context, files []batch.File) {
	var group errgroup.Group
	group.SetLimit(r.jobs)
	for _, file := range files {
		if ctx.Err() != nil {
			break
		}
		group.Go(func() error { r.one(ctx, file); return nil })
	}
	_ = group.Wait() // each reports for itself
}

// watch works on files as they come.
func (r *removal) watch(ctx context.Context, folders []string) error {
	var group errgroup.Group
	group.SetLimit(r.jobs)
	err := batch.Watch(ctx, folders, r.names,
		func(file batch.File) { group.Go(func() error { r.one(ctx, file); return nil }) },
		func(p batch.Problem) { r.report.failed(batch.File{Path: p.Path}, p.Err) })
	_ = group.Wait()
	return err
}

// one works on one file and reports how it went; an interrupted one is left out.
func (r *removal) one(ctx context.Context, file batch.File) {
	if ctx.Err() != nil {
		return
	}
	began := time.Now()
	var made result
	var err error
	if file.Video {
		made, err = r.clip(ctx, file)
	} else {
		made, err = r.photo(ctx, file)
	}
	made.took = time.Since(began)
	switch {
	case ctx.Err() != nil && err != nil:
	case err != nil:
		r.report.failed(file, err)
	default:
		r.report.done(file, made)
	}
}

func (f *removeFlags) check() error {
	switch {
	case f.jobs < 1 || f.jobs > 64:
		return cutout.Errorf(cutout.Invalid, "jobs is a number from 1 to 64")
	case f.patience < 0:
		return cutout.Errorf(cutout.Invalid, "patience is a time such as 5m")
	case f.json && f.to == "-":
		return cutout.Errorf(cutout.Invalid, "--json and the result cannot both go to standard output")
	case f.watch && f.to == "-":
		return cutout.Errorf(cutout.Invalid, "--watch writes to files, not to standard output")
	case f.server != "" && f.video != "":
		return cutout.Errorf(cutout.Invalid, "--video does not go together with --server: videos are cut out on this machine")
	case f.server == "" && f.key != "":
		return cutout.Errorf(cutout.Invalid, "--key is for --server")
	}
	return nil
}

// parse checks the flags. Code: Invalid.
func (f *removeFlags) parse() (err error) {
	if former := f.formerOutput(); f.to == "" {
		f.to = former
	}
	if err := f.check(); err != nil {
		return err
	}
	if f.options, err = f.wishes.options(); err != nil {
		return err
	}
	if f.key == "" {
		f.key = os.Getenv("BGREMOVER_SERVER_KEY")
	}
	if err := f.parseVideo(); err != nil {
		return err
	}
	result := "." + string(f.options.Output)
	f.names = batch.Naming{
		To: f.to, Photo: result + f.options.Format.Extension(), Video: result + f.kind.Ending(), Videos: f.video != "",
	}
	return nil
}
