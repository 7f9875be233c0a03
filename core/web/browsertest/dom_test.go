package browsertest

import (
	"fmt"

	"github.com/chromedp/cdproto/network"
)

// count counts what a selector finds.
func (p *tab) count(selector string) int {
	p.t.Helper()
	return eval[int](p, fmt.Sprintf("document.querySelectorAll(%q).length", selector))
}

// visible says whether something that a selector finds can be seen.
func (p *tab) visible(selector string) bool {
	p.t.Helper()
	return eval[bool](p, fmt.Sprintf("[...document.querySelectorAll(%q)].some((e) => e.checkVisibility({ visibilityProperty: true }))", selector))
}

// block keeps the page from loading what matches.
func (p *tab) block(patterns ...string) {
	p.t.Helper()
	call(p, network.Enable, network.EnableParams{})
	var blocked []*network.BlockPattern
	for _, pattern := range patterns {
		blocked = append(blocked, &network.BlockPattern{URLPattern: pattern, Block: true})
	}
	call(p, network.SetBlockedURLs, network.SetBlockedURLsParams{URLPatterns: blocked})
}
