package app

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"bgremover.pro/core/config"
	"bgremover.pro/core/model"
	"bgremover.pro/plugins/contract"
)

// The operator switches the backend on the one page while a visitor uploads on
// the other: every photo gets its cut-out, the first from one backend, the last
// from the other.
func TestSwitchWhileUploadsRun(t *testing.T) {
	p := start(t, t.TempDir(), settingsFile(t, twin(t)))
	operator, visitor := chromium(t), chromium(t)
	operator.do(chromedp.Navigate(strings.Replace(p.operator, "//", "//operator:"+operatorToken(t)+"@", 1) + "/"))
	visitor.do(chromedp.Navigate(p.visitors + "/"))
	visitor.do(chromedp.Click("label:has(input[value=fast])"))
	sent := 0
	upload := func(files ...string) {
		visitor.do(chromedp.SetUploadFiles("#image", pictures(t, files...)))
		sent += len(files)
	}
	upload("coffee.jpg", "astronaut.jpg", "flat.png")
	visitor.cutOut(1)
	operator.shows(`document.getElementById("use-twin").click()`)
	const switched = `!!document.querySelector("#backends .message")?.textContent.includes("Switched to twin.")`
	for !operator.shows(switched) {
		upload("coffee.jpg")
		visitor.cutOut(sent - 1) // so that one is always under way
	}
	visitor.cutOut(sent)
	before := p.backend(t, "twin").Requests
	upload("coffee.jpg", "astronaut.jpg")
	visitor.cutOut(sent)
	if now := p.backend(t, "twin").Requests; now < before+2 {
		t.Errorf("of the last 2 photos, twin did %d", now-before)
	}
	if p.backend(t, "onnx-cpu").Requests == 0 {
		t.Error("onnx-cpu did none")
	}
	operator.await(`(() => {
		const row = (name) => document.getElementById("use-" + name).closest("tr").innerText;
		return /serving/.test(row("twin")) && /ready/.test(row("twin")) && /off/.test(row("onnx-cpu"));
	})()`)
	answer := ask(t, p.visitors+"/api/v1/cutouts?mode=fast", "image/jpeg", bytes.NewReader(photo(t, "coffee.jpg")))
	if answer.refused() || answer.Header.Get("X-Backend") != "twin" {
		t.Errorf("by %q: %s", answer.Header.Get("X-Backend"), answer)
	}
	t.Logf("%d photos, %d of them by twin", sent, p.backend(t, "twin").Requests)
}

// twin describes a second backend: the same program and runtime as onnx-cpu's,
// in a process of its own.
func twin(t *testing.T) string {
	t.Helper()
	c, err := config.Load(config.Sources{Environ: environ(t)})
	if err != nil {
		t.Fatal(err)
	}
	library, err := model.Open(c.Folders.Data).Runtime()
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("[backends.twin]\ncommand = %q\nenv = [%q]\ndevice = \"cpu\"\n",
		filepath.Join(c.Folders.Plugins, "onnx-cpu"), contract.EnvRuntime+"="+library)
}

// settingsFile writes one and returns the variable that names it.
func settingsFile(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "bgremover.toml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return "BGREMOVER_CONFIG=" + file
}

func pictures(t *testing.T, names ...string) (files []string) {
	t.Helper()
	for _, name := range names {
		file, err := filepath.Abs(filepath.Join("testdata", "photos", name))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	return files
}

// cutOut waits until the page holds the given number of results, and fails the test
// if a photo ends in any other way.
func (b *browser) cutOut(photos int) {
	b.t.Helper()
	problem := b.await(fmt.Sprintf(`document.querySelector(".problem, [role=alert]:not(.nothing)")?.innerText ||
		document.querySelectorAll(".card[data-state=done]").length >= %d && " "`, photos))
	if problem != " " {
		b.t.Fatal("a photo was lost:", problem)
	}
}

// await waits until an expression holds and returns its value as text.
func (b *browser) await(expression string) string {
	b.t.Helper()
	text, err := chromedp.Run(b.ctx, chromedp.Poll[string]("(v => v && String(v))("+expression+")", chromedp.WithPollingTimeout(0)))
	if err != nil {
		b.t.Fatalf("never true: %s: %v", expression, err)
	}
	return text
}

func (b *browser) shows(expression string) bool {
	b.t.Helper()
	holds, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool]("!!("+expression+")"))
	if err != nil {
		b.t.Fatal(err)
	}
	return holds
}
