package static

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"bgremover.pro/templates/texts"
)

// Worker returns the service worker, to be served at /sw.js with no-cache.
// pages names the release of the pages (any string that changes with them); a new
// one makes browsers fetch the shell again.
func Worker(pages string) []byte {
	languages, shell, module := []string{}, []string{}, []string{}
	for _, l := range texts.All[1:] {
		languages = append(languages, l.Prefix)
	}
	for _, f := range Files() {
		switch {
		case strings.HasPrefix(f.Name, moduleFolder):
			module = append(module, Path(f.Name))
		case shellFile(f.Name):
			shell = append(shell, Path(f.Name))
		}
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, "const VERSION = %q;\nconst LANGUAGES = %s;\nconst ASSETS = %s;\nconst MODULE = %s;\n\n", version+"-"+pages, listed(languages), listed(shell), listed(module))
	out.Write(files[workerName].Content)
	return out.Bytes()
}

func listed(paths []string) []byte {
	list, err := json.MarshalIndent(paths, "", "  ")
	if err != nil {
		panic(err) // strings always encode
	}
	return list
}

const workerName = "js/worker/service.js"

// moduleFolder has the pipeline's module, which is large and needed by few: the
// service worker keeps it once it is used.
const moduleFolder = "wasm/"

// shellFile says whether pages need the file offline.
func shellFile(name string) bool {
	return name != workerName && !strings.HasSuffix(name, ".png") && !strings.HasSuffix(name, ".jpg")
}

// Manifest returns the web app manifest, to be served at /manifest.webmanifest
// as application/manifest+json. Photos shared to the app are posted to the form's
// own address, which the service worker takes over where there is one.
func Manifest(siteName string, l *texts.Language) []byte {
	type values = map[string]any
	accept := values{
		"image/jpeg": []string{".jpg", ".jpeg"}, "image/png": []string{".png"}, "image/webp": []string{".webp"},
		"image/heic": []string{".heic", ".heif"}, "image/avif": []string{".avif"}, "image/tiff": []string{".tif", ".tiff"},
		"image/gif": []string{".gif"}, "image/bmp": []string{".bmp"},
	}
	manifest, err := json.MarshalIndent(values{
		"id": "/", "name": siteName, "short_name": siteName, "start_url": l.To("/"), "scope": "/",
		"description": l.Text("Removes the background from photos. Photos come straight back and are never kept."),
		"lang":        l.Tag, "dir": l.Direction, "display": "standalone", "background_color": "#fbfaf8", "theme_color": "#fbfaf8",
		"categories": []string{"photo", "utilities"},
		"icons": []values{
			{"src": Path("icons/icon.svg"), "sizes": "any", "type": "image/svg+xml"},
			{"src": Path("icons/icon-192.png"), "sizes": "192x192", "type": "image/png"},
			{"src": Path("icons/icon-512.png"), "sizes": "512x512", "type": "image/png"},
			{"src": Path("icons/maskable-512.png"), "sizes": "512x512", "type": "image/png", "purpose": "maskable"},
		},
		"shortcuts": []values{{"name": l.Text("Gallery"), "url": l.To("/gallery")}},
		"share_target": values{
			"action": l.To("/device/cutouts?shared=1"), "method": "POST", "enctype": "multipart/form-data",
			"params": values{"files": []values{{"name": "image", "accept": []string{"image/*"}}}},
		},
		"file_handlers": []values{{"action": l.To("/"), "accept": accept}},
	}, "", "  ")
	if err != nil {
		panic(err) // plain values always encode
	}
	return manifest
}
