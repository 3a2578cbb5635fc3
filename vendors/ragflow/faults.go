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
	texts   []string // as [rest.Words] compares them
	kind    vendors.Kind
	message string
	hint    string
	err     error
	retry   vendors.Retry
}

// rules come in two parts. Texts first: most refusals share the codes 100 to
// 103, and only the text says which it is (api/utils/api_utils.py and the
// handlers of v0.8 - v0.27). Then what the codes alone say.
var rules = slices.Concat(findRules, stateRules, uploadRules, serverRules, codeRules)

// findRules are about what the server does not have.
var findRules = []rule{
	{texts: []string{"has no attribute split", "token is not valid"},
		kind: vendors.Unauthenticated, message: "RAGFlow refused the credential."},
	{texts: []string{
		"you don't own the dataset", "can't find the dataset", "can't find this dataset", "this dataset*cannot be found",
		"the dataset doesn't exist", "lacks permission for dataset", "cannot be found for your current account",
		"only owner of dataset*authorized"},
		kind: vendors.ErrNotFound, message: noDatasetText, hint: noDatasetHint, err: errNoDataset},
	{texts: []string{
		"you don't own the document", "doesn't own the document", "not own the document", "documents not found",
		"document not found", "this document*cannot be found", "is not a valid document", "do not belong to dataset",
		"document *not found", "is not in the dataset"},
		kind: vendors.ErrNotFound, message: noDocumentText, hint: noDocumentHint, err: errNoDocument},
	{texts: []string{"no chunk found"},
		kind: vendors.Conflict, message: "The account has no chunks yet.", hint: "Parse a document with start_ingestion first.", err: errNoChunk},
	{texts: []string{"offset is out of the valid range"},
		kind: vendors.InvalidArgument, message: "The listing has no page of this number.", err: errBeyondEnd},
	{texts: []string{"invalid filter run status"},
		kind: vendors.InvalidArgument, message: "This RAGFlow server does not filter by this status.", err: errFilter},
	{texts: []string{"notfound 404"},
		kind: vendors.Unsupported, message: "This RAGFlow server does not have what was asked for.",
		hint: upgradeHint, err: errRouteAbsent},
	{texts: []string{"methodnotallowed"},
		kind: vendors.Unsupported, message: "This RAGFlow server cannot do this.", hint: upgradeHint, err: errMethod},
}

// stateRules are about what a document or a name does not allow now.
var stateRules = []rule{
	{texts: []string{"documents ingest instead"},
		kind: vendors.Unsupported, message: "This knowledge base parses with a pipeline.", hint: upgradeHint, err: errPipeline},
	{texts: []string{"already exists status completed"},
		kind: vendors.Conflict, message: "This RAGFlow server does not parse a document again that has been parsed.",
		hint: "Its chunks are as they were. To parse the file once more, upload it again as another document, and delete this one when that one is completed."},
	{texts: []string{"already exists status"},
		kind: vendors.Conflict, message: "The document is still being parsed or stopped.",
		hint: "Wait until get_ingestion_progress shows that it has settled, then call again.", retry: vendors.Later},
	{texts: []string{"currently being processed", "can't stop parsing", "doc stop parsing invalid state"},
		kind: vendors.Conflict, message: "The document is not in a state for this.", retry: vendors.Later},
	{texts: []string{"duplicated", "already exists"},
		kind: vendors.Conflict, message: "RAGFlow already has something of this name.", hint: "Choose another name."},
	{texts: []string{"this file is empty"},
		kind: vendors.Conflict, message: "The document's file is empty: there is nothing to download.",
		hint: "Upload the file again if it should hold something.", err: errEmptyFile},
	{texts: []string{"extension of file can*be changed"},
		kind: vendors.InvalidArgument, message: "RAGFlow does not change the extension of a document's name.",
		hint: extensionHint},
}

// uploadRules are about one file or address.
var uploadRules = []rule{
	{texts: []string{"no file part", "there is no file", "no file selected"},
		kind: vendors.InvalidArgument, message: "RAGFlow saw no file in the upload.",
		hint: "Try again; if it stays, look at the proxy between kb-mcp and RAGFlow.", err: errNoFile},
	{texts: []string{"type of file has not been supported yet"},
		kind: vendors.InvalidArgument, message: "RAGFlow does not take files of this type.",
		hint: "Convert it to a type that RAGFlow reads (pdf, docx, xlsx, pptx, txt, md, csv, html, images and others)."},
	{texts: []string{"requestentitytoolarge", "request entity too large"},
		kind: vendors.InvalidArgument, message: tooLargeText, hint: tooLargeHint},
	{texts: []string{"maximum file number", "maximum number of documents"},
		kind: vendors.QuotaExhausted, message: "The RAGFlow account may not hold more files.",
		hint: "The account's owner must make room, or the server's operator raise its limit (MAX_FILE_NUM_PER_USER)."},
	{texts: []string{"no root object", "is this really a pdf", "not a zip file", "package not found", "cannot identify image file",
		"eof marker not found", "file has not been decrypted", "issue with your file format"},
		kind: vendors.InvalidArgument, message: "RAGFlow cannot read the file.",
		hint: "Open the file yourself to see that it is whole, without a password, and of the type that its name says."},
	{texts: []string{"non public address", "could not resolve hostname", "url format is invalid", "not a valid url"},
		kind: vendors.InvalidArgument, message: "RAGFlow does not fetch this address.",
		hint: "It must be http or https and lead to a public host that the RAGFlow server can resolve; or upload the page as `text` or `path`."},
}

// serverRules are about the server itself and what stands behind it.
var serverRules = []rule{
	{texts: []string{"lookuperror*model", "not found for model", "model*not authorized", "model*is disabled", "cannot be used as*model"},
		kind: vendors.Conflict, message: "The knowledge base's embedding model is not configured in RAGFlow.",
		hint: "The model's owner must configure it in RAGFlow's web app, under model providers; vendor_message names it.", err: errModel},
	{texts: []string{"nameerror name doc parse"},
		kind: vendors.Unsupported, message: brokenStartText, hint: brokenStartHint, err: errNameError},
	{texts: []string{"can't access redis"},
		kind: vendors.Unavailable, message: "RAGFlow's queue (Redis) does not answer, so that nothing can be parsed.",
		hint: "The server's operator must bring Redis up.", err: errQueue},
	{texts: []string{"error 1146", "table*doesn't exist"},
		kind: vendors.Unavailable, message: "The database of this RAGFlow server lacks tables of its version.",
		hint: "The server's operator must start it once with --migrate.", retry: vendors.Never},
	{texts: []string{"connection refused", "failed to establish a new connection", "retrieval search failed", "failed to update metadata",
		"database operation failed", "server license"},
		kind: vendors.Unavailable, message: "A service behind RAGFlow does not answer.",
		hint: "Try again in a minute; if it stays, the server's operator must look: vendor_message and RAGFlow's own log say which service."},
	{texts: []string{"no authorization", "only the owner", "only owner of"}, codes: []int{103, 108, 403},
		kind: vendors.PermissionDenied, message: "The credential may not do this in RAGFlow.", hint: ownerHint},
}

// codeRules are what is left: the code, and refusals of arguments that are told
// by the text under any code.
var codeRules = []rule{
	{codes: []int{401, 109}, kind: vendors.Unauthenticated, message: "RAGFlow refused the credential."},
	{codes: []int{101}, texts: []string{"field*message*value", "is required", "can't change", "has not been supported yet",
		"please input at least one parameter", "there is no new name", "illegal value", "are not allowed in request body",
		"exceeds the maximum number", "name length is", "name can't be empty", "invalid uuid", "invalid filter", "should not provide both",
		"no properties were modified"},
		kind: vendors.InvalidArgument, message: "RAGFlow refused an argument of the request.",
		hint: "Correct what vendor_message names and call again."},
	{codes: []int{404}, kind: vendors.ErrNotFound,
		message: "The knowledge base or document was not found, or is not accessible with this credential."},
	{codes: []int{409}, kind: vendors.Conflict, message: "RAGFlow is not in a state for this."},
	{codes: []int{100, 104, 105, 107, 111, 500, 503}, kind: vendors.Unavailable,
		message: "RAGFlow failed inside while it answered.", err: errInside,
		hint: "Try again in a minute; if it stays, the RAGFlow server's log says more."},
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
	ownerHint       = "Ask the knowledge base's owner to share it with the team, or use the owner's key."
	tooLargeText    = "The file is larger than this RAGFlow server takes."
	tooLargeHint    = "Split the file; or let the server's operator raise MAX_CONTENT_LENGTH and, in nginx before it, client_max_body_size."
)

// noDocument is the error for an id that the list does not show.
func noDocument() *vendors.Error {
	e := vendors.Errorf(vendors.ErrNotFound, noDocumentText).WithHint(noDocumentHint)
	e.Err = errNoDocument
	return e
}

// classify finds the rule for an answer. Some statuses need none, and a path
// that the server does not have comes in three forms (v0.22 and before, v0.23,
// newer). From 500 on the status says more than the code: the Go back end sends
// code 401 with a 503 when a service of its own is away.
func classify(a rest.Answer, code int, h head) *vendors.Error {
	text := rest.WordsOf(h.text())
	switch {
	case a.Status == http.StatusUnauthorized:
		return vendors.Errorf(vendors.Unauthenticated, "RAGFlow refused the credential.")
	case a.Status == http.StatusTooManyRequests:
		return unreadable(a, nil)
	case a.Status == http.StatusMethodNotAllowed:
		text = "methodnotallowed"
	case a.Status == http.StatusRequestEntityTooLarge:
		text = "requestentitytoolarge"
	case a.Status == http.StatusNotFound && (h.code() == "" || strings.HasPrefix(strings.ToLower(h.text()), "not found: /")):
		text = "notfound 404"
	case a.Status >= 500:
		code = 500
	case text == "you dont own the document none": // an empty knowledge base of v0.14 - v0.16
		return &vendors.Error{Kind: vendors.ErrNotFound, Message: "The knowledge base has no document.", Err: errEmptyKB}
	}
	for _, r := range rules {
		if slices.Contains(r.codes, code) || text.HaveAny(r.texts...) {
			e := vendors.Errorf(r.kind, "%s", r.message).WithHint(r.hint)
			e.Err, e.Retry = r.err, r.retry
			return e
		}
	}
	if a.Status >= 400 {
		return rest.ByStatus(a)
	}
	return vendors.Errorf(vendors.VendorError, "RAGFlow refused the request with a code or text that kb-mcp does not know.").
		WithHint("Read vendor_message; RAGFlow's code says little by itself.")
}
