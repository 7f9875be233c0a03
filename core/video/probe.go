// Package video cuts the subject out of videos, with the user's own ffmpeg to read
// and write them.
package video

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"bgremover.pro/core/cutout"
)

// Clip is what is known about a video before it is decoded.
type Clip struct {
	// Width and Height are as it is shown: turned upright, with square pixels.
	Width, Height int
	// Rate is the frames a second, constant in the result, as ffmpeg writes it.
	Rate string
	// Frames is about how many frames it has; 0 if that is unknown.
	Frames int
	// Audio is the codec of its sound; empty for none.
	Audio string

	untagged bool // its colours are not described
}

// probing bounds the time to read a video's description, and how long that is.
const (
	probing      = time.Minute
	maxProbe     = 4 << 20
	mostRate     = 240
	usualRate    = "25"
	widestAspect = 16 // of one pixel
)

var errNoTool = &cutout.Error{Code: cutout.Invalid, Message: "Videos need the programs ffmpeg and ffprobe, which were not found. " +
	"Install ffmpeg (for example with: apt install ffmpeg, or brew install ffmpeg) and try again."}

// Probe reads a video's description. Codes: Invalid (no ffmpeg on this machine, or
// no video in the file), Timeout, Canceled.
func Probe(ctx context.Context, path string) (Clip, error) {
	ctx, cancel := context.WithTimeout(ctx, probing)
	defer cancel()
	args := append([]string{"-v", "error"}, source(path)...)
	cmd := command(ctx, "ffprobe", append(args, "-show_streams", "-show_format", "-print_format", "json")...)
	out := &limited{most: maxProbe}
	complaint := &tail{}
	cmd.Stdout, cmd.Stderr = out, complaint
	err := cmd.Run()
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return Clip{}, errNoTool
	case ctx.Err() != nil:
		return Clip{}, ctx.Err()
	case err != nil:
		return Clip{}, cutout.Wrap(cutout.Invalid, err, "The video cannot be read: "+complaint.last(path))
	}
	return parseProbe(out.Bytes())
}

// loose is a number or a string; other values are left out.
type loose string

// UnmarshalJSON implements json.Unmarshaler.
func (l *loose) UnmarshalJSON(text []byte) error {
	if s := strings.Trim(string(text), `"`); !strings.ContainsAny(s, `{["`) && s != "null" {
		*l = loose(s)
	}
	return nil
}

func (l loose) number() float64 {
	n, err := strconv.ParseFloat(string(l), 64)
	if err != nil || math.IsNaN(n) || math.IsInf(n, 0) {
		return 0
	}
	return n
}

// ratio reads 30000/1001 or 4:3; 0 for anything else.
func (l loose) ratio() float64 {
	over, under, ok := strings.Cut(strings.ReplaceAll(string(l), ":", "/"), "/")
	if !ok {
		return loose(over).number()
	}
	if d := loose(under).number(); d != 0 {
		return loose(over).number() / d
	}
	return 0
}

type stream struct {
	Type     loose    `json:"codec_type"`
	Codec    loose    `json:"codec_name"`
	Width    loose    `json:"width"`
	Height   loose    `json:"height"`
	Aspect   loose    `json:"sample_aspect_ratio"`
	Average  loose    `json:"avg_frame_rate"`
	Base     loose    `json:"r_frame_rate"`
	Duration loose    `json:"duration"`
	Count    loose    `json:"nb_frames"`
	Colours  loose    `json:"color_space"`
	Picture  attached `json:"disposition"`
	Tags     turned   `json:"tags"`
	SideData []turned `json:"side_data_list"`
}

type attached struct {
	Cover loose `json:"attached_pic"`
}

type turned struct {
	Rotate   loose `json:"rotate"`
	Rotation loose `json:"rotation"`
}

// parseProbe reads ffprobe's JSON; what it lacks, or what makes no sense, is
// replaced by what is usual.
func parseProbe(text []byte) (Clip, error) {
	var probe struct {
		Streams []json.RawMessage `json:"streams"`
		Format  struct {
			Duration loose `json:"duration"`
		} `json:"format"`
	}
	_ = json.Unmarshal(text, &probe) // what could be read counts
	var clip Clip
	for _, raw := range probe.Streams {
		var s stream
		_ = json.Unmarshal(raw, &s)
		switch {
		case s.Type == "audio" && clip.Audio == "":
			clip.Audio = string(s.Codec)
		case s.Type == "video" && clip.Width == 0 && s.Picture.Cover != "1":
			clip.describe(s, probe.Format.Duration.number())
		}
	}
	if clip.Width <= 0 || clip.Height <= 0 {
		return Clip{}, cutout.Errorf(cutout.Invalid, "There is no video in the file.")
	}
	return clip, nil
}

func (c *Clip) describe(s stream, duration float64) {
	width, height := s.Width.number(), s.Height.number()
	if width < 1 || height < 1 || width > math.MaxInt32 || height > math.MaxInt32 {
		return
	}
	// Pixels that are not square: the shorter side grows, so that nothing is lost.
	if aspect := s.Aspect.ratio(); aspect > 1 && aspect < widestAspect {
		width *= aspect
	} else if aspect > 1.0/widestAspect && aspect < 1 {
		height /= aspect
	}
	turn := s.Tags.Rotate.number()
	for _, side := range s.SideData {
		if side.Rotation != "" {
			turn = side.Rotation.number()
		}
	}
	if math.Mod(math.Abs(turn)+45, 180) >= 90 { // nearer to a quarter than to a half turn
		width, height = height, width
	}
	c.Width, c.Height = int(math.Round(width)), int(math.Round(height))
	c.untagged = s.Colours == "" || s.Colours == "unknown"

	rate := s.Average
	if r := rate.ratio(); r <= 0 || r > mostRate {
		rate = s.Base
	}
	if r := rate.ratio(); r <= 0 || r > mostRate {
		rate = usualRate
	}
	c.Rate = string(rate)
	if d := s.Duration.number(); d > 0 {
		duration = d
	}
	frames := duration * rate.ratio()
	if frames < 1 {
		frames = s.Count.number()
	}
	if frames >= 1 && frames < math.MaxInt32 {
		c.Frames = int(math.Round(frames))
	}
}

// limited keeps the beginning of what is written to it.
type limited struct {
	bytes.Buffer
	most int
}

func (l *limited) Write(p []byte) (int, error) {
	if room := l.most - l.Len(); room > 0 {
		l.Buffer.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}
