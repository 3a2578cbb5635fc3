package server

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	mcpserver "github.com/mark3labs/mcp-go/server"
)

const (
	// maxBody bounds a request's body; mcp-go itself took 64 MB.
	maxBody = 4 << 20
	// bodyTime bounds its arrival. The server has no ReadTimeout, which would
	// count against long calls too.
	bodyTime = 30 * time.Second
)

// corsHeaders are the request headers a browser may send. mcp-go's own list
// lacks the three that 2025-06-18 and 2026-07-28 require.
const corsHeaders = "Content-Type, Accept, Authorization, Mcp-Session-Id, " +
	"Mcp-Protocol-Version, Mcp-Method, Mcp-Name, Last-Event-ID"

// guard stands before both HTTP transports. mcp-go never checks Origin, bounds
// no body and checks no token; its Host check looks at loopback connections
// only and there refuses the names a proxy on the same machine forwards.
type guard struct {
	next    http.Handler
	hosts   map[string]bool
	origins map[string]bool
	tokens  [][sha256.Size]byte
	ended   func(session string) // a client has ended it by DELETE
}

// newGuard reads the lists of o. bound are the hosts of the addresses the
// server was asked to listen on and listens on.
func newGuard(o HTTPOptions, bound []string, ended func(string), next http.Handler) *guard {
	g := &guard{next: next, hosts: map[string]bool{}, origins: map[string]bool{}, ended: ended}
	for _, addr := range bound {
		// An unspecified address says nothing about the names it is reached by.
		if ip, err := netip.ParseAddr(hostname(addr)); err != nil || !ip.IsUnspecified() {
			g.hosts[hostname(addr)] = true
		}
	}
	for _, h := range o.AllowedHosts {
		g.hosts[hostname(strings.TrimSpace(h))] = true
	}
	delete(g.hosts, "") // ":8080" and empty entries
	for _, o := range o.AllowedOrigins {
		if origin, _, ok := parseOrigin(strings.TrimSuffix(strings.TrimSpace(o), "/")); ok {
			g.origins[origin] = true
		}
	}
	for _, t := range tokenList(o.Tokens) {
		g.tokens = append(g.tokens, sha256.Sum256([]byte(t)))
	}
	return g
}

// ServeHTTP judges in this order because a preflight carries no token, and
// nothing of a stranger's body should be read.
func (g *guard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case !g.hostOK(r.Host):
		http.Error(w, "host not allowed: see KB_MCP_ALLOWED_HOSTS", http.StatusForbidden)
	case !g.originOK(r.Header.Values("Origin")):
		http.Error(w, "origin not allowed: see KB_MCP_ALLOWED_ORIGINS", http.StatusForbidden)
	case r.Method == http.MethodOptions:
		cors(w, r)
		w.WriteHeader(http.StatusNoContent)
	case !g.tokenOK(r.Header.Get("Authorization")):
		cors(w, r)
		w.Header().Set("WWW-Authenticate", "Bearer")
		http.Error(w, "bearer token required", http.StatusUnauthorized)
	default:
		cors(w, r)
		w.Header().Set("X-Accel-Buffering", "no") // nginx would hold streams back
		g.admit(w, r)
	}
}

// hostOK protects a browser's user from pages whose name was rebound to our
// address: they send their own name as Host.
func (g *guard) hostOK(host string) bool {
	h := hostname(host)
	return loopback(h) || g.hosts[h]
}

// originOK admits programs, which send no Origin, pages served from this
// machine, and the listed. "null", which a sandboxed frame of any page sends,
// is refused even if listed.
func (g *guard) originOK(origins []string) bool {
	for _, o := range origins {
		if o == "" {
			continue
		}
		origin, host, ok := parseOrigin(o)
		if !ok || !g.origins[origin] && !(strings.HasPrefix(origin, "http") && loopback(host)) {
			return false
		}
	}
	return true
}

// tokenOK compares hashes, so that neither a token's length nor its place in
// the list shows in the time taken.
func (g *guard) tokenOK(authorization string) bool {
	if len(g.tokens) == 0 {
		return true
	}
	scheme, token, _ := strings.Cut(authorization, " ")
	given := sha256.Sum256([]byte(strings.TrimSpace(token)))
	match := 0
	for _, t := range g.tokens {
		match |= subtle.ConstantTimeCompare(t[:], given[:])
	}
	return match == 1 && strings.EqualFold(scheme, "Bearer")
}

// admit lets an authorized request through, its body read and bounded.
func (g *guard) admit(w http.ResponseWriter, r *http.Request) {
	version := r.Header.Get(mcpserver.HeaderKeyProtocolVersion)
	session := r.Header.Get(mcpserver.HeaderKeySessionID)
	modern := mcp.IsModernProtocol(version)
	known := version == "" || mcp.IsValidProtocolVersion(version)
	if r.Method == http.MethodDelete && r.URL.Path == "/mcp" && known && !modern {
		g.ended(session)
	}
	if r.Method != http.MethodPost {
		g.next.ServeHTTP(w, r)
		return
	}
	// mcp-go's /message takes text/plain, which a page may send unasked.
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/json" {
		http.Error(w, "Content-Type must be application/json", http.StatusUnsupportedMediaType)
		return
	}
	body, ok := readBody(w, r)
	if !ok {
		return
	}
	// mcp-go keys calls by session and request id, and every modern or
	// session-less request has session "": one client's cancellation of its
	// request 1 cancels every other client's. Modern clients cancel by closing
	// the stream. SSE names its session in the query and keeps cancellation.
	if r.URL.Path == "/mcp" && (modern || session == "") && isCancellation(body) {
		w.WriteHeader(http.StatusAccepted)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	g.next.ServeHTTP(w, r)
}

// readBody reads a POST's body within its bounds, or answers.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, bool) {
	rc := http.NewResponseController(w)
	// Not every ResponseWriter has deadlines (tests, other people's wrappers).
	_ = rc.SetReadDeadline(time.Now().Add(bodyTime))
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	// The connection is read on while the call runs, to hear the client leave;
	// a deadline left standing would look like that.
	_ = rc.SetReadDeadline(time.Time{})
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		http.Error(w, "body larger than 4 MiB", http.StatusRequestEntityTooLarge)
	case err != nil:
		http.Error(w, "body could not be read", http.StatusBadRequest)
	}
	return body, err == nil
}

// isCancellation reports whether mcp-go would take body for the notification
// that cancels a call; it decodes as mcp-go does, keys in any case.
func isCancellation(body []byte) bool {
	var m struct {
		Method mcp.MCPMethod `json:"method"`
		ID     any           `json:"id"`
	}
	return json.Unmarshal(body, &m) == nil && m.ID == nil && m.Method == mcp.MethodNotificationCancelled
}

// cors lets an admitted origin's page read the answer. mcp-go's own CORS knows
// only a fixed list, not "any page of this machine". The origin is echoed, not
// "*", and cookies play no part.
func cors(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Add("Vary", "Origin")
	origin := r.Header.Get("Origin")
	if origin == "" {
		return
	}
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Access-Control-Expose-Headers", "Mcp-Session-Id, WWW-Authenticate")
	if r.Method == http.MethodOptions {
		h.Set("Access-Control-Allow-Methods", "GET, POST, DELETE, OPTIONS")
		h.Set("Access-Control-Allow-Headers", corsHeaders)
		h.Set("Access-Control-Max-Age", "600")
	}
}

// hostname is the host of a Host header or an address: without port and
// brackets, in lower case, an IP address in its canonical form.
func hostname(hostport string) string {
	host := hostport
	if h, _, err := net.SplitHostPort(hostport); err == nil {
		host = h
	} else if strings.HasPrefix(host, "[") && strings.HasSuffix(host, "]") {
		host = host[1 : len(host)-1]
	}
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.Unmap().String()
	}
	return host
}

// loopback reports whether a host as [hostname] gives it is this machine.
func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

// parseOrigin gives an origin as scheme://host[:port] in lower case without
// the scheme's default port, and its host.
func parseOrigin(s string) (origin, host string, ok bool) {
	u, err := url.Parse(strings.ToLower(s))
	if err != nil || u.Scheme == "" || u.Host == "" || u.User != nil ||
		u.Path != "" || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" {
		return "", "", false
	}
	at := u.Host
	switch {
	case u.Scheme == "http":
		at = strings.TrimSuffix(at, ":80")
	case u.Scheme == "https":
		at = strings.TrimSuffix(at, ":443")
	}
	return u.Scheme + "://" + at, hostname(u.Host), true
}

// tokenList is tokens without blanks and empty entries.
func tokenList(tokens []string) []string {
	var list []string
	for _, t := range tokens {
		if t = strings.TrimSpace(t); t != "" {
			list = append(list, t)
		}
	}
	return list
}
