package all

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"golang.org/x/net/http/httpproxy"

	"kb-mcp/vendors/rest"
)

// transport is the one connection pool. It keeps 128 idle connections per host
// instead of Go's 2, so that many callers do not open new ones all the time. A
// transport with its own dialer or TLS settings loses HTTP/2 unless it is
// forced.
func transport(env *Environ) (*http.Transport, []rest.Problem) {
	proxy, problems := proxy(env)
	t := &http.Transport{
		Proxy:                  proxy,
		DialContext:            (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout:    10 * time.Second,
		ForceAttemptHTTP2:      true,
		MaxIdleConns:           512,
		MaxIdleConnsPerHost:    128,
		IdleConnTimeout:        90 * time.Second,
		ExpectContinueTimeout:  time.Second,
		MaxResponseHeaderBytes: 1 << 18,
	}
	roots, more := Roots(env)
	if roots != nil {
		t.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	}
	return t, append(problems, more...)
}

// Roots are the certificate authorities that KB_MCP_CA_FILE adds to the
// system's, or nil for the system's alone.
func Roots(env *Environ) (*x509.CertPool, []rest.Problem) {
	path := env.Get("KB_MCP_CA_FILE")
	if path == "" {
		return nil, nil
	}
	pool, text := certificates(path)
	if text != "" {
		return nil, []rest.Problem{{Variable: "KB_MCP_CA_FILE", Text: text}}
	}
	return pool, nil
}

// certificates adds a PEM file to the system's certificates.
func certificates(path string) (*x509.CertPool, string) {
	pem, err := os.ReadFile(path)
	if err != nil {
		return nil, "names a file that cannot be read"
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, "names a file without a PEM certificate"
	}
	return pool, ""
}

// proxy reads the proxy variables from our environment; net/http would read
// the process's, once. Requests to loopback never use a proxy.
func proxy(env *Environ) (func(*http.Request) (*url.URL, error), []rest.Problem) {
	var problems []rest.Problem
	get := func(upper, lower string) string {
		name := upper
		value := env.Get(upper)
		if value == "" {
			name, value = lower, env.Get(lower)
		}
		if upper == "NO_PROXY" || value == "" {
			return value
		}
		if Quoted(value) {
			problems = append(problems, rest.Problem{Variable: name, Text: "is wrapped in quotes; give the value without them"})
			return ""
		}
		whole := value
		if !strings.Contains(value, "://") { // "proxy:3128" is taken as http, as curl does
			whole = "http://" + value
		}
		u, err := url.Parse(whole)
		if err != nil || u.Hostname() == "" {
			problems = append(problems, rest.Problem{Variable: name, Text: "is not a URL"})
			return ""
		}
		if password, ok := u.User.Password(); ok {
			env.Secrets.Add(password, u.User.String())
		}
		return value
	}
	config := httpproxy.Config{
		HTTPProxy:  get("HTTP_PROXY", "http_proxy"),
		HTTPSProxy: get("HTTPS_PROXY", "https_proxy"),
		NoProxy:    get("NO_PROXY", "no_proxy"),
	}
	find := config.ProxyFunc()
	return func(r *http.Request) (*url.URL, error) { return find(r.URL) }, problems
}
