package volcengine

import (
	"strings"

	"kb-mcp/vendors"
)

// IDs implements [rest.Config].
func (Config) IDs() vendors.IDForm {
	return vendors.IDForm{Platform: "volcengine", Name: "Volcengine", Words: "kb-..., or a knowledge base's name", Is: issued, Chosen: isChosen}
}

// issued reports the id of a resource, or of a document that the platform named.
func issued(id string) bool {
	if strings.HasPrefix(id, "_sys_auto_gen_doc_id-") {
		return true
	}
	rest, ok := strings.CutPrefix(id, "kb-")
	return ok && len(rest) >= 8 && strings.Trim(rest, "0123456789abcdefghijklmnopqrstuvwxyz-") == ""
}

// isChosen reports what people may have chosen: any id of a document, and as a
// knowledge base's name letters, digits and underscores after a letter.
func isChosen(id string, document bool) bool {
	first := id[0] | 0x20
	return document || first >= 'a' && first <= 'z' && !strings.Contains(id, "-")
}
