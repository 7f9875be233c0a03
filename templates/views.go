package templates

import "time"

// Home is the page at /.
type Home struct {
	Limits Limits
	Mode   string // selected initially: "fast", "best", otherwise "auto"
	// OnDevice lets visitors process photos on their own devices; without a List
	// it is not offered.
	OnDevice OnDevice
}

// OnDevice says what devices fetch for that, and what is chosen at first.
type OnDevice struct {
	List       string // address of the list of files
	Bytes      int64  // fetched before the first result
	Processing string // chosen initially: "server", "device" or "auto"
}

// Limits bound an upload.
type Limits struct {
	MaxUpload int64 // bytes per photo
	MaxPixels int   // pixels per photo
	MaxPhotos int   // photos per form
}

// Gallery is the page at /gallery; what it shows is stored in the browser.
type Gallery struct{}

// Offline is the page that the service worker shows without a network.
type Offline struct{}

// Contact is the page at /contact.
type Contact struct {
	Email string // empty if the operator set none
}

// API is the page at /api.
type API struct {
	Description string
	Operations  []Operation
}

// Operation is one method of one address.
type Operation struct {
	ID, Method, Path, Summary string
	Description               []Span
	Parameters                []Parameter
	Bodies                    []string // media types
	Answers                   []Answer
}

// Span is a piece of text.
type Span struct {
	Text string
	Code bool // a name or value
}

// Parameter is one parameter of an operation; Choices and Default may be empty.
type Parameter struct {
	Name, Where, Choices, Default string
	Description                   []Span
	Required                      bool
}

// Answer is one status with which an operation answers.
type Answer struct {
	Status, Description string
	Types               []string // media types
}

// Privacy is the page at /privacy, with the numbers of the running
// configuration.
type Privacy struct {
	ContactEmail string
	Limits       Limits
	// Device and Network are the rates a device and its network may send.
	Device, Network Rate
	LogDays         int           // access log lines are deleted after this many days; 0: there is no access log
	CookieLife      time.Duration // of the session cookie
	KeyLife         time.Duration // how long the key behind the device id lasts
	// LogAddress is what the access log holds of an address: "full",
	// "truncated" or "none".
	LogAddress string
	// SharedKey says that the key behind the identifiers is derived from a
	// secret that replicas share, instead of random.
	SharedKey bool
	// Proxies says that forwarded addresses of configured proxies are trusted.
	Proxies bool
	// OnDevice says that visitors may process photos on their own devices.
	OnDevice bool
	// SharedCounters says that the limit counters are in Redis, shared by several
	// replicas, instead of this server's memory.
	SharedCounters bool
}

// PrivacyChanged is the day of the last change to what the privacy page says.
const PrivacyChanged = "2026-11-26"

// Rate is a number of photos in a period; the zero Rate means no limit.
type Rate struct {
	Count  int64
	Period time.Duration
}

// Results is the page that answers a form sent without htmx, around one Card per
// photo, in the order sent. RenderAround renders it.
type Results struct{}

// Card is one photo on that page: either a result or an error.
type Card struct {
	Number int    // of the photo, from 1
	Name   string // of its file, as sent
	Result *ResultCard
	Error  *ErrorCard
}

// ResultCard is the fragment with one finished picture.
type ResultCard struct {
	Picture       []byte // the encoded file
	MediaType     string // such as "image/png"
	Width, Height int    // pixels
	Subject       string // "found", "unsure", or "none": then the picture holds little or nothing
	Mode          string // the mode that ran: "fast", "best" or "auto"
	Model         string // such as "isnet"
	Took          time.Duration
}

// ErrorCard is the fragment for one photo that failed. Code is a cutout.Code;
// Limits say how large a photo may be.
type ErrorCard struct {
	Code       string
	Message    string        // the error's sentence, with what to do
	RetryAfter time.Duration // 0 where unknown; the page counts it down
	Limits     Limits
}

// ErrorPage is the page for any error outside a fragment: 403, 404, 405, 413,
// 415, 429, 500, 503, 504. A 404 may be cached; the others are no-store.
type ErrorPage struct {
	Status     int
	Code       string // a cutout.Code, or "not_found", "method", "forbidden"
	Message    string // if empty, the page has a sentence for the code
	RetryAfter time.Duration
}

// Quota is the fragment of GET /device/quota.
type Quota struct{ Buckets []Bucket }

// Bucket is what one limit has left.
type Bucket struct {
	Name      string // "device" or "network"
	Limit     int
	Remaining int
	Resets    time.Duration // until the whole limit is available again
	Period    time.Duration // that Limit is for
}

// Queue is the fragment of GET /device/queue?upload=ID: the progress of that upload. It
// asks again by itself every second, until the result's swap replaces it.
type Queue struct {
	Upload string // as asked, checked by the handler: [A-Za-z0-9_-]{1,64}
	Stage  string // a cutout.Stage; empty if the upload is not known (yet)
	Ahead  int    // jobs ahead while Stage is "waiting"
}

// Data is the page at /device/data: all that is held about the device.
type Data struct {
	ID           string        // as shown, at most 16 characters
	Cookie       bool          // the id came with the session cookie
	CookieEnds   time.Duration // until the cookie expires; 0 without one
	KeyEnds      time.Duration // until the daily key behind the id changes
	Buckets      []Bucket
	LogDays      int // 0: there is no access log
	ContactEmail string
}

// Forgotten is the page that answers POST /device/forget.
type Forgotten struct{}

func (Home) name() string       { return "page/home.html" }
func (Gallery) name() string    { return "page/gallery.html" }
func (Offline) name() string    { return "page/offline.html" }
func (Contact) name() string    { return "page/contact.html" }
func (API) name() string        { return "page/api.html" }
func (Privacy) name() string    { return "page/privacy.html" }
func (Results) name() string    { return "page/results.html" }
func (ErrorPage) name() string  { return "page/error.html" }
func (Data) name() string       { return "page/data.html" }
func (Forgotten) name() string  { return "page/forgotten.html" }
func (Card) name() string       { return "fragment/card.html" }
func (ResultCard) name() string { return "fragment/result.html" }
func (ErrorCard) name() string  { return "fragment/error.html" }
func (Quota) name() string      { return "fragment/quota.html" }
func (Queue) name() string      { return "fragment/queue.html" }
