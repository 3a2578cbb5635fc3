package coze

import (
	"strings"

	"kb-mcp/vendors"
)

// IDs implements [rest.Config].
func (Config) IDs() vendors.IDForm {
	return vendors.IDForm{Platform: "coze", Name: "Coze", Words: "numbers of up to 19 digits", Is: issued}
}

// issued reports an id as Coze issues it: 16 to 19 digits. Shorter numbers have no
// form.
func issued(id string) bool {
	return len(id) >= 16 && len(id) <= 19 && strings.Trim(id, "0123456789") == ""
}
