package doctor

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync"
	"time"

	"kb-mcp/vendors"
	"kb-mcp/vendors/all"
)

// certificateSoon is how long before its end a certificate is worth a warning.
const certificateSoon = 14 * 24 * time.Hour

// route records the way to a platform while the transport that serves agents
// makes a call: it shows the real proxy and certificates, and needs no further
// request. The last try counts.
type route struct {
	proxies map[string]string // address to the variable that names it

	mu       sync.Mutex
	dialled  string // host and port, of the platform or a proxy; "" when no request was made
	names    []string
	nameErr  error
	reached  net.Addr // the other end, once there was a connection
	ready    bool     // a request could be sent
	tls      *tls.ConnectionState
	tlsErr   error
	tlsBegun bool
}

// trace notes what the transport does; it may do several things at once.
func (r *route) trace() *httptrace.ClientTrace {
	note := func(f func()) {
		r.mu.Lock()
		defer r.mu.Unlock()
		f()
	}
	return &httptrace.ClientTrace{
		GetConn: func(address string) { note(func() { r.dialled = address }) },
		DNSDone: func(i httptrace.DNSDoneInfo) {
			note(func() {
				r.names, r.nameErr = nil, i.Err
				for _, a := range i.Addrs {
					r.names = append(r.names, a.String())
				}
			})
		},
		ConnectDone: func(_, address string, err error) {
			note(func() {
				if err == nil {
					r.reached, _ = net.ResolveTCPAddr("tcp", address) // an IP address; no look-up
				}
			})
		},
		TLSHandshakeStart: func() { note(func() { r.tlsBegun = true }) },
		TLSHandshakeDone:  func(s tls.ConnectionState, err error) { note(func() { r.tls, r.tlsErr = &s, err }) },
		GotConn:           func(i httptrace.GotConnInfo) { note(func() { r.ready, r.reached = true, i.Conn.RemoteAddr() }) },
	}
}

// findings describes the route as far as the call with the outcome err got;
// arrived says that the request could be sent, or that none was made.
func (r *route) findings(err error) (found []vendors.Finding, arrived bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.dialled == "" {
		return nil, true
	}
	host, _, _ := net.SplitHostPort(r.dialled)
	switch {
	case r.nameErr != nil && !r.ready:
		f := trouble("dns", vendors.Broken, err)
		f.Hint = fmt.Sprintf("Check the host %q in the base URL or proxy variable, and this machine's name server or VPN.", host)
		return []vendors.Finding{f}, false
	case len(r.names) > 0:
		found = append(found, fine("dns", fmt.Sprintf("%s is %s.", host, strings.Join(r.names[:min(3, len(r.names))], ", "))))
	}
	f, ok := r.connection(err)
	found = append(found, f)
	if ok && r.tlsBegun {
		f, ok = r.certificate(err)
		found = append(found, f)
	}
	if ok && !r.ready { // a proxy that does not let us through, or no time left
		found[len(found)-1] = trouble(f.Check, vendors.Broken, err)
		if f.Check == "proxy" {
			found[len(found)-1].Hint = "Check the address, user and password in " + r.proxies[r.dialled] + "; hosts in NO_PROXY are reached without it."
		}
	}
	return found, r.ready
}

// connection judges the connection itself, to the platform or to a proxy.
func (r *route) connection(err error) (f vendors.Finding, ok bool) {
	variable, proxied := r.proxies[r.dialled]
	switch tcp, _ := r.reached.(*net.TCPAddr); {
	case r.reached == nil && proxied:
		f = trouble("proxy", vendors.Broken, err)
		f.Hint = "Check " + variable + " and that the proxy runs; hosts in NO_PROXY are reached without it."
		return f, false
	case r.reached == nil:
		return trouble("connect", vendors.Broken, err), false
	case proxied:
		return fine("proxy", fmt.Sprintf("Requests go through %s, the proxy of %s.", r.dialled, variable)), true
	case r.ready && !r.tlsBegun && !secure(r.dialled) && tcp != nil && !tcp.IP.IsLoopback() && !tcp.IP.IsPrivate():
		return vendors.Finding{
			Check: "connect", Status: vendors.Doubtful, Message: fmt.Sprintf("Connected to %s, without encryption.", r.reached),
			Hint: "Use https:// in the base URL: the credential crosses the network readable.",
		}, true
	}
	return fine("connect", fmt.Sprintf("Connected to %s.", r.reached)), true
}

// secure reports whether an address without a handshake may be an open
// connection of another call.
func secure(address string) bool { return strings.HasSuffix(address, ":443") }

// certificate judges the TLS handshake.
func (r *route) certificate(err error) (f vendors.Finding, ok bool) {
	var host x509.HostnameError
	var invalid x509.CertificateInvalidError
	var unknown x509.UnknownAuthorityError
	var plain tls.RecordHeaderError
	if r.tlsErr != nil {
		f = trouble("tls", vendors.Broken, err)
		switch {
		case errors.As(r.tlsErr, &host):
			f.Hint = "Use the host name that the certificate is for in the base URL."
		case errors.As(r.tlsErr, &invalid) && invalid.Reason == x509.Expired:
			f.Hint = "Check this machine's clock; if it is right, the server needs a new certificate."
		case errors.As(r.tlsErr, &unknown):
			f.Hint = "Set KB_MCP_CA_FILE to the PEM file of the authority that signed the server's (or your proxy's) certificate."
		case errors.As(r.tlsErr, &plain):
			f.Hint = "The server does not speak TLS there: check the port and the scheme of the base URL."
		}
		return f, false
	}
	if r.tls == nil || len(r.tls.PeerCertificates) == 0 {
		return trouble("tls", vendors.Broken, err), false
	}
	until := r.tls.PeerCertificates[0].NotAfter
	f = fine("tls", fmt.Sprintf("%s, certificate valid until %s.", tls.VersionName(r.tls.Version), until.UTC().Format(time.DateOnly)))
	if time.Until(until) < certificateSoon {
		f.Status, f.Hint = vendors.Doubtful, "Renew the server's certificate."
	}
	return f, true
}

// proxyAddresses returns the addresses of the configured proxies, as the
// transport dials them, and the variable of each.
func proxyAddresses(env *all.Environ) map[string]string {
	list := map[string]string{}
	for _, name := range []string{"http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY"} {
		value := env.Get(name)
		if value != "" && !strings.Contains(value, "://") {
			value = "http://" + value
		}
		u, err := url.Parse(value)
		if err != nil || u.Hostname() == "" {
			continue
		}
		port := u.Port()
		if port == "" {
			port = map[string]string{"https": "443", "socks5": "1080", "socks5h": "1080"}[u.Scheme]
		}
		if port == "" {
			port = "80"
		}
		list[net.JoinHostPort(u.Hostname(), port)] = name
	}
	return list
}
