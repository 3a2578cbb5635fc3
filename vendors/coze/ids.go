package coze

import (
	"strconv"
	"strings"

	"kb-mcp/vendors"
	"kb-mcp/vendors/rest"
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

// isID reports whether s can be a Coze id: digits that fit an int64. Studio
// takes some ids as bare JSON numbers, so that nothing else may be sent.
func isID(s string) bool {
	_, err := strconv.ParseInt(s, 10, 64)
	return err == nil && strings.Trim(s, "0123456789") == ""
}

// CheckID implements [vendors.IDChecker].
func (*Driver) CheckID(arg, id string) error {
	if isID(id) || arg == "batch_id" { // which Coze does not have
		return nil
	}
	return vendors.Errorf(vendors.InvalidArgument, "`%s` holds %q, which is not a Coze id: those are numbers of up to 19 digits.", arg, rest.Text(id)).
		WithHint("Pass the id exactly as list_knowledge_bases or list_documents gave it, not a name.")
}
