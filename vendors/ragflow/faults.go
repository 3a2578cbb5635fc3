package ragflow

import (
	"net/http"
	"slices"
	"strings"

	"kb-mcp/vendors"
	"kb-mcp/vendors/rest"
)

// rule is a row of the error table: the first one of which a code or a text
// fits explains the answer.
type rule struct {
	codes   []int
	texts   []string // lower case; * stands for anything
	kind    vendors.Kind
	message string
	hint    string
	err     error
	later   bool
}

// rules come in two parts. Texts first: most refusals share the codes 100 to
// 103, and only the text says which it is (api/utils/api_utils.py and the
// handlers of v0.8 - v0.27). Then what the codes alone say.
var rules = []rule{
	{texts: []string{"has no attribute 'split'", "token is not valid"},
		kind: vendors.Unauthenticated, message: "RAGFlow refused the credential."},
	{texts: []string{
		"you don't own the dataset", "can't find the dataset", "can't find this dataset", "this dataset*cannot be found",
		"the dataset doesn't exist", "lacks permission for dataset", "cannot be found for your current account"},
		kind: vendors.ErrNotFound, message: noDatasetText, hint: noDatasetHint},
	{texts: []string{"you don't own the document none."},
		kind: vendors.ErrNotFound, message: "The knowledge base has no document.", err: errEmptyKB},
	{texts: []string{
		"you don't own the document", "doesn't own the document", "not own the document", "documents not found",
		"document not found", "this document*cannot be found", "is not a valid document", "do not belong to dataset",
		"document *not found!", "is not in the dataset"},
		kind: vendors.ErrNotFound, message: noDocumentText, hint: noDocumentHint, err: errNoDocument},
	{texts: []string{"offset is out of the valid range"},
		kind: vendors.InvalidArgument, message: "The listing has no page of this number.", err: errBeyondEnd},
	{texts: []string{"<notfound '404"},
		kind: vendors.Unsupported, message: "This RAGFlow server does not have what was asked for.",
		hint: upgradeHint, err: errRouteAbsent},
	{texts: []string{"methodnotallowed"},
		kind: vendors.Unsupported, message: "This RAGFlow server cannot do this.", hint: upgradeHint, err: errMethod},
	{texts: []string{"/documents/ingest instead"},
		kind: vendors.Unsupported, message: "This knowledge base parses with a pipeline.", hint: upgradeHint, err: errPipeline},
	{texts: []string{"currently being processed", "can't stop parsing", "doc_stop_parsing_invalid_state"},
		kind: vendors.Conflict, message: "The document is not in a state for this.", later: true},
	{texts: []string{"duplicated", "already exists"},
		kind: vendors.Conflict, message: "RAGFlow already has something of this name.", hint: "Choose another name."},
	{texts: []string{"this file is empty"},
		kind: vendors.Conflict, message: "The document's file is empty: there is nothing to download.",
		hint: "Upload the file anew if it should hold something."},
	{texts: []string{"no file part", "there is no file!", "no file selected"},
		kind: vendors.InvalidArgument, message: "RAGFlow saw no file in the upload.",
		hint: "Try again; if it stays, look at the proxy between kb-mcp and RAGFlow.", err: errNoFile},
	{texts: []string{"extension of file can*be changed"},
		kind: vendors.InvalidArgument, message: "RAGFlow does not change the extension of a document's name.",
		hint: extensionHint},
	{texts: []string{"type of file has not been supported yet"},
		kind: vendors.InvalidArgument, message: "RAGFlow does not take files of this type.",
		hint: "Convert it to a type that RAGFlow reads (pdf, docx, xlsx, pptx, txt, md, csv, html, images and others)."},
	{texts: []string{"lookuperror('model("},
		kind: vendors.Conflict, message: "The knowledge base's embedding model is not configured in RAGFlow.",
		hint: "Its owner must configure the model in RAGFlow's web app, under model providers."},
	{texts: []string{"nameerror(\"name 'doc_parse'"},
		kind: vendors.Unsupported, message: brokenStartText, hint: brokenStartHint, err: errNameError},
	{texts: []string{"no authorization", "only the owner"}, codes: []int{103, 108, 403},
		kind: vendors.PermissionDenied, message: "The credential may not do this in RAGFlow.",
		hint: "Ask the knowledge base's owner to share it with the team, or use the owner's key."},
	{codes: []int{401, 109}, kind: vendors.Unauthenticated, message: "RAGFlow refused the credential."},
	{codes: []int{101}, texts: []string{"field: <", "is required", "can't change", "has not been supported yet",
		"please input at least one parameter", "there is no new name", "illegal value", "are not allowed in request body",
		"exceeds the maximum number"},
		kind: vendors.InvalidArgument, message: "RAGFlow refused an argument of the request.",
		hint: "Correct what vendor_message names and call again."},
	{codes: []int{404}, kind: vendors.ErrNotFound,
		message: "The knowledge base or document was not found, or is not accessible with this credential."},
	{codes: []int{409}, kind: vendors.Conflict, message: "RAGFlow is not in a state for this."},
	{codes: []int{100, 104, 105, 107, 111, 500, 503}, kind: vendors.Unavailable,
		message: "RAGFlow failed inside while it answered.",
		hint:    "Try again in a minute; if it stays, the RAGFlow server's log says more."},
}

const (
	noDatasetText   = "The knowledge base was not found, or is not accessible with this credential."
	noDatasetHint   = "Take the id from list_knowledge_bases."
	noDocumentText  = "The document was not found in this knowledge base, or is not accessible with this credential."
	noDocumentHint  = "Take the id from list_documents of the same knowledge base."
	extensionHint   = "Keep the extension of the present name; to change it, upload the file under the new name."
	brokenStartText = "This RAGFlow server cannot start parsing through its API."
	brokenStartHint = "Start it in RAGFlow's web app."
	upgradeHint     = "A newer RAGFlow may have it; kb-mcp is made for 0.14 and newer."
)

// noDocument is the error for an id that the list does not show.
func noDocument() *vendors.Error {
	e := vendors.Errorf(vendors.ErrNotFound, noDocumentText).WithHint(noDocumentHint)
	e.Err = errNoDocument
	return e
}

// classify finds the rule for an answer. Two statuses need none, and a path that
// the server does not have comes in three forms (v0.22 and before, v0.23, newer).
func classify(a rest.Answer, code int, h head) *vendors.Error {
	text := strings.ToLower(h.text())
	switch {
	case a.Status == http.StatusUnauthorized:
		return vendors.Errorf(vendors.Unauthenticated, "RAGFlow refused the credential.")
	case a.Status == http.StatusTooManyRequests:
		return unreadable(a, nil)
	case a.Status == http.StatusMethodNotAllowed:
		text = "methodnotallowed"
	case a.Status == http.StatusNotFound && (h.code() == "" || strings.HasPrefix(text, "not found: /")):
		text = "<notfound '404"
	}
	for _, r := range rules {
		if slices.Contains(r.codes, code) || slices.ContainsFunc(r.texts, func(p string) bool { return fits(text, p) }) {
			e := vendors.Errorf(r.kind, "%s", r.message).WithHint(r.hint)
			e.Err, e.Later = r.err, r.later
			return e
		}
	}
	if a.Status >= 400 {
		return rest.ByStatus(a)
	}
	return vendors.Errorf(vendors.VendorError, "RAGFlow refused the request with a code or text that kb-mcp does not know.").
		WithHint("Read vendor_message; RAGFlow's code says little by itself.")
}

// fits reports whether text holds the pattern's parts in their order.
func fits(text, pattern string) bool {
	for part := range strings.SplitSeq(pattern, "*") {
		_, rest, ok := strings.Cut(text, part)
		if !ok {
			return false
		}
		text = rest
	}
	return true
}
