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

// CheckID implements [vendors.IDChecker]. RAGFlow's router would take these ids
// for another path, escaped or not; the answer would look like an old server's.
func (d *Driver) CheckID(arg, id string) error {
	if !strings.ContainsAny(id, "/?#") {
		return nil
	}
	source := "list_documents"
	if arg == "knowledge_base_id" {
		source = "list_knowledge_bases"
	}
	return vendors.Errorf(vendors.InvalidArgument, "`%s` holds one of / ? #, and no RAGFlow id does.", arg).
		WithHint("Pass the id exactly as " + source + " gave it.")
}
