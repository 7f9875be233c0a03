package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"bgremover.pro/core/batch"
	"bgremover.pro/core/cutout"
)

// record is one file's line of --json; its fields are documented in the help.
type record struct {
	File    string         `json:"file"`
	Output  string         `json:"output"`
	Status  string         `json:"status"`
	Subject cutout.Subject `json:"subject"`
	Width   int            `json:"width"`
	Height  int            `json:"height"`
	Frames  int            `json:"frames"`
	Took    int64          `json:"ms"`
	Backend string         `json:"backend"`
	Model   string         `json:"model"`
	Mode    cutout.Mode    `json:"mode"`
	Code    cutout.Code    `json:"code"`
	Error   string         `json:"error"`
}

// codeFile is the code of what the system refuses to read or write.
const codeFile cutout.Code = "file"

// tally counts the files and reports their progress: in lines or, on a terminal, with a
// bar, and in JSON if asked for. It is safe for concurrent use.
type tally struct {
	out, lines io.Writer // JSON, nil for none; what people read
	terminal   bool

	mu                 sync.Mutex
	bar                *progressbar.ProgressBar
	several            bool
	word               string
	ok, past, mistakes int
	waits              time.Time // the latest that was reported
}

func newTally(cmd *cobra.Command, f *removeFlags) *tally {
	r := &tally{lines: cmd.ErrOrStderr(), word: "photos", several: f.watch}
	if f.json {
		r.out = cmd.OutOrStdout()
	}
	file, ok := r.lines.(*os.File)
	r.terminal = ok && term.IsTerminal(int(file.Fd()))
	return r
}

// begin is called with the files that are to be done, if they are known.
func (r *tally) begin(files []batch.File) {
	for _, file := range files {
		if file.Video {
			r.word = "files"
		}
	}
	if len(files) > 1 {
		r.several = true
		r.start(len(files))
	}
}

// start shows a bar.
func (r *tally) start(most int) {
	if r.terminal {
		r.bar = progressbar.NewOptions(most, progressbar.OptionSetWriter(r.lines), progressbar.OptionShowCount(),
			progressbar.OptionFullWidth(), progressbar.OptionClearOnFinish(), progressbar.OptionSetRenderBlankState(true))
	}
}

func (r *tally) done(file batch.File, made result) {
	said := file.Target
	switch made.subject {
	case cutout.SubjectNone:
		said += " (no subject found)"
	case cutout.SubjectUnsure:
		said += " (the subject is uncertain; check the result)"
	}
	if made.frames > 0 {
		said += fmt.Sprintf(" (%d frames, %.1f a second)", made.frames, float64(made.frames)/made.took.Seconds())
	}
	if file.Target == "-" && made.subject == cutout.SubjectFound {
		said = ""
	}
	r.add(&r.ok, said, record{
		File: file.Path, Output: file.Target, Status: "done", Subject: made.subject,
		Width: made.width, Height: made.height, Frames: made.frames, Took: made.took.Milliseconds(),
		Backend: made.run.Backend, Model: made.run.Model, Mode: made.run.Mode,
	})
}

func (r *tally) skipped(file batch.File) {
	r.add(&r.past, "", record{File: file.Path, Output: file.Target, Status: "skipped"})
}

func (r *tally) failed(file batch.File, err error) {
	code, sentence := codeFile, err.Error()
	var known *cutout.Error
	var system *fs.PathError
	switch {
	case errors.As(err, &known):
		code, sentence = known.Code, known.Message
	case errors.As(err, &system) && system.Path == file.Path:
		sentence = system.Err.Error()
	}
	r.add(&r.mistakes, file.Path+": "+sentence,
		record{File: file.Path, Output: file.Target, Status: "failed", Code: code, Error: sentence})
}

// add counts a file and prints its lines.
func (r *tally) add(count *int, said string, line record) {
	r.mu.Lock()
	defer r.mu.Unlock()
	*count++
	if said != "" {
		r.say(said)
	}
	if r.out != nil {
		text, _ := json.Marshal(line) // strings and numbers always encode
		fmt.Fprintf(r.out, "%s\n", text)
	}
	if r.several && r.bar != nil && line.Status != "skipped" {
		_ = r.bar.Add(1) // failing to draw the bar is harmless
	}
}

// say prints a line without breaking the bar.
func (r *tally) say(line string) {
	if r.bar != nil {
		_ = r.bar.Clear()
	}
	fmt.Fprintln(r.lines, line)
}

// waiting reports that the server asks to wait.
func (r *tally) waiting(wait time.Duration, why error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if until := time.Now().Add(wait); until.After(r.waits.Add(time.Second)) { // once for all photos that wait
		r.waits = until
		r.say(fmt.Sprintf("waiting %s: %s", (wait + time.Second - 1).Truncate(time.Second), cutout.MessageOf(why)))
	}
}

// often is how frequently the progress of a video is printed where there is no bar.
const often = 10 * time.Second

// frames returns what shows the progress of a video of about so many frames.
func (r *tally) frames(name string, most int) func(int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.several && r.bar == nil {
		r.start(max(most, -1))
	}
	began, last := time.Now(), time.Now()
	return func(n int) {
		r.mu.Lock()
		defer r.mu.Unlock()
		switch {
		case r.bar != nil && !r.several:
			if most > 0 {
				r.bar.ChangeMax(max(most, n+1)) // it is full only once the file is written
			}
			_ = r.bar.Set(n)
		case r.bar == nil && time.Since(last) >= often:
			last = time.Now()
			of := ""
			if most > 0 {
				of = fmt.Sprintf(" of about %d", most)
			}
			fmt.Fprintf(r.lines, "%s: %d%s frames, %.1f a second\n", name, n, of, float64(n)/time.Since(began).Seconds())
		}
	}
}

// end sums up, and returns an error if a file failed or there was none.
func (r *tally) end(ctx context.Context, args []string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.bar != nil {
		_ = r.bar.Clear()
	}
	all := r.ok + r.past + r.mistakes
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case all == 0 && !r.several:
		return cutout.Errorf(cutout.Invalid, "no photos in %s", strings.Join(args, ", "))
	case all > 1 || r.several || r.past > 0:
		fmt.Fprintf(r.lines, "%d done, %d skipped (up to date), %d failed\n", r.ok, r.past, r.mistakes)
	}
	if r.mistakes > 0 {
		return fmt.Errorf("%d of %d %s failed", r.mistakes, all, r.word)
	}
	return nil
}
