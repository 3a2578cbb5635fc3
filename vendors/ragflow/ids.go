package ragflow

import (
	"strings"

	"kb-mcp/vendors"
)

// IDs implements [rest.Config].
func (Config) IDs() vendors.IDForm {
	return vendors.IDForm{Platform: "ragflow", Name: "RAGFlow", Words: "32 hexadecimal digits without dashes", Is: issued}
}

// issued reports an id as RAGFlow issues it.
func issued(id string) bool { return len(id) == 32 && strings.Trim(id, "0123456789abcdefABCDEF") == "" }
