package video

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"bgremover.pro/core/cutout"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// half keeps the left half of each frame.
type half struct{ each func() error }

func (h half) Find(_ context.Context, p *cutout.Photo) (*cutout.Mask, error) {
	m := &cutout.Mask{Width: p.Width, Height: p.Height, Pix: make([]uint8, p.Width*p.Height)}
	for i := range m.Pix {
		if i%p.Width < p.Width/2 {
			m.Pix[i] = 255
		}
	}
	if h.each != nil {
		return m, h.each()
	}
	return m, nil
}

func (half) Matte(_ context.Context, _ *cutout.Photo, found *cutout.Mask) (*cutout.Mask, error) {
	return found, nil
}

func (half) Dress(_ context.Context, p *cutout.Photo, m *cutout.Mask) (*cutout.Photo, error) {
	for i, a := range m.Pix {
		p.Pix[4*i+3] = a
	}
	return p, nil
}

// ffmpeg runs it; the arguments are split at spaces.
func ffmpeg(t *testing.T, args string) []byte {
	t.Helper()
	if err := Available(); err != nil {
		t.Fatal(err, "(run: ops/testing/install)")
	}
	cmd := exec.Command("ffmpeg", append([]string{"-v", "error", "-y"}, strings.Fields(args)...)...)
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("ffmpeg %s: %v: %s", args, err, complaint.String())
	}
	return out
}

const tones = "-f lavfi -i sine=frequency=440:duration=0.4"

// sample makes a video: red above, blue below, for 10 frames of 64x32, with sound.
func sample(t *testing.T, name, options string) string {
	t.Helper()
	plain := filepath.Join(t.TempDir(), "plain"+filepath.Ext(name))
	ffmpeg(t, "-f lavfi -i color=red:size=64x16:rate=25:duration=0.4 -f lavfi -i color=blue:size=64x16:rate=25:duration=0.4 "+tones+
		" -filter_complex vstack -c:v libx264 -crf 1 -pix_fmt yuv420p "+options+" "+plain)
	path := filepath.Join(filepath.Dir(plain), name)
	if err := os.Rename(plain, path); err != nil {
		t.Fatal(err)
	}
	return path
}

// pixel returns R, G, B, A of a frame of a result.
func pixel(t *testing.T, path, decoder string, c Clip, x, y int) [4]uint8 {
	t.Helper()
	frame := ffmpeg(t, decoder+" -i "+path+" -frames:v 1 -f rawvideo -pix_fmt rgba pipe:1")
	if len(frame) != 4*c.Width*c.Height {
		t.Fatalf("a frame has %d bytes instead of %d", len(frame), 4*c.Width*c.Height)
	}
	return [4]uint8(frame[4*(y*c.Width+x):])
}

func similar(a, b [4]uint8) bool {
	for i := range a {
		if max(a[i], b[i])-min(a[i], b[i]) > 24 {
			return false
		}
	}
	return true
}

func TestVideosOfEachKind(t *testing.T) {
	path := sample(t, "it's a clip %d.mp4", "-c:a aac")
	clip, err := Probe(t.Context(), path)
	if err != nil || clip.Width != 64 || clip.Height != 32 || clip.Audio != "aac" {
		t.Fatalf("%+v, %v", clip, err)
	}
	for kind, decoder := range map[Kind]string{ProRes: "", VP9: "-c:v libvpx-vp9", PNG: "-f image2", MP4: ""} {
		target := filepath.Join(t.TempDir(), "-out%d"+kind.Ending())
		if kind == PNG {
			if err := os.Mkdir(target, 0o755); err != nil {
				t.Fatal(err)
			}
		}
		last := 0
		n, err := Remove(t.Context(), Job{Path: path, Clip: clip.Fit(kind), Target: target, Kind: kind, Cutter: half{}, Progress: func(n int) { last = n }})
		if err != nil || n != 10 || last != 10 {
			t.Fatalf("%s: %d frames, %d reported: %v", kind, n, last, err)
		}
		if kind == PNG {
			if frames, _ := filepath.Glob(filepath.Join(strings.ReplaceAll(target, "%", "?"), "*.png")); len(frames) != 10 {
				t.Errorf("frames: %v", frames)
			}
			target = filepath.Join(target, "000001.png")
			decoder = ""
		} else if got, err := Probe(t.Context(), target); err != nil || got.Audio == "" || got.Width != 64 || got.Height != 32 || got.untagged {
			t.Errorf("%s: %+v, %v", kind, got, err)
		}
		link := filepath.Join(t.TempDir(), "link"+filepath.Ext(target)) // ffmpeg's own command line is split here
		if err := os.Symlink(target, link); err != nil {
			t.Fatal(err)
		}
		above, empty := pixel(t, link, decoder, clip, 8, 6), pixel(t, link, decoder, clip, 56, 6)
		below := pixel(t, link, decoder, clip, 8, 26)
		if !similar(above, [4]uint8{255, 0, 0, 255}) || !similar(below, [4]uint8{0, 0, 255, 255}) {
			t.Errorf("%s: %v above, %v below", kind, above, below)
		}
		if kind != MP4 && empty[3] > 8 {
			t.Errorf("%s: %v where nothing is", kind, empty)
		}
	}
}

// TestTurnedVideosAreUpright: a phone stores a picture lying down, and how to turn it.
func TestTurnedVideosAreUpright(t *testing.T) {
	lying := sample(t, "lying.mp4", "-c:a aac")
	turned := filepath.Join(t.TempDir(), "turned.mov")
	ffmpeg(t, "-i "+lying+" -c copy -metadata:s:v:0 rotate=90 "+turned)
	clip, err := Probe(t.Context(), turned)
	if err != nil || clip.Width != 32 || clip.Height != 64 {
		t.Fatalf("%+v, %v", clip, err)
	}
	target := filepath.Join(t.TempDir(), "out.mov")
	if _, err := Remove(t.Context(), Job{Path: turned, Clip: clip, Target: target, Kind: ProRes, Cutter: half{}}); err != nil {
		t.Fatal(err)
	}
	left, right := pixel(t, target, "", clip, 8, 32), pixel(t, target, "", clip, 24, 32)
	if one := left[0]+right[0] > 128; !one || left[3] < 240 || right[3] > 8 {
		t.Errorf("%v to the left, %v to the right", left, right)
	}
}

// TestFramesOfUnevenTimesGetEven: what has three frames in a second gets as many as
// its sound is long, each shown as long as before.
func TestFramesOfUnevenTimesGetEven(t *testing.T) {
	path := filepath.Join(t.TempDir(), "uneven.mkv")
	ffmpeg(t, "-f lavfi -i testsrc=size=64x32:rate=10:duration=2 -vf select='not(mod(n\\,7))' -vsync vfr -c:v libx264 "+path)
	clip, err := Probe(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	rate := loose(clip.Rate).ratio()
	target := filepath.Join(t.TempDir(), "out.mov")
	n, err := Remove(t.Context(), Job{Path: path, Clip: clip, Target: target, Kind: ProRes, Cutter: half{}})
	if seconds := float64(n) / rate; err != nil || seconds < 1.3 || seconds > 2.2 {
		t.Errorf("%d frames at %s: %.2f s, %v", n, clip.Rate, seconds, err)
	}
}

func TestVideosThatCannotBeRead(t *testing.T) {
	folder := t.TempDir()
	for name, content := range map[string]string{
		"text.mp4": "hello", "empty.mp4": "",
		"list.mp4": "ffconcat version 1.0\nfile /etc/passwd\n", "play.mp4": "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://127.0.0.1:1/x.ts\n",
	} {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := Probe(t.Context(), path)
		if message := cutout.MessageOf(err); cutout.CodeOf(err) != cutout.Invalid || !strings.HasPrefix(message, "The") || strings.Contains(message, folder) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWithoutFFmpegASentenceSaysWhatToInstall(t *testing.T) {
	path := sample(t, "clip.mp4", "-c:a aac")
	t.Setenv("PATH", t.TempDir())
	_, err := Probe(t.Context(), path)
	if !errors.Is(err, errNoTool) || !strings.Contains(err.Error(), "apt install ffmpeg") || Available() == nil {
		t.Error(err)
	}
	_, err = Remove(t.Context(), Job{Path: path, Clip: Clip{Width: 64, Height: 32, Rate: "25"}, Target: "out.mov", Cutter: half{}})
	if !errors.Is(err, errNoTool) {
		t.Error(err)
	}
}

// TestNothingIsLeftRunning: neither after a cancellation nor after a frame that fails
// is there a child process; goroutines are looked for at the end.
func TestNothingIsLeftRunning(t *testing.T) {
	path := filepath.Join(t.TempDir(), "long.mp4")
	ffmpeg(t, "-f lavfi -i testsrc=size=320x240:rate=25:duration=60 -c:v libx264 -preset ultrafast "+path)
	clip, err := Probe(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	broken := errors.New("broken")
	for name, want := range map[string]error{"cancelled": context.Canceled, "failed": broken} {
		ctx, cancel := context.WithCancel(t.Context())
		calls := 0
		_, err := Remove(ctx, Job{Path: path, Clip: clip, Target: filepath.Join(t.TempDir(), "out.mov"), Kind: ProRes, Cutter: half{func() error {
			if calls++; calls < 5 {
				return nil
			}
			if name == "cancelled" {
				cancel()
				return nil
			}
			return broken
		}}})
		cancel()
		if !errors.Is(err, want) {
			t.Errorf("%s: %v", name, err)
		}
		if left := children(t); left != "" {
			t.Errorf("%s: still running: %s", name, left)
		}
	}
	// An encoder that cannot write ends the decoder.
	_, err = Remove(t.Context(), Job{Path: path, Clip: clip, Target: filepath.Join(t.TempDir(), "no", "such", "folder.mov"), Kind: ProRes, Cutter: half{}})
	if cutout.CodeOf(err) != cutout.Invalid || !strings.Contains(cutout.MessageOf(err), "cannot write the video") {
		t.Error(err)
	}
	if left := children(t); left != "" {
		t.Errorf("still running: %s", left)
	}
}

// children lists this process's own.
func children(t *testing.T) string {
	t.Helper()
	tasks, err := filepath.Glob("/proc/self/task/*/children")
	if err != nil {
		t.Fatal(err)
	}
	all := ""
	for _, task := range tasks {
		text, err := os.ReadFile(task)
		if err == nil {
			all += string(text)
		}
	}
	return all
}
