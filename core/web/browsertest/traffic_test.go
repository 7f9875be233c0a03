package browsertest

import (
	"strings"
	"sync"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/storage"
	"github.com/chromedp/chromedp"
)

// request is one that went over the wire.
type request struct {
	url   string
	bytes float64
}

// watchTraffic notes what the page loads. The function returned lists it so far.
func (p *tab) watchTraffic() func() []request {
	p.t.Helper()
	call(p, network.Enable, network.EnableParams{})
	var mu sync.Mutex
	urls := map[network.RequestID]string{}
	var all []request
	if err := chromedp.Listen(p.ctx, func(event any) {
		mu.Lock()
		defer mu.Unlock()
		switch e := event.(type) {
		case *network.EventRequestWillBeSent:
			urls[e.RequestID] = e.Request.URL
		case *network.EventLoadingFinished:
			if url := urls[e.RequestID]; !strings.HasPrefix(url, "data:") && !strings.HasPrefix(url, "blob:") {
				all = append(all, request{url, e.EncodedDataLength})
			}
		}
	}); err != nil {
		p.t.Fatal(err)
	}
	return func() []request {
		mu.Lock()
		defer mu.Unlock()
		return append([]request(nil), all...)
	}
}

func (p *tab) cookies() []*network.Cookie {
	p.t.Helper()
	return callBrowser(p, storage.GetCookies, storage.GetCookiesParams{}).Cookies
}
