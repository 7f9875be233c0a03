package app

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"

	"bgremover.pro/core/config"
)

// certificate reads the public listener's certificate; nil if there is none.
func certificate(c *config.Config) (*tls.Config, error) {
	if c.Server.TLSCert == "" {
		return nil, nil
	}
	pair, err := tls.LoadX509KeyPair(c.Server.TLSCert, c.Server.TLSKey)
	if err != nil {
		return nil, c.Explain("tls_cert", err)
	}
	return &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}, nil
}

// listen binds the public addresses.
func listen(c *config.Config) (net.Listener, error) {
	all := &listeners{accepted: make(chan accepted), closed: make(chan struct{})}
	for _, address := range c.Server.Listen {
		l, err := net.Listen("tcp", address)
		if err != nil {
			_ = all.Close()
			return nil, c.Explain("listen", err)
		}
		all.each = append(all.each, l)
	}
	if len(all.each) == 1 {
		return all.each[0], nil
	}
	for _, l := range all.each {
		all.running.Go(func() { all.accept(l) })
	}
	return all, nil
}

// listeners combines several into one, so that they share the bounds on connections. Close
// ends its goroutines.
type listeners struct {
	each     []net.Listener
	accepted chan accepted
	closed   chan struct{}
	closing  sync.Once
	running  sync.WaitGroup
}

type accepted struct {
	conn net.Conn
	err  error
}

func (l *listeners) accept(from net.Listener) {
	for {
		conn, err := from.Accept()
		select {
		case l.accepted <- accepted{conn, err}:
		case <-l.closed:
			if conn != nil {
				_ = conn.Close()
			}
			return
		}
		if errors.Is(err, net.ErrClosed) {
			return
		}
	}
}

func (l *listeners) Accept() (net.Conn, error) {
	select {
	case a := <-l.accepted:
		return a.conn, a.err
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *listeners) Close() (err error) {
	l.closing.Do(func() {
		close(l.closed)
		for _, one := range l.each {
			err = errors.Join(err, one.Close())
		}
		l.running.Wait()
	})
	return err
}

// Addr is the first address.
func (l *listeners) Addr() net.Addr { return l.each[0].Addr() }

// shownListeners is what a person types to reach the public listeners.
func shownListeners(l net.Listener) string {
	all, several := l.(*listeners)
	if !several {
		return "http://" + shownAddress(l.Addr())
	}
	var texts []string
	for _, one := range all.each {
		texts = append(texts, "http://"+shownAddress(one.Addr()))
	}
	return strings.Join(texts, ", ")
}

// shownAddress is what a person types to reach a listener.
func shownAddress(a net.Addr) string {
	tcp, ok := a.(*net.TCPAddr)
	if ok && tcp.IP.IsUnspecified() {
		return fmt.Sprintf("127.0.0.1:%d", tcp.Port)
	}
	return a.String()
}

// shownOperator is what a person types to reach the operator's page.
func shownOperator(a net.Addr) string {
	if a.Network() == "unix" {
		return "unix:" + a.String()
	}
	return "http://" + shownAddress(a)
}
