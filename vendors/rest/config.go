package rest

import (
	"net/url"
	"strings"

	"kb-mcp/vendors"
)

// Config is what a platform's settings tell the registry. The settings
// themselves are a struct of strings with `env` tags that hold the platform's
// full variable names; a field whose tag has `secret:"true"` may also be given
// as a file (NAME_FILE) and is kept out of every text.
type Config interface {
	// Problems lists what is wrong, by variable and never by value. It must
	// say when credentials are missing.
	Problems() []Problem
	// Account identifies the credential and the server: connections with the
	// same account share one limiter.
	Account() string
	// Needs says in one line which variables to set, for people who have not.
	Needs() string
	// DefaultRate is the platform's published or field-known rate for this
	// account ("10/s").
	DefaultRate() string
	// IDs is how the platform writes its ids, whatever the settings are.
	IDs() vendors.IDForm
}

// Problem is one thing wrong with a variable.
type Problem struct{ Variable, Text string }

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
