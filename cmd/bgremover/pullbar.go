package main

import (
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"bgremover.pro/core/model"
)

// pullBar shows the progress of an installation: a bar on a terminal, else one
// line per step.
type pullBar struct {
	out      io.Writer
	terminal bool

	mu   sync.Mutex // a download reports from its own goroutine
	what string
	bar  *progressbar.ProgressBar
}

func newPullBar(out io.Writer) *pullBar {
	file, ok := out.(*os.File)
	return &pullBar{out: out, terminal: ok && term.IsTerminal(int(file.Fd()))}
}

func (p *pullBar) show(e model.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if e.State == model.Fetching {
		p.fetching(e)
		return
	}
	p.clear()
	switch e.State {
	case model.Planned:
		fmt.Fprintf(p.out, "%s: %s to download, %s of disk space needed\n", e.What, size(e.Done), size(e.Total))
	case model.Unpacking:
		if !p.terminal {
			fmt.Fprintf(p.out, "%s: unpacking\n", e.What)
		}
	case model.Installed:
		fmt.Fprintf(p.out, "%s: installed\n", e.What)
	case model.Present:
		fmt.Fprintf(p.out, "%s: already installed\n", e.What)
	}
}

func (p *pullBar) fetching(e model.Event) {
	if e.What != p.what {
		p.clear()
		p.what = e.What
		if p.terminal {
			p.bar = progressbar.NewOptions64(max(e.Total, -1),
				progressbar.OptionSetWriter(p.out), progressbar.OptionSetDescription(e.What),
				progressbar.OptionShowBytes(true), progressbar.OptionFullWidth(),
				progressbar.OptionClearOnFinish(), progressbar.OptionSetRenderBlankState(true))
		} else {
			fmt.Fprintf(p.out, "%s: downloading%s\n", e.What, ofSize(e.Total))
		}
	}
	if p.bar == nil {
		return
	}
	if e.Total > 0 {
		p.bar.ChangeMax64(max(e.Total, e.Done+1)) // it is full only once everything is done
	}
	_ = p.bar.Set64(e.Done) // failing to draw the bar is harmless
}

func (p *pullBar) clear() {
	if p.bar != nil {
		_ = p.bar.Clear()
		_ = p.bar.Exit()
		p.bar = nil
	}
	p.what = ""
}

func (p *pullBar) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clear()
}

func ofSize(bytes int64) string {
	if bytes <= 0 {
		return ""
	}
	return " " + size(bytes)
}
