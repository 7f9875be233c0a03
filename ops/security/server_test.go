package security_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"bgremover.pro/ops/security/crafted"
	"bgremover.pro/ops/testing/servertest"
)

// post sends a file to a server and returns the status and the body of the answer.
func post(ctx context.Context, s *servertest.Server, file []byte) (int, string, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.Base+"/api/v1/cutouts?mode=fast", bytes.NewReader(file))
	if err != nil {
		return 0, "", err
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	return answer.StatusCode, string(body), err
}

// refusedByHeader are the files that a server has to refuse before it decodes
// anything, with what its answer says.
var refusedByHeader = map[string]string{
	"png wide": "32767 a side", "png tall": "32767 a side", "png wide and whole": "32767 a side", "png tall and whole": "32767 a side",
	"jpeg wide": "32767 a side", "jpeg tall": "32767 a side", "webp on a wide canvas": "32767 a side",
	"gif wide": "32767 a side", "gif tall": "32767 a side", "bmp wide": "32767 a side", "bmp tall": "32767 a side",
	"tiff wide": "32767 a side", "tiff tall": "32767 a side", "heic wide": "32767 a side", "avif wide": "32767 a side",
	"png of the largest sides": "32767 a side", "png 65536 x 65536": "32767 a side", "webp of the largest sides": "megapixels",
	"png of empty chunks": "damaged", "jpeg of a thousand scans": "damaged", "jpeg of repeated scans": "damaged",
	"tiff of tiles that share much": "damaged", "tiff of rows that share much": "damaged",
	"heic of properties": "damaged", "heic of small links": "damaged", "heic of items": "damaged",
}

// What a header gives away costs a server next to nothing.
func TestServerRefusesByHeader(t *testing.T) {
	s := servertest.Start(t, "limits_device = \"off\"\nlimits_network = \"off\"\n") // measured without its backend: no crafted file gets as far as one
	s.Await(t, "backend is ready")
	for _, name := range []string{"plain.heic", "plain.avif", "lossy.webp"} { // the codecs are compiled, once
		photo, err := os.ReadFile("../../core/decode/testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if code, body, err := post(t.Context(), s, photo); err != nil || code != http.StatusOK {
			t.Fatalf("%s: %d %.200s, %v", name, code, body, err)
		}
	}
	for _, file := range crafted.Files() {
		says, listed := refusedByHeader[file.Name]
		if !listed {
			continue
		}
		data := file.Make(crafted.Scale{Bytes: 3_000_000, Pixels: 40_000_000})
		s.ResetPeak(t)
		before, began := s.Status(t, "VmHWM"), s.ProcessorTime(t)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		code, body, err := post(ctx, s, data)
		cancel()
		grown, took := s.Status(t, "VmHWM")-before, s.ProcessorTime(t)-began
		t.Logf("%-32s %9d bytes: %d, %d MB more at the peak, %v of processor time", file.Name, len(data), code, grown>>20, took)
		if err != nil || code < 400 || code >= 500 || !strings.Contains(body, says) {
			t.Errorf("%s: %d %q, %v", file.Name, code, body, err)
		}
		if grown > 64<<20 || took > time.Second {
			t.Errorf("%s: %d MB, %v", file.Name, grown>>20, took)
		}
	}
}
