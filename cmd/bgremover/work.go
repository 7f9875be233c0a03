package main

import (
	"context"
	"fmt"
	"image/color"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"bgremover.pro/core/app"
	"bgremover.pro/core/batch"
	"bgremover.pro/core/config"
	"bgremover.pro/core/cutout"
	"bgremover.pro/core/video"
)

// removal is one run of the command.
type removal struct {
	*removeFlags
	stdin  io.Reader
	stdout io.Writer
	report *tally
	cut    func(ctx context.Context, upload []byte) (*cutout.Result, error)
	engine *app.Engine      // nil with a server
	limits config.Inference // of this machine
}

// result is what is reported about a file that was cut out.
type result struct {
	width, height, frames int
	subject               cutout.Subject
	run                   cutout.Run
	took                  time.Duration
}

// maxFile bounds a photo's file, which is read into memory.
const maxFile = 1 << 30

// photo cuts out one photo and writes the result.
func (r *removal) photo(ctx context.Context, file batch.File) (result, error) {
	if err := r.free(file); err != nil {
		return result{}, err
	}
	before := version(file)
	upload, err := r.read(file)
	if err != nil {
		return result{}, err
	}
	made, err := r.cut(ctx, upload)
	switch {
	case err != nil:
		return result{}, cutout.Wrap(cutout.CodeOf(err), err, cutout.MessageOf(err))
	case version(file) != before:
		return result{}, cutout.Errorf(cutout.Invalid, "the file changed while it was being processed")
	case file.Target == "-":
		_, err = r.stdout.Write(made.File)
	default:
		err = batch.Write(file.Target, made.File, r.replaces(file))
		batch.Date(file)
	}
	return result{width: made.Width, height: made.Height, subject: made.Subject, run: made.Run}, err
}

// replaces reports whether an existing result may be overwritten: one made from a
// folder is an older one of this program's.
func (r *removal) replaces(file batch.File) bool { return r.force || file.Found }

// free reports early what could not be written later.
func (r *removal) free(file batch.File) error {
	info, err := os.Stat(file.Target)
	if err == nil && (info.Mode().IsRegular() || info.IsDir() && file.Video) && !r.replaces(file) {
		return fmt.Errorf("%s exists; use --force to overwrite it", file.Target)
	}
	return nil
}

// version identifies a state of a file.
func version(file batch.File) string {
	info, err := os.Stat(file.Path)
	if err != nil || file.Path == "-" {
		return ""
	}
	return fmt.Sprint(info.ModTime().UnixNano(), info.Size())
}

func (r *removal) read(file batch.File) ([]byte, error) {
	in := r.stdin
	if file.Path != "-" {
		f, err := os.Open(file.Path)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	upload, err := io.ReadAll(io.LimitReader(in, maxFile+1))
	if err == nil && len(upload) > maxFile {
		err = cutout.Errorf(cutout.TooLarge, "the file is larger than %d MiB", maxFile>>20)
	}
	return upload, err
}

// parseVideo chooses what videos become, and the options for them.
func (f *removeFlags) parseVideo() (err error) {
	o := f.options
	kind := f.video
	if kind == "" {
		kind = map[string]string{".mov": "prores", ".webm": "vp9", ".mp4": "mp4"}[strings.ToLower(filepath.Ext(f.to))]
	}
	if f.kind, err = video.ParseKind(kind, o.Background != nil || o.Output == cutout.Matte); err != nil {
		return err
	}
	o.Format, o.Depth = "", 8
	if o.Mode == "" {
		o.Mode = cutout.Fast
	}
	if f.kind == video.MP4 && o.Background == nil {
		o.Background = cutout.Plain(color.NRGBA{R: 255, G: 255, B: 255, A: 255})
	}
	f.videoOptions = o
	return nil
}

// clip cuts out one video.
func (r *removal) clip(ctx context.Context, file batch.File) (result, error) {
	switch {
	case r.engine == nil:
		return result{}, cutout.Errorf(cutout.Invalid, "videos are cut out on this machine, not by a server: leave out --server")
	case file.Target == "-":
		return result{}, cutout.Errorf(cutout.Invalid, "a video cannot be written to standard output: name a file with --to")
	}
	if err := r.free(file); err != nil {
		return result{}, err
	}
	if _, err := os.Stat(file.Path); err != nil {
		return result{}, err
	}
	clip, err := video.Probe(ctx, file.Path)
	if err != nil {
		return result{}, err
	}
	clip = clip.Fit(r.kind)
	if most := r.limits; clip.Width > most.MaxSide || clip.Height > most.MaxSide || clip.Width*clip.Height > most.MaxPixels {
		return result{}, cutout.Errorf(cutout.TooManyPixels, "the video has %dx%d pixels; the limit is %d a side and %d in all", clip.Width, clip.Height, most.MaxSide, most.MaxPixels)
	}
	frames, err := r.engine.Pipeline.Frames(ctx, r.videoOptions, clip.Width, clip.Height)
	if err != nil {
		return result{}, err
	}
	partial, err := batch.Begin(file.Target, r.replaces(file))
	if err != nil {
		return result{}, err
	}
	defer partial.Drop()
	if r.kind == video.PNG {
		if err := os.Mkdir(partial.Path, 0o755); err != nil { //nolint:gosec // the user's own pictures
			return result{}, err
		}
	}
	n, err := video.Remove(ctx, video.Job{
		Path: file.Path, Clip: clip, Target: partial.Path, Kind: r.kind, Cutter: frames,
		Progress: r.report.frames(file.Path, clip.Frames),
	})
	if err == nil {
		err = partial.Finish()
		batch.Date(file)
	}
	return result{width: clip.Width, height: clip.Height, frames: n, subject: cutout.SubjectFound,
		run: cutout.Run{Mode: r.videoOptions.Mode, Model: r.videoOptions.Model, Backend: r.videoOptions.Backend}}, err
}
