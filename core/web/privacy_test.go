package web

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"bgremover.pro/core/accesslog"
	"bgremover.pro/core/cutout"
)

// lines keeps what the access log is given.
type lines struct {
	mu  sync.Mutex
	all []accesslog.Entry
}

func (l *lines) Log(e accesslog.Entry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, e)
}

// regularFiles lists the open regular files and sockets of this process.
func regularFiles(t *testing.T) map[string]bool {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	open := map[string]bool{}
	for _, e := range entries {
		name := "/proc/self/fd/" + e.Name()
		if info, err := os.Stat(name); err == nil && info.Mode().IsRegular() {
			target, _ := os.Readlink(name)
			open[target] = true
		}
	}
	return open
}

// Photos of 25 MB pass where nothing can be written: no file is open that was
// not before, and neither bytes nor names of a photo are in anything we keep.
func TestPicturesLeaveNoTrace(t *testing.T) {
	t.Setenv("TMPDIR", filepath.Join(t.TempDir(), "nowhere"))
	before := regularFiles(t)
	access := &lines{}
	s := start(t, func(ctx context.Context, job cutout.Job) (*cutout.Result, error) {
		for file := range regularFiles(t) {
			if !before[file] {
				t.Errorf("%s is open while a picture passes", file)
			}
		}
		if strings.HasPrefix(string(job.Upload), "fail") {
			return nil, fmt.Errorf("the pipeline broke")
		}
		return succeed(ctx, job)
	}, func(o *Options) { o.AccessLog = access })
	large := *defaultSettings()
	large.MaxUpload = 30 << 20
	s.settings.Store(&large)

	pixels := strings.Repeat("the pixels of an upload ", 25<<20/24)
	s.do(http.MethodPost, api+"?mode=fast", strings.NewReader(pixels)).expect(t, 200)
	s.post(formPath, newForm().file("holiday-in-vegas.jpg", pixels)).expect(t, 200)
	s.post(formPath, newForm().file("holiday-in-vegas.jpg", "fail "+pixels[:1000])).expect(t, 500)

	var kept strings.Builder
	kept.WriteString(s.log.String())
	for _, x := range s.seen(3) {
		fmt.Fprintf(&kept, "%+v", x)
	}
	fmt.Fprintf(&kept, "%+v", access.all)
	for _, trace := range []string{"the pixels", "holiday", "vegas", "very bytes of a finished"} {
		if strings.Contains(kept.String(), trace) {
			t.Errorf("%q is kept", trace)
		}
	}
	if len(access.all) != 3 || access.all[0].URL != api+"?mode=fast" || access.all[0].Addr.String() != "127.0.0.1" || access.all[0].Status != 200 {
		t.Errorf("access log: %+v", access.all)
	}
}

func TestObserverLearnsNothingPersonal(t *testing.T) {
	s := start(t, succeed)
	s.post(formPath, newForm().file("a", "photo").file("b", "photo"), "User-Agent", "Personal/1.0", "Cookie", "session=personal").expect(t, 200)
	x := s.seen(1)[0]
	if x.Status != 200 || x.Route != formPath || x.Class != "private" || x.Method != http.MethodPost || x.ID == "" || x.Duration <= 0 || x.Sent == 0 || x.Received == 0 {
		t.Errorf("%+v", x)
	}
	if all := fmt.Sprintf("%+v", x); strings.Contains(all, "ersonal") || strings.Contains(all, "127.0.0.1") {
		t.Error(all)
	}
}
