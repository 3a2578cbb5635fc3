package envelope

import (
	"errors"
	"slices"

	"kb-mcp/vendors"
	"kb-mcp/vendors/rest"
)

// Marks on errors that are answers to some questions.
var (
	ErrRouteAbsent = errors.New("the server does not have this path")
	ErrMethod      = errors.New("the path does not have this method")
	ErrOldEnvelope = errors.New("the server answers in retcode and retmsg")
	ErrNoDataset   = errors.New("the server does not know this knowledge base, or not for this account")
	ErrNoDocument  = errors.New("the server does not know this document")
	ErrNoChunk     = errors.New("the account has no chunks") // nothing was ever parsed
	ErrEmptyKB     = errors.New("the knowledge base has no documents")
	ErrBeyondEnd   = errors.New("the offset is behind the last row")
	ErrEmptyFile   = errors.New("the file is empty")
	ErrFilter      = errors.New("the server does not filter by this word")
	ErrModel       = errors.New("a model is missing")
	ErrInside      = errors.New("the server gives no reason that is known")
	ErrNoStop      = errors.New("the document is not being parsed")
	ErrQueue       = errors.New("the parsing queue is unavailable")
	ErrPipeline    = errors.New("the knowledge base parses with a pipeline")
	ErrNoFile      = errors.New("the server saw no file in the upload")
	ErrNameError   = errors.New("the server's own start of parsing is broken")
)

// Texts of more than one error.
const (
	refusedText   = "RAGFlow refused the credential."
	absentText    = "This RAGFlow server does not have what was asked for."
	noMethodText  = "This RAGFlow server cannot do this."
	upgradeHint   = "A newer RAGFlow may have it; kb-mcp is made for 0.14 and newer."
	ExtensionHint = "Keep the extension of the present name; to change it, upload the file under the new name."
	deniedText    = "The credential may not do this in RAGFlow."
	ownerHint     = "Ask the knowledge base's owner to share it with the team, or use the owner's key."
	argumentText  = "RAGFlow refused an argument of the request."
	argumentHint  = "Correct what vendor_message names and call again."
	tooLargeText  = "The file is larger than this RAGFlow server accepts."
	tooLargeHint  = "Split the file; or let the server's operator raise MAX_CONTENT_LENGTH and, in nginx before it, client_max_body_size."
	insideText    = "RAGFlow failed with an internal error."
	insideHint    = "Try again in a minute; if that does not help, the RAGFlow server's log says more."
)

// codes are RAGFlow's codes of a refusal. Texts that other services may use as
// well count beside one of them.
var codes = []string{
	"100", "101", "102", "103", "104", "105", "106", "107", "108", "109", "111",
	"400", "401", "403", "404", "409", "500", "503",
}

// rules is RAGFlow's table of errors (api/utils/api_utils.py and the handlers
// of v0.8 - v0.27). Most refusals share the codes 100 to 103, and only the text
// says which it is, so texts come first. From 500 on the status says more than
// the code: the Go back end sends code 401 with a 503 when one of its services
// is down.
var rules = []rest.Rule{
	// What the status says, or a text in its place. A path that the server does
	// not have is reported in three forms: by v0.23, by newer servers, and by
	// v0.22 and older.
	{Statuses: []int{401}, Kind: vendors.Unauthenticated, Message: refusedText},
	{Statuses: []int{405}, Kind: vendors.Unsupported, Message: noMethodText, Hint: upgradeHint, Mark: ErrMethod},
	{Statuses: []int{413}, Kind: vendors.InvalidArgument, Message: tooLargeText, Hint: tooLargeHint},
	{Statuses: []int{429}, Kind: vendors.RateLimited,
		Hint: "A proxy before RAGFlow limits requests: set RAGFLOW_RATE_LIMIT below its limit."},
	{Statuses: []int{404}, Codes: []string{""},
		Kind: vendors.Unsupported, Message: absentText, Hint: upgradeHint, Mark: ErrRouteAbsent},
	{Statuses: []int{404}, Codes: []string{"404"}, Texts: []string{"^not found"},
		Kind: vendors.Unsupported, Message: absentText, Hint: upgradeHint, Mark: ErrRouteAbsent},
	{Texts: []string{"notfound 404"},
		Kind: vendors.Unsupported, Message: absentText, Hint: upgradeHint, Mark: ErrRouteAbsent},
	{Texts: []string{"methodnotallowed"},
		Kind: vendors.Unsupported, Message: noMethodText, Hint: upgradeHint, Mark: ErrMethod},
	{Texts: []string{"requestentitytoolarge", "request entity too large"},
		Kind: vendors.InvalidArgument, Message: tooLargeText, Hint: tooLargeHint},
	{Texts: []string{"has no attribute split", "token is not valid"}, Kind: vendors.Unauthenticated, Message: refusedText},

	// What the server does not have. An empty knowledge base of v0.14 - v0.16
	// complains of a document that was not requested; the preview's IndexError
	// is a page behind the last one.
	{Texts: []string{"^you don't own the document none"},
		Kind: vendors.ErrNotFound, Message: "The knowledge base has no documents.", Mark: ErrEmptyKB},
	{Texts: []string{"you don't own the dataset", "can't find the dataset", "can't find this dataset", "this dataset*cannot be found",
		"the dataset doesn't exist", "lacks permission for dataset", "cannot be found for your current account",
		"only owner of dataset*authorized"},
		Kind: vendors.ErrNotFound, Message: "The knowledge base was not found, or is not accessible with this credential.",
		Hint: "Take the id from list_knowledge_bases.", Mark: ErrNoDataset},
	{Codes: codes, Texts: []string{"you don't own the document", "doesn't own the document", "not own the document", "documents not found",
		"document not found", "this document*cannot be found", "is not a valid document", "do not belong to dataset",
		"document *not found", "is not in the dataset"},
		Kind: vendors.ErrNotFound, Message: "The document was not found in this knowledge base, or is not accessible with this credential.",
		Hint: "Take the id from list_documents of the same knowledge base.", Mark: ErrNoDocument},
	{Texts: []string{"no chunk found"},
		Kind: vendors.Conflict, Message: "The account has no chunks yet.",
		Hint: "Parse a document with start_ingestion first.", Mark: ErrNoChunk},
	{Texts: []string{"offset is out of the valid range"},
		Kind: vendors.InvalidArgument, Message: "The listing has no page of this number.", Mark: ErrBeyondEnd},
	{Texts: []string{"invalid filter run status"},
		Kind: vendors.InvalidArgument, Message: "This RAGFlow server does not filter by this status.", Mark: ErrFilter},

	// What a document or a name does not allow now.
	{Texts: []string{"documents ingest instead"},
		Kind: vendors.Unsupported, Message: "This knowledge base parses with a pipeline.", Hint: upgradeHint, Mark: ErrPipeline},
	{Texts: []string{"already exists status completed"},
		Kind: vendors.Conflict, Message: "This RAGFlow server does not parse a document again that has been parsed.",
		Hint: "Its chunks are as they were. To parse the file once more, upload it again as another document, and delete this one when that one is completed."},
	{Texts: []string{"already exists status"},
		Kind: vendors.Conflict, Retry: vendors.Later, Message: "The document is still being parsed or stopped.",
		Hint: "Wait until get_ingestion_progress shows that it has settled, then call again."},
	{Texts: []string{"can't stop parsing"},
		Kind: vendors.Conflict, Retry: vendors.Never, Mark: ErrNoStop,
		Message: "RAGFlow says that the document has not been started, or has ended: there is nothing to stop."},
	{Texts: []string{"currently being processed", "doc stop parsing invalid state"},
		Kind: vendors.Conflict, Retry: vendors.Later, Message: "The document is not in a state for this."},
	{Codes: codes, Texts: []string{"duplicated", "already exists"},
		Kind: vendors.Conflict, Message: "RAGFlow already has something of this name.", Hint: "Choose another name."},
	{Texts: []string{"this file is empty"},
		Kind: vendors.Conflict, Message: "The document's file is empty: there is nothing to download.",
		Hint: "Upload the file again if it should hold something.", Mark: ErrEmptyFile},
	{Texts: []string{"extension of file can*be changed"},
		Kind: vendors.InvalidArgument, Message: "RAGFlow does not change the extension of a document's name.", Hint: ExtensionHint},

	// One file or address.
	{Texts: []string{"no file part", "there is no file", "no file selected"},
		Kind: vendors.InvalidArgument, Message: "RAGFlow saw no file in the upload.",
		Hint: "Try again; if that does not help, look at the proxy between kb-mcp and RAGFlow.", Mark: ErrNoFile},
	{Texts: []string{"type of file has not been supported yet"},
		Kind: vendors.InvalidArgument, Message: "RAGFlow does not accept files of this type.",
		Hint: "Convert it to a type that RAGFlow reads (pdf, docx, xlsx, pptx, txt, md, csv, html, images and others)."},
	{Texts: []string{"maximum file number", "maximum number of documents"},
		Kind: vendors.QuotaExhausted, Message: "The RAGFlow account may not hold more files.",
		Hint: "The account's owner must make room, or the server's operator raise its limit (MAX_FILE_NUM_PER_USER)."},
	{Texts: []string{"no root object", "is this really a pdf", "not a zip file", "package not found", "cannot identify image file",
		"eof marker not found", "file has not been decrypted", "issue with your file format"},
		Kind: vendors.InvalidArgument, Message: "RAGFlow cannot read the file.",
		Hint: "Open the file yourself to see that it is whole, without a password, and of the type that its name says."},
	{Texts: []string{"non public address", "could not resolve hostname", "url format is invalid", "not a valid url"},
		Kind: vendors.InvalidArgument, Message: "RAGFlow does not fetch this address.",
		Hint: "It must be http or https and lead to a public host that the RAGFlow server can resolve; or upload the page as `text` or `path`."},

	// The server itself and what stands behind it.
	{Texts: []string{"lookuperror*model", "not found for model", "model*not authorized", "model*is disabled", "cannot be used as*model"},
		Kind: vendors.Conflict, Message: "The knowledge base's embedding model is not configured in RAGFlow.",
		Hint: "The model's owner must configure it in RAGFlow's web app, under model providers; vendor_message names it.", Mark: ErrModel},
	{Texts: []string{"nameerror name doc parse"}, // v0.9.0, v0.10.0
		Kind: vendors.Unsupported, Message: "This RAGFlow server cannot start parsing through its API.",
		Hint: "Start it in RAGFlow's web app.", Mark: ErrNameError},
	{Texts: []string{"can't access redis"},
		Kind: vendors.Unavailable, Message: "RAGFlow's queue (Redis) does not answer, so that nothing can be parsed.",
		Hint: "The server's operator must bring Redis up.", Mark: ErrQueue},
	{Texts: []string{"error 1146", "table*doesn't exist"},
		Kind: vendors.Unavailable, Retry: vendors.Never, Message: "The database of this RAGFlow server lacks tables of its version.",
		Hint: "The server's operator must start it once with --migrate."},
	{Codes: codes, Texts: []string{"connection refused", "failed to establish a new connection", "retrieval search failed", "failed to update metadata",
		"database operation failed", "server license"},
		Kind: vendors.Unavailable, Message: "A service behind RAGFlow does not answer.",
		Hint: "Try again in a minute; if that does not help, the server's operator must look: vendor_message and RAGFlow's own log say which service."},

	// Refusals that a code tells unless the status is 500 or more, or a text does.
	{Texts: []string{"no authorization", "only the owner", "only owner of"},
		Kind: vendors.PermissionDenied, Message: deniedText, Hint: ownerHint},
	{Codes: []string{"103", "108", "403"}, Statuses: []int{200, 400, 403, 404},
		Kind: vendors.PermissionDenied, Message: deniedText, Hint: ownerHint},
	{Codes: []string{"109", "401"}, Statuses: []int{200, 400, 403, 404}, Kind: vendors.Unauthenticated, Message: refusedText},
	{Codes: []string{"101"}, Statuses: []int{200, 400, 403, 404}, Kind: vendors.InvalidArgument, Message: argumentText, Hint: argumentHint},
	{Codes: codes, Texts: []string{"field*message*value", "is required", "can't change", "has not been supported yet",
		"please input at least one parameter", "there is no new name", "illegal value", "are not allowed in request body",
		"exceeds the maximum number", "name length is", "name can't be empty", "invalid uuid", "invalid filter", "should not provide both",
		"no properties were modified"},
		Kind: vendors.InvalidArgument, Message: argumentText, Hint: argumentHint},

	// What is left.
	{Statuses: []int{5}, Kind: vendors.Unavailable, Message: insideText, Hint: insideHint, Mark: ErrInside},
	{Codes: []string{"404"}, Kind: vendors.ErrNotFound,
		Message: "The knowledge base or document was not found, or is not accessible with this credential."},
	{Codes: []string{"409"}, Kind: vendors.Conflict, Message: "RAGFlow is not in a state for this."},
	{Codes: []string{"100", "104", "105", "107", "111", "500", "503"},
		Kind: vendors.Unavailable, Message: insideText, Hint: insideHint, Mark: ErrInside},
}

// fault returns the error of an answer that is not a success.
func fault(a rest.Answer, h head) *vendors.Error {
	e := rest.Judge(rules, a, h.plainCode(), h.Text())
	switch {
	case e != nil:
	case a.Status >= 400:
		e = rest.ByStatus(a)
	default:
		e = vendors.Errorf(vendors.VendorError, "RAGFlow refused the request with a code or text that kb-mcp does not know.").
			WithHint("Read vendor_message; RAGFlow's code says little by itself.")
	}
	e.HTTPStatus, e.VendorCode, e.VendorMessage = a.Status, h.code(), h.Text()
	if h.old() && e.Err == nil {
		e.Err = ErrOldEnvelope
	}
	return e
}

// Reworded is err in other words: what an answer means to one request. The
// platform's own code and text stay.
func Reworded(err error, kind vendors.Kind, message, hint string) *vendors.Error {
	e := *vendors.Classify(err)
	e.Kind, e.Message, e.Hint, e.Err = kind, message, hint, nil
	return &e
}

// unreadable judges an answer that is not JSON: a proxy's page under a status
// that says it all, or the web app, which answers every path it does not know.
func unreadable(a rest.Answer, malformed *vendors.Error) *vendors.Error {
	switch s := a.Status; {
	case s == 413, s == 429:
		return rest.Judge(rules, a, "", "")
	case s == 401, s == 403, s == 408, s >= 500:
		return rest.ByStatus(a)
	}
	return address(malformed)
}

func address(e *vendors.Error) *vendors.Error {
	return e.WithHint("Set RAGFLOW_BASE_URL to the server's root (usual ports 9380 and 80), without the path of a page.")
}

// NoPayload is the error of a success without its data.
func NoPayload() *vendors.Error {
	e := vendors.Errorf(vendors.BadResponse, "RAGFlow reported success without the data asked for.")
	e.HTTPStatus, e.Effect = 200, vendors.UnknownEffect
	return e
}

// Marked is the error of the rule with a mark.
func Marked(mark error) *vendors.Error {
	return rules[slices.IndexFunc(rules, func(r rest.Rule) bool { return r.Mark == mark })].Error()
}
