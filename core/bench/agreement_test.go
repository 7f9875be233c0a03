package bench

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const metrics = "../../../shared/tools/matte_metrics.py"

// The figures are those of the tool that others measure with, as far as it
// prints them.
func TestFiguresAgreeWithTheTool(t *testing.T) {
	if _, err := os.Stat(metrics); err != nil {
		t.Skip("the tool is not beside the checkout:", err)
	}
	truths, results := t.TempDir(), t.TempDir()
	random := rand.New(rand.NewPCG(1, 2))
	want := map[string]string{}
	coloured := 0
	for i := range 16 {
		name := fmt.Sprintf("p_%d", i)
		width, height := 20+random.IntN(60), 20+random.IntN(60)
		truth, colours, cut := blob(random, width, height), blob(random, width, height), blob(random, width, height)
		switch i {
		case 1:
			clear(cut.Pix) // an empty result
		case 2:
			clear(truth.Pix) // nothing to find
		}
		exact := written(t, filepath.Join(truths, name+alphaEnding), alphaPicture(truth))
		result := written(t, filepath.Join(results, name+".png"), picked(i, cut))
		var known *pixels
		if i%2 == 0 {
			known = written(t, filepath.Join(truths, name+coloursEnding), colours)
		}
		q := Compare(exact, known, result)
		if q.Foreground.Known() {
			coloured++
		}
		want[name] = fmt.Sprintf("MAD %s MSE %s IoU %s edge %s fg %s", number(q.MAD, 2), number(q.MSE, 2), number(q.IoU, 3), number(q.Edge, 1), number(q.Foreground, 1))
	}
	if coloured < 3 {
		t.Errorf("colours are compared in %d pictures only", coloured)
	}
	output, err := exec.Command("/usr/bin/python3", metrics, truths, results).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	for line := range strings.Lines(string(output)) {
		words := strings.Fields(line)
		if want[words[0]] == "" {
			continue // a mean
		}
		got := strings.ReplaceAll(strings.Join(words[1:], " "), "nan", "-")
		if got != want[words[0]] {
			t.Errorf("%s: the tool says %s, we %s", words[0], got, want[words[0]])
		}
		delete(want, words[0])
	}
	if len(want) > 0 {
		t.Errorf("the tool did not say: %v\n%s", want, output)
	}
}

// blob is a soft disc of noise.
func blob(random *rand.Rand, width, height int) *image.NRGBA {
	p := image.NewNRGBA(image.Rect(0, 0, width, height))
	x0, y0, r, soft := random.IntN(width), random.IntN(height), 5+random.IntN(20), 1+random.IntN(4)
	for y := range height {
		for x := range width {
			d := (x-x0)*(x-x0) + (y-y0)*(y-y0)
			alpha := min(255, max(0, 128+(r*r-d)*soft/4))
			p.SetNRGBA(x, y, color.NRGBA{R: uint8(random.IntN(256)), G: uint8(random.IntN(256)), B: uint8(random.IntN(256)), A: uint8(alpha)})
		}
	}
	return p
}

// picked is a cut-out, or every third time its alpha alone.
func picked(i int, cut *image.NRGBA) image.Image {
	if i%3 == 0 {
		return alphaPicture(cut)
	}
	return cut
}

func alphaPicture(p *image.NRGBA) *image.Gray {
	return &image.Gray{Pix: alphaOf(p), Stride: p.Rect.Dx(), Rect: p.Rect}
}

func written(t *testing.T, file string, picture image.Image) *pixels {
	t.Helper()
	var content bytes.Buffer
	if err := png.Encode(&content, picture); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, content.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := readPixels(content.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	return p
}
