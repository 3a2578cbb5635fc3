package rest

import (
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"strings"

	"kb-mcp/vendors"
)

// Config is what the registry needs to know of a platform's settings. The
// settings themselves are a struct of strings with `env` tags that hold the
// platform's full variable names; a field whose tag has `secret:"true"` may
// also be given as a file (NAME_FILE) and is kept out of every text.
type Config interface {
	// Problems lists what is wrong, by variable and never by value. It must
	// say when credentials are missing.
	Problems() []Problem
	// Account identifies the credential and the server: connections with the
	// same account share one limiter.
	Account() string
	// Needs names in one line the variables to set.
	Needs() string
	// DefaultRate is the platform's published or observed rate for this account
	// ("10/s").
	DefaultRate() string
	// IDs is how the platform writes its ids, whatever the settings are.
	IDs() vendors.IDForm
}

// Problem is one thing wrong with a variable.
type Problem struct{ Variable, Text string }

// Problems collects what is wrong with a configuration.
type Problems []Problem

// Add reports a problem of a variable; "" is none.
func (p *Problems) Add(variable, text string) {
	if text != "" {
		*p = append(*p, Problem{variable, text})
	}
}

// KeyProblem returns what is wrong with the form of a key; "" when it is empty
// or a header can carry it as it is.
func KeyProblem(key string) string {
	if strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\'' }) {
		return "holds spaces or characters that no key has: give the bare key, without \"Bearer\" or quotes"
	}
	return ""
}

// AccountOf identifies a credential on a server, without showing it.
func AccountOf(base, credential string) string {
	sum := sha256.Sum256([]byte(credential))
	return strings.ToLower(strings.TrimRight(strings.TrimSpace(base), "/")) + " " + hex.EncodeToString(sum[:])
}

// BaseURL parses a platform's base URL. The error says what is wrong without
// the value, which may hold a password.
func BaseURL(s string) (*url.URL, string) {
	u, err := url.Parse(strings.TrimSpace(s))
	switch {
	case err != nil:
		return nil, "is not a URL"
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, "must begin with http:// or https://"
	case u.Host == "" || u.Hostname() == "":
		return nil, "has no host"
	case u.User != nil:
		return nil, "must not hold a user or password"
	case u.RawQuery != "" || u.Fragment != "":
		return nil, "must not have a query or fragment"
	}
	u.Path = strings.TrimRight(u.Path, "/")
	u.RawPath = ""
	return u, ""
}
