package settings

import (
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"kb-mcp/nearest"
	"kb-mcp/server"
	"kb-mcp/tools"
	"kb-mcp/vendors/all"
	"kb-mcp/vendors/rest"
)

// problems checks the values, by variable name.
func (s Settings) problems() (list []rest.Problem) {
	add := func(variable, text string) {
		if text != "" {
			list = append(list, rest.Problem{Variable: variable, Text: text})
		}
	}
	if _, err := strconv.ParseBool(s.AllowWrites); err != nil {
		add("KB_MCP_ALLOW_WRITES", "must be true or false")
	}
	add("KB_MCP_CONFIRM", confirmProblem(s.Confirm))
	list = append(list, s.toolProblems()...)
	for _, root := range s.Roots() {
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
	add("KB_MCP_ADDR", AddrProblem(s.Addr))
	for _, token := range List(s.AuthTokens) {
		add("KB_MCP_AUTH_TOKENS", tokenProblem(token))
	}
	for _, origin := range List(s.AllowedOrigins) {
		if u, err := url.Parse(origin); err != nil || u.Scheme == "" || u.Host == "" || u.Path != "" {
			add("KB_MCP_ALLOWED_ORIGINS", fmt.Sprintf("holds %q; an origin is scheme://host or scheme://host:port", origin))
		}
	}
	for _, host := range List(s.AllowedHosts) {
		add("KB_MCP_ALLOWED_HOSTS", hostProblem(host))
	}
	return slices.Compact(list)
}

// confirmProblem names the value that was meant, as far as one can tell.
func confirmProblem(value string) string {
	modes := tools.ConfirmModes()
	if slices.Contains(modes, value) {
		return ""
	}
	text := "must be auto, require or off"
	meant := nearest.Of(value, modes)
	if meant == "" {
		for _, mode := range modes {
			if nearest.Is(value, otherModes[mode]) {
				meant = mode
			}
		}
	}
	if meant != "" {
		text += "; did you mean " + meant + "?"
	}
	return text
}

// otherModes are words that people write for the modes of KB_MCP_CONFIRM.
var otherModes = map[string][]string{
	"require": {"true", "yes", "on", "always", "1"},
	"off":     {"false", "no", "never", "none", "0"},
}

// toolProblems are names that are no tool's, and lists that leave nothing.
func (s Settings) toolProblems() (list []rest.Problem) {
	names := tools.New(nil, tools.Options{AllowWrites: true}).Names()
	for variable, value := range map[string]string{"KB_MCP_TOOLS": s.OfferedTools, "KB_MCP_EXCLUDE_TOOLS": s.ExcludedTools} {
		for _, name := range List(value) {
			if slices.Contains(names, name) {
				continue
			}
			text := fmt.Sprintf("names %q, which is not a tool", name)
			if near := nearest.Of(name, names); near != "" {
				text += "; did you mean " + near + "?"
			}
			list = append(list, rest.Problem{Variable: variable, Text: text})
		}
	}
	if len(tools.New(nil, tools.Options{AllowWrites: s.Writes(), Offered: s.Offers}).Names()) == 0 && len(list) == 0 {
		list = append(list, rest.Problem{Variable: "KB_MCP_TOOLS", Text: "and KB_MCP_EXCLUDE_TOOLS leave no tool (the tools that write need KB_MCP_ALLOW_WRITES)"})
	}
	return list
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

// AddrProblem says what is wrong with an address to listen on, "" for nothing.
func AddrProblem(addr string) string {
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

// tokenProblem returns what is wrong with a token, without showing it.
func tokenProblem(token string) string {
	switch {
	case all.Quoted(token):
		return "holds a token in quotes; leave them out"
	case strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }):
		return `holds a token with spaces or characters that no HTTP header carries; give the bare tokens, without "Bearer", separated by commas`
	}
	return ""
}

// hostProblem checks that a Host name is one that browsers and proxies send.
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
