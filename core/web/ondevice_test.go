package web

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bgremover.pro/core/httpcache"
)

// What devices fetch is served for good, in ranges, and only while it is offered.
func TestFilesForDevices(t *testing.T) {
	path := filepath.Join(t.TempDir(), "graph.onnx")
	if err := os.WriteFile(path, []byte("0123456789"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := start(t, succeed)
	s.get("/").find(t, "#where").Each(func(int, *goquerySelection) { t.Error("offered by a server that cannot") })
	offering := *defaultSettings()
	offering.Processing = "auto"
	offering.OnDevice = &OnDevice{
		List: "/ondevice/0123456789abcdef/list.json", Content: []byte(`{"sizes":[]}`), Bytes: 43e6,
		Files: map[string]*httpcache.File{
			"/ondevice/fedcba9876543210/graph.onnx": {Path: path, ContentType: "application/octet-stream", SHA256: strings.Repeat("fedcba9876543210", 4)},
		},
	}
	s.settings.Store(&offering)
	s.get("/").expect(t, 200, `data-list="/ondevice/0123456789abcdef/list.json"`, `data-processing="auto"`)
	s.get("/privacy").expect(t, 200, "never leaves your device")
	list := s.get(offering.OnDevice.List)
	list.expect(t, 200, `{"sizes":[]}`)
	checkClass(t, "the list", list, httpcache.Immutable)
	part := s.get("/ondevice/fedcba9876543210/graph.onnx", "Range", "bytes=4-")
	part.expect(t, 206, "456789")
	checkClass(t, "a part", part, httpcache.Immutable)
	for _, wrong := range []string{"/ondevice/fedcba9876543210/other.onnx", "/ondevice/0123456789abcdef/graph.onnx"} {
		r := s.get(wrong)
		r.expect(t, 404)
		checkClass(t, wrong, r, httpcache.Private)
	}
	s.settings.Store(defaultSettings())
	s.get("/ondevice/fedcba9876543210/graph.onnx").expect(t, 404)
}
