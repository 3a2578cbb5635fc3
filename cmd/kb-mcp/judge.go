package main

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"kb-mcp/nearest"
	"kb-mcp/server"
	"kb-mcp/vendors/all"
	"kb-mcp/vendors/rest"
)

// problems judges the values by variable name.
func (s settings) problems() (list []rest.Problem) {
	add := func(variable, text string) {
		if text != "" {
			list = append(list, rest.Problem{Variable: variable, Text: text})
		}
	}
	if _, err := strconv.ParseBool(s.AllowWrites); err != nil {
		add("KB_MCP_ALLOW_WRITES", "must be true or false")
	}
	for _, root := range s.roots() {
		add("KB_MCP_UPLOAD_ROOTS", rootProblem(root))
	}
	if _, err := bytesOf(s.MaxDownload); err != nil {
		add("KB_MCP_MAX_DOWNLOAD", `is not a size above 0; write "256MiB", "1GiB" or a number of bytes`)
	}
	if new(slog.Level).UnmarshalText([]byte(s.LogLevel)) != nil {
		add("KB_MCP_LOG_LEVEL", "must be debug, info, warn or error")
	}
	if s.LogFormat != "text" && s.LogFormat != "json" {
		add("KB_MCP_LOG_FORMAT", "must be text or json")
	}
	if !server.ValidBasePath(s.BasePath) {
		add("KB_MCP_BASE_PATH", "must be a path that begins with a slash, such as /kb")
	}
	add("KB_MCP_ADDR", addrProblem(s.Addr))
	for _, token := range commaList(s.AuthTokens) {
		add("KB_MCP_AUTH_TOKENS", tokenProblem(token))
	}
	for _, origin := range commaList(s.AllowedOrigins) {
		if u, err := url.Parse(origin); err != nil || u.Scheme == "" || u.Host == "" || u.Path != "" {
			add("KB_MCP_ALLOWED_ORIGINS", fmt.Sprintf("holds %q; an origin is scheme://host or scheme://host:port", origin))
		}
	}
	for _, host := range commaList(s.AllowedHosts) {
		add("KB_MCP_ALLOWED_HOSTS", hostProblem(host))
	}
	return slices.Compact(list)
}

func rootProblem(root string) string {
	info, err := os.Stat(root)
	switch {
	case all.Quoted(root):
		return fmt.Sprintf("names %s with the quotes; leave them out", root)
	case !filepath.IsAbs(root):
		return fmt.Sprintf("names %q, which is not an absolute path", root)
	case err != nil:
		return fmt.Sprintf("names %q, which does not exist or cannot be looked at", root)
	case !info.IsDir():
		return fmt.Sprintf("names %q, which is not a folder", root)
	}
	return ""
}

// addrProblem says what is wrong with an address to listen on.
func addrProblem(addr string) string {
	_, port, err := net.SplitHostPort(addr)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err == nil {
		return ""
	}
	text := "is not an address to listen on; write HOST:PORT"
	if n, err := strconv.ParseUint(addr, 10, 16); err == nil {
		return fmt.Sprintf("%s, such as 127.0.0.1:%d", text, n)
	}
	return text + ", such as 127.0.0.1:8080"
}

// tokenProblem never shows the token.
func tokenProblem(token string) string {
	switch {
	case all.Quoted(token):
		return "holds a token in quotes; leave them out"
	case strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }):
		return `holds a token with spaces or characters that no HTTP header carries; give the bare tokens, without "Bearer", separated by commas`
	}
	return ""
}

// hostProblem holds a Host name against what browsers and proxies send.
func hostProblem(entry string) string {
	if u, err := url.Parse(entry); err == nil && u.Host != "" {
		return fmt.Sprintf("holds %q, which is a URL; give the host alone: %s", entry, u.Host)
	}
	host := entry
	if h, port, err := net.SplitHostPort(entry); err == nil {
		if _, err := strconv.ParseUint(port, 10, 16); err != nil {
			return fmt.Sprintf("holds %q, whose port is not a number", entry)
		}
		host = h
	}
	switch {
	case strings.Contains(host, "*"):
		return fmt.Sprintf("holds %q; there are no wildcards, name each host", entry)
	case strings.ContainsAny(host, "/?#@\"'` \t") || strings.Trim(host, "[]:") == "":
		return fmt.Sprintf("holds %q, which is not a host name", entry)
	}
	return ""
}

// misspelt finds variables of our own prefix that nobody reads: what they were
// to set is not set, and it may have been to protect something.
func misspelt(env *all.Environ) (list []rest.Problem) {
	known := all.Variables(&settings{})
	for _, name := range env.Names("KB_MCP_") {
		if slices.Contains(known, name) || env.Orchestrated(name) {
			continue
		}
		text := "is not a variable of this version of kb-mcp"
		if meant := meantSetting(name, known); meant != "" {
			text += "; did you mean " + meant + "?"
		}
		list = append(list, rest.Problem{Variable: name, Text: text})
	}
	return list
}

// otherNames are how other programs call what ours are for.
var otherNames = map[string][]string{
	"KB_MCP_ADDR":            {"PORT", "HOST", "LISTEN", "BIND", "ADDRESS", "LISTEN_ADDR", "HTTP_ADDR"},
	"KB_MCP_AUTH_TOKENS":     {"TOKEN", "TOKENS", "AUTH", "API_KEY", "API_KEYS", "BEARER_TOKEN", "BEARER_TOKENS", "SECRET"},
	"KB_MCP_ALLOW_WRITES":    {"WRITE", "WRITES", "READ_ONLY", "READONLY", "WRITE_ENABLED", "ENABLE_WRITES"},
	"KB_MCP_UPLOAD_ROOTS":    {"ROOT", "ROOTS", "UPLOAD_DIR", "UPLOAD_DIRS", "UPLOADS", "UPLOAD_FOLDERS"},
	"KB_MCP_ALLOWED_ORIGINS": {"ORIGIN", "ORIGINS", "CORS", "CORS_ORIGINS"},
	"KB_MCP_ALLOWED_HOSTS":   {"HOSTS", "HOSTNAME", "HOSTNAMES", "TRUSTED_HOSTS"},
	"KB_MCP_LOG_LEVEL":       {"LOG", "LEVEL", "DEBUG", "VERBOSE", "LOGLEVEL"},
	"KB_MCP_REDIS_URL":       {"REDIS", "REDIS_HOST", "REDIS_ADDR"},
	"KB_MCP_CA_FILE":         {"CA", "CA_CERT", "CERT_FILE", "CA_BUNDLE"},
	"KB_MCP_VENDORS":         {"VENDOR", "PLATFORMS", "CONNECTIONS", "PROVIDERS"},
	"KB_MCP_MAX_DOWNLOAD":    {"MAX_SIZE", "DOWNLOAD_LIMIT", "MAX_FILE_SIZE"},
}

// meantSetting is the variable that name was to be; "" for none.
func meantSetting(name string, known []string) string {
	var rests []string
	for _, k := range known {
		rests = append(rests, strings.TrimPrefix(k, "KB_MCP_"))
	}
	rest := strings.TrimPrefix(name, "KB_MCP_")
	if near := nearest.Of(rest, rests); near != "" {
		return "KB_MCP_" + near
	}
	for _, k := range known {
		if nearest.Is(rest, otherNames[k]) {
			return k
		}
	}
	return ""
}

// bytesOf reads a size: 256MiB, 1GB, 1000000.
func bytesOf(s string) (int64, error) {
	number := strings.TrimRightFunc(s, func(r rune) bool { return r < '0' || r > '9' })
	unit, known := map[string]int64{
		"": 1, "B": 1, "KB": 1e3, "MB": 1e6, "GB": 1e9, "KIB": 1 << 10, "MIB": 1 << 20, "GIB": 1 << 30,
	}[strings.ToUpper(strings.TrimSpace(s[len(number):]))]
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || !known || n <= 0 || n > math.MaxInt64/unit {
		return 0, errors.New("not a size")
	}
	return n * unit, nil
}

// roots are the folders for uploads and downloads.
func (s settings) roots() (list []string) {
	for _, root := range filepath.SplitList(s.UploadRoots) {
		if root = strings.TrimSpace(root); root != "" {
			list = append(list, root)
		}
	}
	return list
}

// commaList splits a value at commas, and at the line ends of a file.
func commaList(s string) (list []string) {
	for part := range strings.FieldsFuncSeq(s, func(r rune) bool { return r == ',' || r == '\n' || r == '\r' }) {
		if part = strings.TrimSpace(part); part != "" {
			list = append(list, part)
		}
	}
	return list
}
