package dify

import (
	"cmp"
	"errors"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"kb-mcp/vendors"
	"kb-mcp/vendors/rest"
)

// payload is the answer of a call.
type payload interface {
	// accept reads the headers, and reports whether the answer holds what was
	// requested.
	accept(h http.Header) bool
}

// decode is the dialect's judgement of an answer. A member of another type is
// not a failure as long as the payload is there: one field must not hide a list.
func decode(a rest.Answer, out any) error {
	if a.Status >= http.StatusBadRequest {
		return refusal(a, out)
	}
	if n, ok := out.(*nothing); ok && n.is(a) {
		return nil
	}
	malformed, mistyped := rest.Unmarshal(a, out)
	if malformed != nil {
		return malformed
	}
	if p, ok := out.(payload); ok && !p.accept(a.Header) {
		if mistyped != nil {
			return mistyped
		}
		return vendors.Errorf(vendors.BadResponse, "Dify reported success without the data asked for.").
			WithHint("Check that DIFY_BASE_URL points to Dify's API and to nothing else; try again.")
	}
	return nil
}

// refused is the body of a refusal. Old servers and some routes leave members
// out, or send {"error"} alone.
type refused struct {
	Code    rest.Str `json:"code"`
	Message rest.Str `json:"message"`
	Error   rest.Str `json:"error"`
}

// said returns code and text, fit to show.
func (r *refused) said() (code, text string) {
	return codeForm.FindString(string(r.Code)), shown(cmp.Or(string(r.Message), string(r.Error)))
}

// codeForm is the form of codes and trace ids; anything else is not shown.
var codeForm = regexp.MustCompile(`^[\w.:-]{1,100}$`)

// refusal returns the error of an answer of 400 and more to a call for out. The
// arguments of a read are checked before it is sent: a refusal is then about
// Dify, as the code of a failed completion is, unless it says that Dify checked
// the arguments.
func refusal(a rest.Answer, out any) *vendors.Error {
	var r refused
	malformed, _ := rest.Unmarshal(a, &r)
	code, text := r.said()
	judged := code
	if judged == "invalid_param" && isRead(out) {
		judged = "completion_request_error"
	}
	e := rest.Judge(rules(), a, judged, text)
	switch {
	case malformed != nil && (e == nil || slices.Contains([]int{400, 404, 405}, a.Status)):
		e = malformed.WithHint("Check DIFY_BASE_URL: it is the root of Dify's API, like https://host/v1. If it is right, look at the proxy before it; the server may also be too old for the call.")
	case e == nil:
		e = vendors.Errorf(vendors.VendorError, "Dify refused the request with HTTP %d.", a.Status)
	}
	e.VendorCode, e.VendorMessage = code, text
	e.RequestID = codeForm.FindString(a.Header.Get("X-Trace-Id"))
	return e
}

// isRead reports whether an answer is of a search or a read.
func isRead(out any) bool {
	switch out.(type) {
	case *records, *page[segment], *page[document], *page[dataset], *document, *batchAnswer:
		return true
	}
	return false
}

// Marks of refusals that the driver acts on.
var (
	errNoKnowledgeBase = errors.New("the knowledge base is missing")
	errNoDocument      = errors.New("just the document is missing")
	errBusy            = errors.New("an earlier change is not finished")
	errOptions         = errors.New("the options of an upload do not fit the knowledge base")
	errWantsRule       = errors.New("the knowledge base has no rule")
	errWantsSource     = errors.New("the knowledge base is an external one")
)

// noDocument is the refusal of a document that does not exist.
var noDocument = rest.Rule{Statuses: []int{404}, Texts: []string{"^Document"}, Kind: vendors.ErrNotFound, Mark: errNoDocument,
	Message: "The document does not exist in this knowledge base.",
	Hint:    "Take the id from list_documents of the same knowledge base."}

// nameTaken is the refusal of a knowledge base whose name exists.
var nameTaken = rest.Rule{Statuses: []int{400, 409}, Texts: []string{"Dataset name already exists"}, Kind: vendors.Conflict,
	Message: "Another knowledge base of the workspace has this name.",
	Hint:    "Choose another name, or use the one that exists: list_knowledge_bases with name_contains finds it."}

// rules is the table of refusals.
func rules() []rest.Rule {
	return slices.Concat(refusals, dependencyRules(), byStatus)
}

// refusals are those that Dify words itself.
var refusals = []rest.Rule{
	// The cloud counts refused calls of the last minute too, so only a minute of
	// silence helps.
	{Statuses: []int{403}, Texts: []string{"rate limit"}, Kind: vendors.RateLimited, After: time.Minute,
		Message: "The Dify workspace has used up its knowledge requests for this minute.",
		Hint:    "Wait retry_after_seconds without any call; the limit is shared with the workspace's console and apps, and a larger plan or a lower DIFY_RATE_LIMIT avoids this."},
	{Statuses: []int{403}, Texts: []string{"^Dataset api access is not enabled"}, Kind: vendors.PermissionDenied,
		Message: "The knowledge base is closed to API calls.",
		Hint:    "Switch on API access of this knowledge base in the Dify console."},
	{Codes: []string{"archived_document_immutable"}, Kind: vendors.Conflict,
		Message: "The document is archived and cannot be changed.",
		Hint:    "Un-archive the document first."},

	// A 400 for a knowledge base comes from servers before 1.9, and for a write to
	// another workspace's.
	{Statuses: []int{400, 404}, Texts: []string{"^Dataset not", "^Dataset does not exist"}, Kind: vendors.ErrNotFound, Mark: errNoKnowledgeBase,
		Message: "The knowledge base does not exist, or is not accessible with this credential.",
		Hint:    "Take the id from list_knowledge_bases."},
	{Statuses: []int{404}, Texts: []string{"^Documents not found"}, Kind: vendors.ErrNotFound, Mark: errNoDocument,
		Message: "The batch does not exist in this knowledge base.",
		Hint:    "A batch is gone once its documents were deleted or uploaded again: ask with `document_ids`, or with neither for the whole knowledge base."},
	{Statuses: []int{404}, Texts: []string{"^Document does not have", "^Uploaded file not found"}, Kind: vendors.ErrNotFound,
		Message: "Dify holds no uploaded file for this document.",
		Hint:    "Only documents that were uploaded as a file or text have one; read the text with list_chunks."},
	noDocument,

	nameTaken,
	{Codes: []string{"dataset_in_use"}, Kind: vendors.Conflict,
		Message: "Apps of the Dify workspace use this knowledge base.",
		Hint:    "Take it out of those apps in the Dify console first."},

	{Codes: []string{"unsupported_file_type", "file_extension_blocked"}, Kind: vendors.InvalidArgument,
		Message: "Dify does not accept files of this type.",
		Hint:    acceptedTypes},

	{Codes: []string{"invalid_action"}, Texts: []string{"is not completed"}, Kind: vendors.Conflict,
		Message: "The document or knowledge base is not in a state for this.",
		Hint:    "Wait until the document is completed (wait_for_ingestion), then try again."},
	{Codes: []string{"invalid_action", "document_indexing", "dataset_not_initialized"}, Kind: vendors.Conflict, Retry: vendors.Later, Mark: errBusy,
		Message: "The document or knowledge base is not in a state for this."},
	{Codes: []string{"provider_not_initialize", "model_currently_not_support"}, Kind: vendors.Conflict,
		Message: "The model of this knowledge base is not set up in Dify.",
		Hint:    "The owner of the Dify workspace must configure the embedding model " + providers + "."},
	{Statuses: []int{400}, Texts: []string{"^You do not have permission"}, Kind: vendors.PermissionDenied,
		Message: "The API key of this connection may not change this knowledge base.",
		Hint:    "It belongs to another workspace, or is closed to the key's owner: use a dataset key of its workspace."},
	{Statuses: []int{400}, Texts: []string{"external knowledge id is required", "external knowledge api id is required"}, Kind: vendors.InvalidArgument, Mark: errWantsSource,
		Message: "Dify refused the request as invalid."},
	{Statuses: []int{400}, Texts: []string{"^process_rule is required"}, Kind: vendors.InvalidArgument, Mark: errWantsRule,
		Message: "Dify refused the request as invalid."},
	{Statuses: []int{400}, Codes: []string{"invalid_param"}, Texts: []string{"indexing_technique", "doc_form", "process_rule"}, Kind: vendors.InvalidArgument, Mark: errOptions,
		Message: "Dify refused the request as invalid."},
	{Statuses: []int{400}, Texts: []string{"validation error for", "payload validation failed"}, Kind: vendors.InvalidArgument,
		Message: "Dify refused the request as invalid."},
}

// byStatus are refusals that neither code nor text explains. Behind most 400s is
// a Python exception of any layer.
var byStatus = []rest.Rule{
	{Statuses: []int{400}, Codes: []string{"completion_request_error"}, Kind: vendors.Unavailable, Retry: vendors.Later,
		Message: "Dify, or a service that it needs, failed on a valid request.",
		Hint:    "vendor_message says what happened. If it happens again, the server's operator must look at it and at the log of Dify's api container (mostly the vector store or the model provider)."},
	{Statuses: []int{400, 422}, Kind: vendors.InvalidArgument,
		Message: "Dify refused the request as invalid."},
	{Statuses: []int{401}, Kind: vendors.Unauthenticated,
		Message: "Dify does not accept the API key of this connection.",
		Hint:    "Set DIFY_API_KEY to a dataset key (dataset-...) of this server's workspace and restart; a key made just now may need a minute before it works."},
	{Statuses: []int{403}, Kind: vendors.PermissionDenied,
		Message: "The API key of this connection may not do this."},
	{Statuses: []int{404}, Kind: vendors.BadResponse, // JSON that names no object
		Message: "The server does not have this path.",
		Hint:    "Check DIFY_BASE_URL: it is the root of Dify's API, like https://host/v1. If it is right, this server is too old for the call."},
	{Statuses: []int{405}, Kind: vendors.Unsupported,
		Message: "This Dify server does not know this call.",
		Hint:    "Update Dify to 1.5.1 or newer."},
	{Statuses: []int{409}, Kind: vendors.Conflict,
		Message: "Dify refused this because it conflicts with what is there."},
	{Statuses: []int{413}, Kind: vendors.InvalidArgument,
		Message: "The request is larger than this Dify server accepts.",
		Hint:    "Split the file or upload its text; a self-hosted server accepts more with UPLOAD_FILE_SIZE_LIMIT (15 MB by default) and, in the proxy before it, NGINX_CLIENT_MAX_BODY_SIZE."},
	{Statuses: []int{415}, Kind: vendors.InvalidArgument,
		Message: "Dify does not accept files of this type.",
		Hint:    acceptedTypes},
	{Statuses: []int{429}, Kind: vendors.RateLimited, After: time.Minute,
		Message: "Dify, or a proxy before it, limits requests (HTTP 429).",
		Hint:    "Wait retry_after_seconds, then call again; a lower DIFY_RATE_LIMIT avoids this."},
	{Statuses: []int{408, 5}, Kind: vendors.Unavailable,
		Message: "Dify failed to answer.",
		Hint:    "Try again in a minute. If every call fails on a self-hosted server, look at the log of its api container (a workspace with two owners fails so, Dify issue 28409)."},
}

// noRoute reports whether an answer means that the server has no such call:
// one older than the call answers 405 or an HTML page.
func noRoute(err error) bool {
	var e *vendors.Error
	return errors.As(err, &e) && (e.HTTPStatus == http.StatusMethodNotAllowed ||
		e.HTTPStatus == http.StatusNotFound && e.Kind == vendors.BadResponse)
}

// Limits of a text of the platform before it is cut to one line.
const (
	maxText  = 4096 // bytes
	maxLines = 5    // the first lines of a validation text are enough
)

// shown makes a text of the platform fit to show. Dify appends route suggestions
// to some texts and documentation links to validation texts.
func shown(s string) string {
	s, _, _ = strings.Cut(s[:min(len(s), maxText)], " You have requested this URI")
	s, _, _ = strings.Cut(s, "For further information visit")
	lines := slices.Collect(strings.Lines(s))
	return rest.Text(strings.Join(lines[:min(len(lines), maxLines)], ""))
}
