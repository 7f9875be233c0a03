package video

import (
	"context"
	"errors"
	"io"
	"os/exec"
	"path/filepath"

	"golang.org/x/sync/errgroup"

	"bgremover.pro/core/cutout"
)

// Cutter cuts out one frame, in three steps, which run at the same time for three
// frames.
type Cutter interface {
	// Find finds the subject.
	Find(ctx context.Context, photo *cutout.Photo) (*cutout.Mask, error)
	// Matte makes the alpha of it, in the frame's size.
	Matte(ctx context.Context, photo *cutout.Photo, found *cutout.Mask) (*cutout.Mask, error)
	// Dress applies it; the photo may be changed.
	Dress(ctx context.Context, photo *cutout.Photo, alpha *cutout.Mask) (*cutout.Photo, error)
}

// Job is one video.
type Job struct {
	Path string
	Clip Clip // as Probe returned it
	// Target is where the result is written: a file or, for PNG, an empty folder.
	Target string
	Kind   Kind
	Cutter Cutter
	// Unsteady leaves each frame its own alpha.
	Unsteady bool
	// Progress, if set, is called after each frame.
	Progress func(frames int)
}

// Fit makes a clip's size one that the kind of result can have.
func (c Clip) Fit(kind Kind) Clip {
	if kind == MP4 || kind == VP9 {
		c.Width, c.Height = even(c.Width), even(c.Height)
	}
	return c
}

// ahead is how many frames wait between two steps.
const ahead = 2

// frame is one frame on its way. Its mask is what was found, then the alpha.
type frame struct {
	photo *cutout.Photo
	mask  *cutout.Mask
}

// run is one job in progress: frames go from one goroutine to the next.
type run struct {
	Job
	read, found, matted, dressed chan frame
	spent                        chan []uint8 // frames' memory, to be used again
}

// Remove cuts the subject out of a video and returns how many frames it has. When
// it returns, the programs that it started have ended. Codes: Invalid (ffmpeg cannot
// read or write it, or there is none), those of the Cutter.
func Remove(ctx context.Context, job Job) (frames int, err error) {
	r := &run{Job: job, read: make(chan frame, ahead), found: make(chan frame, ahead), matted: make(chan frame, ahead),
		dressed: make(chan frame, ahead), spent: make(chan []uint8, 4*ahead+5)}
	steady := newSmoother(job.Clip.Width, job.Clip.Height)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return r.decode(ctx) })
	group.Go(func() error {
		return step(ctx, r.read, r.found, func(f *frame) (err error) {
			f.mask, err = job.Cutter.Find(ctx, f.photo)
			return err
		})
	})
	group.Go(func() error {
		return step(ctx, r.found, r.matted, func(f *frame) (err error) {
			f.mask, err = job.Cutter.Matte(ctx, f.photo, f.mask)
			return err
		})
	})
	group.Go(func() error {
		return step(ctx, r.matted, r.dressed, func(f *frame) (err error) {
			if !job.Unsteady {
				steady.smooth(f.photo, f.mask)
			}
			f.photo, err = job.Cutter.Dress(ctx, f.photo, f.mask)
			return err
		})
	})
	group.Go(func() error {
		frames, err = r.encode(ctx)
		return err
	})
	if err := group.Wait(); err != nil {
		return 0, err
	}
	if frames == 0 {
		return 0, cutout.Errorf(cutout.Invalid, "There is no frame in the video.")
	}
	return frames, nil
}

// decode has ffmpeg read the video, and sends its frames on.
func (r *run) decode(ctx context.Context) error {
	cmd := command(ctx, "ffmpeg", decoding(r.Path, r.Clip)...)
	complaint := &tail{}
	cmd.Stderr = complaint
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return failed(ctx, err, "read", r.Path, complaint)
	}
	readErr := r.frames(ctx, out)
	drained(out)
	if err := cmd.Wait(); err != nil {
		return failed(ctx, err, "read", r.Path, complaint)
	}
	if readErr == nil {
		close(r.read)
	}
	return readErr
}

func (r *run) frames(ctx context.Context, out io.Reader) error {
	size := 4 * r.Clip.Width * r.Clip.Height
	for {
		var pix []uint8
		select {
		case pix = <-r.spent:
		default:
			pix = make([]uint8, size)
		}
		if _, err := io.ReadFull(out, pix); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return cutout.Wrap(cutout.Internal, err, "A frame of the video is not complete.")
		}
		photo := &cutout.Photo{Width: r.Clip.Width, Height: r.Clip.Height, Pix: pix}
		photo.Opaque = opaque(pix)
		if err := pass(ctx, r.read, frame{photo: photo}); err != nil {
			return err
		}
	}
}

func opaque(pix []uint8) bool {
	for i := 3; i < len(pix); i += 4 {
		if pix[i] != 255 {
			return false
		}
	}
	return true
}

// step does one thing with each frame and sends it on.
func step(ctx context.Context, from <-chan frame, to chan<- frame, do func(*frame) error) error {
	for {
		f, more, err := next(ctx, from)
		if !more {
			close(to)
			return nil
		}
		if err != nil {
			return err
		}
		if err := do(&f); err != nil {
			return err
		}
		if err := pass(ctx, to, f); err != nil {
			return err
		}
	}
}

// next waits for a frame; there are no more after the last. A step that fails leaves
// its channel open, so that nothing after it ends as if all were well.
func next(ctx context.Context, from <-chan frame) (f frame, more bool, err error) {
	select {
	case f, more = <-from:
		return f, more, nil
	case <-ctx.Done():
		return f, true, context.Cause(ctx)
	}
}

func pass(ctx context.Context, to chan<- frame, f frame) error {
	select {
	case to <- f:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// encode has ffmpeg write the frames.
func (r *run) encode(ctx context.Context) (frames int, err error) {
	cmd := command(ctx, "ffmpeg", encoding(r.Path, r.Target, r.Clip, r.Kind)...)
	if r.Kind == PNG {
		cmd.Dir = r.Target
	}
	complaint := &tail{}
	cmd.Stderr = complaint
	in, err := cmd.StdinPipe()
	if err != nil {
		return 0, err
	}
	if err := cmd.Start(); err != nil {
		return 0, failed(ctx, err, "write", filepath.Base(r.Target), complaint)
	}
	frames, writeErr := r.write(ctx, in)
	_ = in.Close()
	if err := cmd.Wait(); err != nil {
		return 0, failed(ctx, err, "write", r.Target, complaint)
	}
	return frames, errors.Join(writeErr, ctx.Err())
}

func (r *run) write(ctx context.Context, in io.Writer) (frames int, err error) {
	for {
		f, more, err := next(ctx, r.dressed)
		if err != nil || !more {
			return frames, err
		}
		if _, err := in.Write(f.photo.Pix); err != nil {
			return frames, err
		}
		frames++
		select {
		case r.spent <- f.photo.Pix:
		default:
		}
		if r.Progress != nil {
			r.Progress(frames)
		}
	}
}

// Available returns an error that says what to install where ffmpeg is missing.
func Available() error {
	for _, name := range []string{"ffmpeg", "ffprobe"} {
		if _, err := exec.LookPath(name); err != nil {
			return errNoTool
		}
	}
	return nil
}
