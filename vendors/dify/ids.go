package dify

import (
	"strings"

	"kb-mcp/vendors"
)

// IDs implements [rest.Config].
func (Config) IDs() vendors.IDForm {
	return vendors.IDForm{Platform: "dify", Name: "Dify", Words: "UUIDs with dashes", Is: issued}
}

// issued reports a UUID.
func issued(id string) bool {
	parts := strings.Split(id, "-")
	if len(id) != 36 || len(parts) != 5 {
		return false
	}
	for i, n := range []int{8, 4, 4, 4, 12} {
		if len(parts[i]) != n || strings.Trim(parts[i], "0123456789abcdefABCDEF") != "" {
			return false
		}
	}
	return true
}
