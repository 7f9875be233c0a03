package app

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"os"
	"strconv"
	"time"
)

// notify tells systemd of a change of state (sd_notify(3)); elsewhere it does
// nothing.
func notify(state string) {
	path := os.Getenv("NOTIFY_SOCKET")
	if path == "" {
		return
	}
	conn, err := net.Dial("unixgram", path) //nolint:gosec // systemd gives the path
	if err != nil {
		return
	}
	defer conn.Close()
	_, _ = conn.Write([]byte(state)) // a failure cannot be reported to anyone
}

// feedWatchdog tells systemd twice per watchdog interval that the process is alive,
// as long as alive returns true; it returns when ctx ends.
func feedWatchdog(ctx context.Context, alive func() bool) {
	microseconds, err := strconv.Atoi(os.Getenv("WATCHDOG_USEC"))
	if err != nil || microseconds <= 0 {
		return
	}
	ticker := time.NewTicker(time.Duration(microseconds) * time.Microsecond / 2)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if alive() {
				notify("WATCHDOG=1")
			}
		}
	}
}

// alive reports whether the public listener answers, asking as a visitor would.
func (a *App) alive() bool {
	client := http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{
		DisableKeepAlives: true,
		TLSClientConfig:   &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // it is this process that answers, under a name of its own
	}}
	scheme := "http"
	if a.live.Current().Server.TLSCert != "" {
		scheme = "https"
	}
	request, err := http.NewRequestWithContext(context.Background(), http.MethodGet, scheme+"://"+shownAddress(a.Address())+"/healthz", http.NoBody)
	if err != nil {
		return false
	}
	answer, err := client.Do(request)
	if err != nil {
		return false
	}
	defer answer.Body.Close()
	return answer.StatusCode == http.StatusOK
}
