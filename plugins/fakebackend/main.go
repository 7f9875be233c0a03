// Command fakebackend is a backend for tests: its masks follow from the pixels
// by simple arithmetic, and it fails on demand in every way that a real
// backend process may. It is built by tests and never installed.
package main

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"time"

	"bgremover.pro/plugins/contract"
)

// Faults, by the moment at which they happen.
const (
	// At start.
	faultExit    = "exit"    // ends at once, before any handshake
	faultRubbish = "rubbish" // writes something other than a handshake, then stays
	faultSilent  = "silent"  // never finishes the handshake
	faultVersion = "version" // speaks another version of the protocol
	faultByHand  = "by-hand" // serves without the host's cookie
	faultChatty  = "chatty"  // writes to standard output after its handshake
	// While it serves.
	faultFlood     = "flood"     // writes to stderr without end
	faultLog       = "log"       // writes a line that go-plugin's own log parser panics on
	faultSerial    = "serial"    // answers one call at a time, of any kind
	faultSmall     = "small"     // takes messages of up to 16 MiB
	faultMute      = "mute"      // refuses without a message
	faultStatus    = "status"    // says INVALID_ARGUMENT for NOT_FOUND
	faultVague     = "vague"     // describes no device
	faultUncounted = "uncounted" // never says that something is running
	faultTerm      = "term"      // ends at SIGTERM, once a model was loaded
	faultInt       = "int"       // the same at SIGINT
	// On Load and Unload.
	faultNameless = "nameless" // takes a model without name and files
	faultForget   = "forget"   // drops all models when one does not load
	faultKeep     = "keep"     // keeps the sizes of the model that is replaced
	faultUnlisted = "unlisted" // lists no model
	faultSubset   = "subset"   // makes only the largest size ready, as it may
	faultExtra    = "extra"    // reports a size that the model does not have
	faultUnload   = "unload"   // unloads nothing
	faultStrict   = "strict"   // refuses to unload an unknown name
	faultLoad     = "load"     // refuses every model
	faultDieIdle  = "die-idle" // dies -delay after the first Load
	// On Segment.
	faultDie   = "die"   // panics in the middle of a call
	faultError = "error" // answers with an error
	faultSize  = "size"  // answers with a mask of half the size
	faultShort = "short" // answers with too few bytes
	faultEmpty = "empty" // answers with a mask of no size
	faultHang  = "hang"  // never answers, whatever the caller does
	faultStop  = "stop"  // stops its own process, as SIGSTOP does
	faultLeak  = "leak"  // keeps 64 MiB more with every call

	faultDeaf     = "deaf"     // continues when its call is cancelled
	faultLate     = "late"     // continues after its deadline
	faultUnqueued = "unqueued" // runs one call at a time and does not report how long others wait
	faultUntimed  = "untimed"  // reports no time
	faultBoast    = "boast"    // reports a longer time than the call took
	faultMixed    = "mixed"    // answers calls at the same time with one mask
	faultRandom   = "random"   // never answers the same picture twice alike
	faultAnyway   = "anyway"   // runs a model that is not loaded
	faultAnySize  = "any-size" // runs sizes that the model does not have
	// On shutdown.
	faultStay   = "stay"   // stays when asked to end
	faultOrphan = "orphan" // stays when its host is gone
)

var faults = []string{
	faultExit, faultRubbish, faultSilent, faultVersion, faultFlood, faultLog, faultLoad, faultDieIdle,
	faultByHand, faultChatty, faultSerial, faultSmall, faultMute, faultStatus, faultVague, faultUncounted, faultTerm,
	faultInt, faultNameless, faultForget, faultKeep, faultUnlisted, faultUnload, faultStrict, faultDeaf, faultLate,
	faultUnqueued, faultUntimed, faultBoast, faultMixed, faultRandom, faultAnyway, faultAnySize, faultOrphan,
	faultSubset, faultExtra, faultDie, faultError, faultSize, faultShort, faultEmpty, faultHang, faultStop, faultLeak, faultStay,
}

func main() {
	b := &backend{log: contract.NewLogger(), stdout: os.Stdout, models: map[string][]int{}}
	flag.StringVar(&b.name, "name", "fake", "name in the description")
	flag.StringVar(&b.device, "device", "cpu", "device in the description")
	flag.StringVar(&b.mask, "mask", "luminance", "mask to answer with: luminance, ellipse, full, none")
	flag.StringVar(&b.fault, "fault", "", "fault to show: "+strings.Join(faults, ", "))
	flag.StringVar(&b.once, "once", "", "file: the fault shows only if this exists, and showing it removes it")
	flag.StringVar(&b.lost, "lost", "", "file: while it exists, Describe and Segment report that the device is unavailable, for the reason in it")
	flag.DurationVar(&b.delay, "delay", 0, "time that a run takes; the end of the call cuts it short")
	flag.IntVar(&b.slow, "slow", 0, "the only size that takes that time; 0: all")
	flag.DurationVar(&b.loadDelay, "load-delay", 0, "time that Load takes")
	flag.Parse()
	atStart(b)
	contract.Serve(b, b.wire()...)
	if b.strikes(faultStay) {
		select {} // Serve has left a watcher that still ends us with the host
	}
}

// atStart shows the faults that come before serving, or during it.
func atStart(b *backend) {
	switch {
	case b.strikes(faultExit):
		fmt.Fprintln(os.Stderr, "fakebackend: cannot start, as asked")
		os.Exit(3)
	case b.strikes(faultRubbish):
		fmt.Println("Welcome! This is not a handshake.")
		contract.EndWithHost()
	case b.strikes(faultSilent):
		contract.EndWithHost()
	case b.strikes(faultVersion):
		contract.Handshake.ProtocolVersion += 98
	case b.strikes(faultLog):
		fmt.Fprintln(os.Stderr, `{"@message": 1, "@level": [], "@timestamp": {}}`)
	case b.strikes(faultByHand):
		_ = os.Setenv(contract.Handshake.MagicCookieKey, contract.Handshake.MagicCookieValue)
	case b.strikes(faultOrphan):
		_ = os.Unsetenv(contract.EnvHostPipe)
	case b.strikes(faultFlood):
		go flood(os.Stderr)
	}
}

func flood(stderr *os.File) {
	line := []byte(strings.Repeat("flood ", 200) + "\n")
	for {
		for range 100 {
			if _, err := stderr.Write(line); err != nil {
				return
			}
		}
		time.Sleep(time.Millisecond) // 100 MB a second is enough of a flood
	}
}
