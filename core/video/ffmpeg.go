package video

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"bgremover.pro/core/cutout"
)

// Kind is what a video becomes.
type Kind string

// The kinds.
const (
	ProRes Kind = "prores" // ProRes 4444 with alpha, for editing
	VP9    Kind = "vp9"    // VP9 with alpha, for the web
	PNG    Kind = "png"    // one PNG for each frame, in a folder
	MP4    Kind = "mp4"    // H.264 over a background
)

// Ending is what a result's name ends with; frames are in a folder.
func (k Kind) Ending() string {
	switch k {
	case VP9:
		return ".webm"
	case PNG:
		return ""
	case MP4:
		return ".mp4"
	}
	return ".mov"
}

// ParseKind reads a kind; empty means MP4 over a background, else ProRes.
func ParseKind(s string, opaque bool) (Kind, error) {
	switch k := Kind(s); k {
	case "":
		if opaque {
			return MP4, nil
		}
		return ProRes, nil
	case ProRes, VP9, PNG, MP4:
		return k, nil
	}
	return "", cutout.Errorf(cutout.Invalid, "video is one of: prores, vp9, png, mp4")
}

// source names an input: a file only, also where its name looks like an option or an
// address, and no list of others.
func source(path string) []string {
	if full, err := filepath.Abs(path); err == nil {
		path = full
	}
	return []string{"-protocol_whitelist", "file,pipe", "-format_whitelist", "mov,matroska,avi", "-i", "file:" + path}
}

// decoding writes a video's frames as plain RGBA, upright, at a constant rate, all of
// one size, from the moment that its sound begins.
func decoding(path string, c Clip) []string {
	scale := fmt.Sprintf("scale=%d:%d:flags=bicubic", c.Width, c.Height)
	if c.untagged && c.Height >= 720 {
		scale += ":in_color_matrix=bt709" // as players take it
	}
	args := append([]string{"-v", "error", "-nostdin"}, source(path)...)
	return append(args, "-map", "0:V:0", "-vf", "fps=fps="+c.Rate+":start_time=0,"+scale+",setsar=1",
		"-f", "rawvideo", "-pix_fmt", "rgba", "pipe:1")
}

// encoding reads such frames and writes them, with the sound of the video.
func encoding(path, target string, c Clip, kind Kind) []string {
	args := []string{"-v", "error", "-f", "rawvideo", "-pix_fmt", "rgba",
		"-video_size", fmt.Sprintf("%dx%d", c.Width, c.Height), "-framerate", c.Rate, "-i", "pipe:0"}
	if kind == PNG {
		return append(args, "-f", "image2", "-c:v", "png", "%06d.png") // in the process's folder
	}
	pixels := map[Kind]string{ProRes: "yuva444p10le", VP9: "yuva420p", MP4: "yuv420p"}[kind]
	args = append(args, source(path)...)
	args = append(args, "-map", "0:v:0", "-map", "1:a:0?", "-map_metadata", "1",
		"-vf", "scale=out_color_matrix=bt709:out_range=tv,format="+pixels+",setparams=range=tv:color_primaries=bt709:color_trc=bt709:colorspace=bt709",
		"-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709", "-color_range", "tv")
	switch kind {
	case VP9:
		args = append(args, "-c:v", "libvpx-vp9", "-auto-alt-ref", "0", "-b:v", "0", "-crf", "24",
			"-deadline", "good", "-cpu-used", "4", "-row-mt", "1", "-c:a", sound(c.Audio, "libopus", "opus", "vorbis"), "-f", "webm")
	case MP4:
		args = append(args, "-c:v", "libx264", "-crf", "18", "-preset", "fast", "-movflags", "+faststart",
			"-c:a", sound(c.Audio, "aac", "aac", "mp3", "ac3"), "-f", "mp4")
	default:
		args = append(args, "-c:v", "prores_ks", "-profile:v", "4444", "-vendor", "apl0",
			"-c:a", sound(c.Audio, "pcm_s16le", "aac", "mp3", "alac", "pcm_s16le", "pcm_s24le"), "-f", "mov")
	}
	return append(args, "-y", "file:"+target)
}

// sound keeps a codec that the container holds, else names another.
func sound(codec, other string, holds ...string) string {
	for _, h := range holds {
		if codec == h {
			return "copy"
		}
	}
	return other
}

// command prepares a program that is killed when ctx ends, and of which nothing is
// waited for longer than that.
func command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...) //nolint:gosec // two names, and arguments made here
	cmd.WaitDelay = 5 * time.Second
	return cmd
}

// failed explains how a program ended.
func failed(ctx context.Context, err error, doing, path string, complaint *tail) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.Is(err, exec.ErrNotFound):
		return errNoTool
	}
	return cutout.Wrap(cutout.Invalid, err, "ffmpeg cannot "+doing+" the video: "+complaint.last(path))
}

// tail keeps the end of a program's error output.
type tail struct{ bytes.Buffer }

func (t *tail) Write(p []byte) (int, error) {
	const most = 4 << 10
	n, err := t.Buffer.Write(p)
	if over := t.Len() - most; over > 0 {
		t.Next(over)
	}
	return n, err
}

// last returns its last line, without the path of the file.
func (t *tail) last(path string) string {
	lines := strings.Split(strings.TrimSpace(t.String()), "\n")
	line := strings.TrimSpace(lines[len(lines)-1])
	full, _ := filepath.Abs(path)
	for _, name := range []string{"file:" + full, full} {
		if name != "" {
			line = strings.TrimPrefix(line, name+": ")
		}
	}
	if line == "" {
		return "it gave no reason."
	}
	return strings.TrimSuffix(line, ".") + "."
}

// drained reads until a program ends, so that the program does not wait for us.
func drained(r io.Reader) { _, _ = io.Copy(io.Discard, r) }

func even(n int) int { return max(2, n&^1) }
