package server

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"kb-mcp/server/internal/intake"
)

// corsHeaders are the request headers a browser may send. mcp-go's own list
// lacks the three that 2025-06-18 and 2026-07-28 require.
const corsHeaders = "Content-Type, Accept, Authorization, Mcp-Session-Id, " +
	"Mcp-Protocol-Version, Mcp-Method, Mcp-Name, Last-Event-ID"

// guard stands before both HTTP transports. mcp-go never checks Origin, bounds
// no body and checks no token; its Host check looks at loopback connections
// only and there refuses the names a proxy on the same machine forwards.
type guard struct {
	next     http.Handler
	hosts    map[string]bool
	origins  map[string]bool
	tokens   [][sha256.Size]byte
	refusals *refusals
}

// newGuard reads the lists of o. bound are the hosts of the addresses the
// server was asked to listen on and listens on.
func newGuard(o HTTPOptions, bound []string, log *slog.Logger, next http.Handler) *guard {
	g := &guard{next: next, hosts: map[string]bool{}, origins: map[string]bool{}, refusals: &refusals{log: log}}
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
	origins := r.Header.Values("Origin")
	switch {
	case !g.hostOK(r.Host):
		g.refusals.note("Host", r.Host, "KB_MCP_ALLOWED_HOSTS")
		intake.Refuse(w, r, http.StatusForbidden, "host not allowed: see KB_MCP_ALLOWED_HOSTS")
		return
	case !g.originOK(origins):
		g.refusals.note("Origin", strings.Join(origins, ", "), "KB_MCP_ALLOWED_ORIGINS")
		intake.Refuse(w, r, http.StatusForbidden, "origin not allowed: see KB_MCP_ALLOWED_ORIGINS")
		return
	}
	cors(w, r)
	if r.Method == http.MethodOptions {
		preflight(w, r)
		return
	}
	party, ok := g.party(r.Header.Get("Authorization"))
	if !ok {
		w.Header().Set("WWW-Authenticate", "Bearer")
		intake.Refuse(w, r, http.StatusUnauthorized, "bearer token required")
		return
	}
	w.Header().Set("X-Accel-Buffering", "no") // nginx would hold streams back
	if party != "" {
		r = r.WithContext(intake.WithParty(r.Context(), party))
	}
	g.next.ServeHTTP(w, r)
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

// party says who a request comes from: a name made of its token, "" where
// nobody is asked for one. It compares hashes, so that neither a token's length
// nor its place in the list shows in the time taken.
func (g *guard) party(authorization string) (party string, ok bool) {
	if len(g.tokens) == 0 {
		return "", true
	}
	scheme, token, _ := strings.Cut(authorization, " ")
	given := sha256.Sum256([]byte(strings.TrimSpace(token)))
	match := 0
	for _, t := range g.tokens {
		match |= subtle.ConstantTimeCompare(t[:], given[:])
	}
	if match != 1 || !strings.EqualFold(scheme, "Bearer") {
		return "", false
	}
	return hex.EncodeToString(given[:16]), true
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
}

// preflight answers a browser that asks whether it may ask.
func preflight(w http.ResponseWriter, r *http.Request) {
	if h := w.Header(); r.Header.Get("Origin") != "" {
		h.Set("Access-Control-Allow-Methods", "GET, POST, DELETE, OPTIONS")
		h.Set("Access-Control-Allow-Headers", corsHeaders)
		h.Set("Access-Control-Max-Age", "600")
	}
	w.WriteHeader(http.StatusNoContent)
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

// tokenList is tokens without spaces around them and empty entries.
func tokenList(tokens []string) []string {
	var list []string
	for _, t := range tokens {
		if t = strings.TrimSpace(t); t != "" {
			list = append(list, t)
		}
	}
	return list
}
