package app

import (
	"crypto/tls"
	"fmt"
	"net"

	"bgremover.pro/core/config"
)

// listen takes the public address; with a certificate, under TLS.
func listen(c *config.Config) (net.Listener, error) {
	var certificates []tls.Certificate
	if c.Server.TLSCert != "" {
		pair, err := tls.LoadX509KeyPair(c.Server.TLSCert, c.Server.TLSKey)
		if err != nil {
			return nil, c.Explain("tls_cert", err)
		}
		certificates = append(certificates, pair)
	}
	l, err := net.Listen("tcp", c.Server.Listen)
	if err != nil {
		return nil, c.Explain("listen", err)
	}
	if certificates != nil {
		l = tls.NewListener(l, &tls.Config{Certificates: certificates, MinVersion: tls.VersionTLS12})
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
