package app

import (
	"crypto/tls"
	"fmt"
	"net"

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

// listen binds the public address.
func listen(c *config.Config) (net.Listener, error) {
	l, err := net.Listen("tcp", c.Server.Listen)
	if err != nil {
		return nil, c.Explain("listen", err)
	}
	return l, nil
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
