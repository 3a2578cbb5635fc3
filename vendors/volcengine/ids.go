package volcengine

import (
	"regexp"

	"kb-mcp/vendors"
)

// IDs implements [rest.Config].
func (Config) IDs() vendors.IDForm {
	return vendors.IDForm{Platform: "volcengine", Name: "Volcengine", Words: "kb-..., or a knowledge base's name", Is: issuedID.MatchString, Chosen: isChosen}
}

// The ids that the platform issues, for resources and for documents that were
// added without an id; and the names that people give to knowledge bases.
var (
	issuedID = regexp.MustCompile(`^(kb-[0-9a-z-]{8,}|_sys_auto_gen_doc_id-.*)$`)
	baseName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{0,63}$`)
)

// isChosen reports what people may have chosen: any id of a document, or a
// knowledge base's name.
func isChosen(id string, document bool) bool { return document || baseName.MatchString(id) }
