// Package fetch downloads photos from addresses that visitors name, without letting them
// reach what only this machine or its neighbours may reach. Which hosts are allowed is the
// operator's choice; by default there are none. The address of every connection is checked
// when it is made, after the name was resolved and after every redirect, so that a name
// cannot change its meaning in between. Requests carry neither cookies nor credentials nor
// anything about the visitor, and use no proxy.
package fetch

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"bgremover.pro/core/cutout"
)

// Codes of this package's errors, besides those of cutout.
const (
	Refused cutout.Code = "address_refused"
	Failed  cutout.Code = "download_failed"
)

// Options are what a Fetcher is made of; zero values mean the defaults.
type Options struct {
	// Hosts are those allowed at first; see Allow.
	Hosts []string
	// Timeout bounds one download with all its redirects; 0 means 20 s.
	Timeout time.Duration
	// Redirects bounds how many are followed; 0 means 5.
	Redirects int
	// Parallel bounds the downloads at a time, and those of one owner to a quarter;
	// 0 means 16.
	Parallel int
	// Resolver finds the addresses of names; nil means the system's.
	Resolver *net.Resolver
	// Permit says which addresses may be connected to; nil means Public.
	Permit func(netip.Addr) bool
}

// Fetcher downloads files. It is safe for concurrent use and keeps no connection.
type Fetcher struct {
	options Options
	client  *http.Client
	hosts   atomic.Pointer[[]host]

	mu      sync.Mutex
	running int
	owners  map[string]int
}

var (
	errOff     = &cutout.Error{Code: Refused, Message: "This server does not download photos. Send the file itself."}
	errRefused = &cutout.Error{Code: Refused, Message: "This server does not download photos from that address. Send the file itself, or use an http or https address of a public site that the operator allows."}
	errFailed  = &cutout.Error{Code: Failed, Message: "The photo could not be downloaded. Check its address, or send the file itself."}
	errSlow    = &cutout.Error{Code: Failed, Message: "Downloading the photo took too long. Try again, or send the file itself."}
	errBusy    = &cutout.Error{Code: cutout.Busy, Message: "Too many photos are being downloaded right now. Try again in a few seconds, or send the file itself.", RetryAfter: 5 * time.Second}
)

// New returns a Fetcher.
func New(o Options) *Fetcher {
	if o.Timeout == 0 {
		o.Timeout = 20 * time.Second
	}
	if o.Redirects == 0 {
		o.Redirects = 5
	}
	if o.Parallel == 0 {
		o.Parallel = 16
	}
	if o.Permit == nil {
		o.Permit = Public
	}
	f := &Fetcher{options: o, owners: map[string]int{}}
	f.Allow(o.Hosts)
	dialer := &net.Dialer{Timeout: o.Timeout, Resolver: o.Resolver, Control: f.control}
	f.client = &http.Client{
		CheckRedirect: f.redirect,
		Transport: &http.Transport{
			DialContext: dialer.DialContext,
			// A compressed answer is refused below: it may expand without end.
			DisableCompression:     true,
			DisableKeepAlives:      true,
			MaxResponseHeaderBytes: 64 << 10,
			TLSHandshakeTimeout:    o.Timeout,
		},
	}
	return f
}

// Allow sets the hosts that may be downloaded from: names such as
// photos.example.com, domains with all below them such as *.example.com, "*" for all
// public ones, each perhaps with a port; without one, only 80 and 443.
func (f *Fetcher) Allow(hosts []string) {
	all := parseHosts(hosts)
	f.hosts.Store(&all)
}

// Enabled reports whether any host is allowed.
func (f *Fetcher) Enabled() bool { return len(*f.hosts.Load()) > 0 }

// Get downloads a file of at most limit bytes and lets read read it; owner is whose
// share of the downloads it uses. An error of read is returned unchanged.
//
// Codes: Refused, Failed, cutout.TooLarge, cutout.Busy, cutout.Canceled.
func (f *Fetcher) Get(ctx context.Context, address, owner string, limit int64, read func(io.Reader) error) error {
	if !f.Enabled() {
		return errOff
	}
	u, err := url.Parse(address)
	if err != nil || len(address) > longest {
		return errRefused
	}
	if err := f.check(u); err != nil {
		return err
	}
	if !f.enter(owner) {
		return errBusy
	}
	defer f.leave(owner)
	inner, cancel := context.WithTimeout(ctx, f.options.Timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(inner, http.MethodGet, u.String(), http.NoBody)
	if err != nil {
		return errRefused
	}
	request.Header.Set("Accept", "image/*")
	request.Header.Set("Accept-Encoding", "identity")
	request.Header.Set("User-Agent", "BGRemover")
	answer, err := f.client.Do(request)
	if err != nil {
		return cause(ctx, err)
	}
	defer answer.Body.Close()
	encoding := answer.Header.Get("Content-Encoding")
	switch {
	case answer.StatusCode != http.StatusOK || encoding != "" && encoding != "identity":
		return errFailed
	case answer.ContentLength > limit:
		return tooLarge(limit)
	}
	return read(&reader{answer.Body, ctx, limit, limit})
}

// check refuses an address that is not http or https, or whose host is not allowed.
func (f *Fetcher) check(u *url.URL) error {
	name, port, err := target(u)
	if err != nil || !f.allows(name, port) {
		return errRefused
	}
	if a, err := netip.ParseAddr(name); err == nil && !f.options.Permit(a) {
		return errRefused
	}
	return nil
}

func (f *Fetcher) redirect(next *http.Request, before []*http.Request) error {
	if len(before) > f.options.Redirects {
		return errFailed
	}
	next.Header.Del("Referer")
	return f.check(next.URL)
}

// control is called for every connection with the address that it will be made to. A
// name that leads to a private one fails like one that does not exist: the difference
// would show which names a private network has.
func (f *Fetcher) control(_, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil || !f.options.Permit(to.Addr()) {
		return errFailed
	}
	return nil
}

func (f *Fetcher) enter(owner string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.running >= f.options.Parallel || f.owners[owner] >= max(1, f.options.Parallel/4) {
		return false
	}
	f.running++
	f.owners[owner]++
	return true
}

func (f *Fetcher) leave(owner string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.running--
	if f.owners[owner]--; f.owners[owner] == 0 {
		delete(f.owners, owner)
	}
}

// cause keeps our own errors; it reveals nothing else of what was found at the address,
// which could be used to explore the network.
func cause(ctx context.Context, err error) error {
	var own *cutout.Error
	var timeout net.Error
	switch {
	case errors.As(err, &own):
		return own
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &timeout) && timeout.Timeout():
		return errSlow
	}
	return errFailed
}

func tooLarge(limit int64) error {
	return cutout.Errorf(cutout.TooLarge, "The photo at that address is larger than %d bytes, the most that this server accepts.", limit)
}

// reader reads a body up to a limit, with errors of this package.
type reader struct {
	from  io.Reader
	ctx   context.Context //nolint:containedctx // a reader's life is one call
	limit int64
	left  int64
}

func (r *reader) Read(p []byte) (int, error) {
	n, err := r.from.Read(p[:min(int64(len(p)), r.left+1)])
	if r.left -= int64(n); r.left < 0 {
		return n, tooLarge(r.limit)
	}
	if err != nil && err != io.EOF { //nolint:errorlint // what readers return
		err = cause(r.ctx, err)
	}
	return n, err
}
