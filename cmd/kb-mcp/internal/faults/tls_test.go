package faults

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// securityFaults are about reaching the platform and its certificate. ca names
// a file with the test server's certificate.
func (l *lab) securityFaults() []mishap {
	t := l.t
	ca := filepath.Join(t.TempDir(), "ca.pem")
	srv := httptest.NewTLSServer(nil)
	writePEM(t, ca, srv.Certificate().Raw)
	srv.Close()
	late, lateCA := expired(t)
	secure := func(change func(*tls.Config), http2 bool) func(*httptest.Server) {
		return func(srv *httptest.Server) {
			srv.TLS, srv.EnableHTTP2 = &tls.Config{}, http2
			change(srv.TLS)
			srv.StartTLS()
		}
	}
	plainTLS := secure(func(*tls.Config) {}, false)
	overHTTP2 := secure(func(*tls.Config) {}, true)
	list := []mishap{
		{row: "connection refused", base: replaced("127.0.0.1:", refusing(t))},
		{row: "a certificate of an unknown authority", start: plainTLS},
		{row: "a certificate for another host", start: plainTLS, ca: ca, base: func(url string) string { return strings.Replace(url, "127.0.0.1", "localhost", 1) }},
		{row: "an expired certificate", start: secure(func(c *tls.Config) { c.Certificates = []tls.Certificate{late} }, false), ca: lateCA},
		{row: "a client certificate wanted", start: secure(func(c *tls.Config) { c.ClientAuth = tls.RequireAnyClientCert }, false), ca: ca},
		{row: "only TLS 1.1", start: secure(func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS11 }, false), ca: ca},
		{row: "https to a plain port", base: func(url string) string { return strings.Replace(url, "http:", "https:", 1) }},
		{row: "http to a TLS port of nginx", serve: func(x *exchange) {
			x.send(400, []byte("<html><center>The plain HTTP request was sent to HTTPS port</center></html>"), "Content-Type: text/html")
		}},
		{row: "http to a TLS port of Go", serve: func(x *exchange) {
			x.raw("HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n", false)
		}},
		{row: "a handshake that never ends", timeout: brief, start: func(srv *httptest.Server) {
			srv.Listener = deafListener{srv.Listener}
			srv.Start()
		}, base: func(url string) string { return strings.Replace(url, "http:", "https:", 1) }},
		{row: "TLS as it should be", start: plainTLS, ca: ca},
		{row: "HTTP/2", start: overHTTP2, ca: ca},
		{row: "HTTP/2, reset before the headers", start: overHTTP2, ca: ca, serve: func(*exchange) { panic(http.ErrAbortHandler) }},
		{row: "HTTP/2, reset in the body", start: overHTTP2, ca: ca, serve: func(x *exchange) {
			x.w.Write(x.right.body[:len(x.right.body)/2])
			x.flush()
			panic(http.ErrAbortHandler)
		}},
	}
	for i := range list {
		list[i].questions = 3 // a handshake is dear, and comes before any question
	}
	return grouped("Reaching the platform", list)
}

// refusing is an address at which nobody listens, and nobody else can.
func refusing(t *testing.T) string {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Close(fd) })
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	bound, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	return (&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: bound.(*syscall.SockaddrInet4).Port}).String()
}

// replaced puts another address into a URL whose address begins with prefix.
func replaced(prefix, address string) func(string) string {
	return func(url string) string {
		head, _, _ := strings.Cut(url, prefix)
		return head + address
	}
}

// expired is a certificate whose time is over, and the file that trusts it.
func expired(t *testing.T) (tls.Certificate, string) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "sandbox"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Unix(1e9, 0), NotAfter: time.Unix(1.1e9, 0), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "late.pem")
	writePEM(t, file, der)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, file
}

func writePEM(t *testing.T, file string, der []byte) {
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
}

// deafListener accepts connections and never hears a word on them.
type deafListener struct{ net.Listener }

func (l deafListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	return deafConn{conn}, err
}

type deafConn struct{ net.Conn }

func (c deafConn) Read([]byte) (int, error) {
	_, err := io.Copy(io.Discard, c.Conn)
	if err == nil {
		err = io.EOF
	}
	return 0, err
}
