package browsertest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
)

// axeVersion is fetched with the npm client into the user's cache, once.
const axeVersion = "4.14.1"

var axeSource = sync.OnceValues(func() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	folder := filepath.Join(cache, "bgremover-test", "axe-core-"+axeVersion)
	file := filepath.Join(folder, "package", "axe.min.js")
	if source, err := os.ReadFile(file); err == nil {
		return string(source), nil
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return "", err
	}
	npm := exec.Command("npm", "pack", "--ignore-scripts", "--pack-destination", folder, "axe-core@"+axeVersion)
	if out, err := npm.CombinedOutput(); err != nil {
		return "", fmt.Errorf("axe-core comes with the npm client: %w\n%s", err, out)
	}
	tar := exec.Command("tar", "-xzf", "axe-core-"+axeVersion+".tgz", "package/axe.min.js")
	tar.Dir = folder
	if out, err := tar.CombinedOutput(); err != nil {
		return "", fmt.Errorf("unpacking axe-core: %w\n%s", err, out)
	}
	source, err := os.ReadFile(file)
	return string(source), err
})

// screens are those on which each state is looked at.
var screens = []struct {
	width  int64
	scheme string
}{{320, "light"}, {390, "dark"}, {1280, "light"}, {1280, "dark"}}

// accessible fails the test for every finding of axe in the state that the page
// is in, on small and large screens, light and dark.
func (p *tab) accessible(state string) {
	p.t.Helper()
	source, err := axeSource()
	if err != nil {
		p.t.Fatal(err)
	}
	eval[bool](p, source+"; true")
	for _, screen := range screens {
		width, scheme := screen.width, screen.scheme
		p.screen(width, 900, scheme)
		// At the end of the page the bar that stays at the window's foot covers nothing.
		p.act(`scrollTo(0, document.documentElement.scrollHeight)`)
		findings := eval[[]string](p, `axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })
				.then(({ violations }) => violations.flatMap(({ id, nodes }) => nodes.map((n) => id + ': ' + n.html.slice(0, 160) + ' ' + n.failureSummary)))`)
		for _, finding := range findings {
			p.t.Errorf("%s, %d px, %s: %s", state, width, scheme, finding)
		}
		p.fits(state, width)
		p.photograph(state, width, scheme)
	}
}

// fits fails the test where the page is wider than the window.
func (p *tab) fits(state string, width int64) {
	p.t.Helper()
	if wide := eval[int64](p, "document.documentElement.scrollWidth"); wide > width {
		p.t.Errorf("%s: %d px wide in a window of %d", state, wide, width)
	}
}

// photograph saves a picture of the page where BGREMOVER_SCREENSHOTS names a
// folder, to be looked at.
func (p *tab) photograph(state string, width int64, scheme string) {
	folder := os.Getenv("BGREMOVER_SCREENSHOTS")
	if folder == "" {
		return
	}
	name := fmt.Sprintf("%s-%d-%s.png", strings.ReplaceAll(state, " ", "-"), width, scheme)
	if err := os.WriteFile(filepath.Join(folder, name), p.picture(), 0o600); err != nil {
		p.t.Error(err)
	}
}
