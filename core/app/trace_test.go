package app

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"html"
	"io"
	"maps"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// making are the system calls by which a process makes a file, names one or
// opens one, or connects to another; what opens for reading or connects to a
// process of this machine is excluded later.
const making = "open,openat,openat2,creat,memfd_create,mknod,mknodat,mkdir,mkdirat," +
	"rename,renameat,renameat2,link,linkat,symlink,symlinkat,truncate,connect"

// startTraced starts a server with strace as its parent, which lists in a file
// what it and its backends do to make a file.
func startTraced(t *testing.T, list, dir string, more ...string) (p *process, server int) {
	t.Helper()
	p = startUnder(t, []string{"strace", "--follow-forks", "--seccomp-bpf", "--no-abbrev", "--trace=" + making, "--output=" + list}, dir, more...)
	children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%[1]d/children", p.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	if server, err = strconv.Atoi(strings.TrimSpace(string(children))); err != nil {
		t.Fatal(err)
	}
	// It would keep running without strace.
	t.Cleanup(func() {
		if p.ProcessState == nil {
			_ = syscall.Kill(server, syscall.SIGKILL)
		}
	})
	return p, server
}

var (
	call    = regexp.MustCompile(`^\d+ +(\w+)\((.*)`)
	reading = regexp.MustCompile(`^open(at|at2)?$`)
	writing = regexp.MustCompile(`O_(WRONLY|RDWR|CREAT|TRUNC|TMPFILE)`)
	nearby  = regexp.MustCompile(`sa_family=AF_UNIX|inet_addr\("127\.|"::1"`)
	quoted  = regexp.MustCompile(`"([^"]*)"`)
)

// made lists what strace saw made, opened for writing, or connected to.
func made(t *testing.T, list string) []string {
	t.Helper()
	calls, err := os.ReadFile(list)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]bool{}
	for line := range strings.Lines(string(calls)) {
		m := call.FindStringSubmatch(line)
		if m == nil || reading.MatchString(m[1]) && !writing.MatchString(m[2]) || m[1] == "connect" && nearby.MatchString(m[2]) {
			continue
		}
		if name := quoted.FindStringSubmatch(m[2]); name != nil && reading.MatchString(m[1]) {
			files[name[1]] = true
		} else {
			files[line] = true // not an open: said in full
		}
	}
	return slices.Sorted(maps.Keys(files))
}

// writable lists the regular files that a process holds open and may write.
func writable(t *testing.T, pid int) []string {
	t.Helper()
	folder := fmt.Sprintf("/proc/%d/", pid)
	entries, err := os.ReadDir(folder + "fd")
	if err != nil {
		t.Fatal(err)
	}
	var files []string
	for _, e := range entries {
		info, err := os.Stat(folder + "fd/" + e.Name())
		name, _ := os.Readlink(folder + "fd/" + e.Name())
		if err != nil || !info.Mode().IsRegular() || strings.HasPrefix(name, "anon_inode:") {
			continue
		}
		about, err := os.ReadFile(folder + "fdinfo/" + e.Name())
		if err != nil {
			continue // closed meanwhile
		}
		m := regexp.MustCompile(`flags:\s+(\d+)`).FindSubmatch(about)
		if flags, _ := strconv.ParseInt(string(m[1]), 8, 64); flags&syscall.O_ACCMODE != syscall.O_RDONLY {
			files = append(files, name)
		}
	}
	return files
}

// sendForm posts photos as a page without scripts does.
func (p *process) sendForm(t *testing.T, name string, photos ...[]byte) (int, []byte) {
	t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for _, photo := range photos {
		part, err := form.CreateFormFile("image", name)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = part.Write(photo)
	}
	_ = form.WriteField("mode", "fast")
	form.Close()
	answer, err := http.Post(p.visitors+"/device/cutouts", form.FormDataContentType(), &body)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	page, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, page
}

// end asks a server to end and returns all that it wrote.
func (p *process) end(t *testing.T, server int) string {
	t.Helper()
	if err := syscall.Kill(server, syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case <-p.silent:
	case <-time.After(startLimit):
		t.Fatal("the server did not end within", startLimit)
	}
	if err := p.Wait(); err != nil {
		t.Error(err)
	}
	return p.said.String()
}

// embedded matches the pictures of a page.
var embedded = regexp.MustCompile(`data:image/\w+;base64,([^"]+)"`)

// isOwner matches the locked file in the folder of a backend's socket.
var isOwner = regexp.MustCompile(`^/bgremover-\d+/owner$`)

// While photos of every kind of decoder pass, one larger than any buffer and
// one that fails, neither the server nor its backend makes a file, opens one for
// writing but for the access log, or connects to another machine; and the logs
// hold nothing of a picture.
func TestPicturesStayInMemory(t *testing.T) {
	logs, tmp, home, dir := t.TempDir(), t.TempDir(), t.TempDir(), t.TempDir()
	calls := filepath.Join(t.TempDir(), "calls")
	p, server := startTraced(t, calls, dir, "BGREMOVER_LOG_DIR="+logs, "BGREMOVER_LOG_LEVEL=debug", "TMPDIR="+tmp, "HOME="+home)

	const name = "holiday-in-vegas.jpg"
	var passed [][]byte
	for _, upload := range [][]byte{
		photo(t, "coffee.jpg"), sample(t, "plain.heic"), sample(t, "plain.avif"), sample(t, "lossy.webp"), noise(t, 25<<20),
	} {
		status, answer := p.post(t, "?mode=fast&edges=raw&background=%23abcdef", bytes.NewReader(upload))
		if status != http.StatusOK {
			t.Errorf("API: %d %.200s", status, answer)
		}
		formStatus, page := p.sendForm(t, name, upload, photo(t, "astronaut.jpg"))
		if formStatus != http.StatusOK {
			t.Errorf("form: %d %.200s", formStatus, page)
		}
		passed = append(passed, upload, answer)
		for _, m := range embedded.FindAllSubmatch(page, -1) {
			picture, err := base64.StdEncoding.DecodeString(html.UnescapeString(string(m[1])))
			if err != nil {
				t.Fatal(err)
			}
			passed = append(passed, picture)
		}
	}
	if status, _ := p.post(t, "", strings.NewReader("no photo, but words that somebody wrote")); status != http.StatusUnsupportedMediaType {
		t.Errorf("no photo: %d", status)
	}
	for _, pid := range []int{server, p.backend(t, "onnx-cpu").PID} {
		for _, file := range writable(t, pid) {
			if filepath.Dir(file) != logs && !isOwner.MatchString(strings.TrimPrefix(file, tmp)) {
				t.Errorf("%s is open for writing", file)
			}
		}
	}
	kept := p.end(t, server)
	files, err := filepath.Glob(filepath.Join(logs, "access.*.log")) // of two days, at midnight
	if err != nil || len(files) == 0 {
		t.Fatal("no access log", err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		kept += string(content)
	}
	all := made(t, calls)
	for _, file := range all {
		// Beside the log, the rotating writer has a lock while it opens it. A
		// process started without a standard input has /dev/null. A backend's
		// socket has a folder of its own, made before any photo comes, with a locked
		// file that says whose it is.
		socket := strings.Contains(file, tmp+"/bgremover-") && regexp.MustCompile(`/plugin\d+$|mkdirat\(.*/bgremover-\d+", 0700|/owner\d+$|renameat\(.*/owner\d+", .*/owner"`).MatchString(file)
		if !socket && !slices.Contains(files, strings.TrimSuffix(file, "_lock")) && file != os.DevNull {
			t.Errorf("made, opened for writing, or connected to: %s", file)
		}
	}
	if !slices.Contains(all, files[0]) {
		t.Errorf("strace did not see the access log being made, but %v", all)
	}
	for _, folder := range []string{tmp, home, dir} {
		if left, err := os.ReadDir(folder); err != nil || len(left) > 0 {
			t.Errorf("left in %s: %v, %v", folder, left, err)
		}
	}
	if strings.Count(kept, "POST /device/cutouts") < 5 {
		t.Errorf("the access log was not written, so nothing was looked at: %s", kept)
	}
	if strings.Contains(kept, "vegas") || strings.Contains(kept, "abcdef") || strings.Contains(kept, "words that somebody wrote") {
		t.Error("a log holds a file's name, a query or an upload")
	}
	if len(passed) < 15 { // of each photo: it, the API's answer, and the form's
		t.Errorf("%d pictures passed", len(passed))
	}
	for _, picture := range passed {
		if part := trace(kept, picture); part != "" {
			t.Errorf("a log holds %q of a picture", part)
		}
	}
}

// trace finds a piece of a picture in a text: its bytes, or those as hex or
// base64.
func trace(text string, picture []byte) string {
	const size = 9 // base64 falls the same way only every third byte
	step := max(size, len(picture)/300/size*size)
	for at := 0; at+size <= len(picture); at += step {
		piece := picture[at : at+size]
		for _, form := range []string{string(piece), hex.EncodeToString(piece), base64.StdEncoding.EncodeToString(piece)} {
			if strings.Contains(text, form) {
				return form
			}
		}
	}
	return ""
}

func sample(t *testing.T, name string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("..", "decode", "testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return content
}
