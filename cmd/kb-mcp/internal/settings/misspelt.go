package settings

import (
	"slices"
	"strings"

	"kb-mcp/nearest"
	"kb-mcp/vendors/all"
	"kb-mcp/vendors/rest"
)

// misspelt finds variables with the prefix of this program that are not
// settings: what they were meant to set is not set, and it may protect
// something.
func misspelt(env *all.Environ) (list []rest.Problem) {
	known := all.Variables(&Settings{})
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

// otherNames are names that other programs use for such settings.
var otherNames = map[string][]string{
	"KB_MCP_ADDR":            {"PORT", "HOST", "LISTEN", "BIND", "ADDRESS", "LISTEN_ADDR", "HTTP_ADDR"},
	"KB_MCP_AUTH_TOKENS":     {"TOKEN", "TOKENS", "AUTH", "API_KEY", "API_KEYS", "BEARER_TOKEN", "BEARER_TOKENS", "SECRET"},
	"KB_MCP_ALLOW_WRITES":    {"WRITE", "WRITES", "READ_ONLY", "READONLY", "WRITE_ENABLED", "ENABLE_WRITES"},
	"KB_MCP_CONFIRM":         {"CONFIRMATION", "CONFIRM_DELETE", "CONFIRM_DELETES", "ELICIT", "ELICITATION"},
	"KB_MCP_UPLOAD_ROOTS":    {"ROOT", "ROOTS", "UPLOAD_DIR", "UPLOAD_DIRS", "UPLOADS", "UPLOAD_FOLDERS"},
	"KB_MCP_ALLOWED_ORIGINS": {"ORIGIN", "ORIGINS", "CORS", "CORS_ORIGINS"},
	"KB_MCP_ALLOWED_HOSTS":   {"HOSTS", "HOSTNAME", "HOSTNAMES", "TRUSTED_HOSTS"},
	"KB_MCP_LOG_LEVEL":       {"LOG", "LEVEL", "DEBUG", "VERBOSE", "LOGLEVEL"},
	"KB_MCP_REDIS_URL":       {"REDIS", "REDIS_HOST", "REDIS_ADDR"},
	"KB_MCP_CA_FILE":         {"CA", "CA_CERT", "CERT_FILE", "CA_BUNDLE"},
	"KB_MCP_VENDORS":         {"VENDOR", "PLATFORMS", "CONNECTIONS", "PROVIDERS"},
	"KB_MCP_MAX_DOWNLOAD":    {"MAX_SIZE", "DOWNLOAD_LIMIT", "MAX_FILE_SIZE"},
}

// meantSetting returns the variable that name probably means; "" for none.
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
