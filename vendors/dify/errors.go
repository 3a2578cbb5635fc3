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
	// accept takes what the headers tell, and reports whether the answer holds
	// what was asked for.
	accept(h http.Header) bool
}

// decode is the dialect's judgement of an answer. A member of an odd type is no
// failure as long as the payload is there: one field must not hide a list.
func decode(a rest.Answer, out any) error {
	if a.Status >= http.StatusBadRequest {
		return refusal(a, wellFormed(out))
	}
	if n, ok := out.(*nothing); ok && n.is(a) {
		return nil
	}
	broken, odd := rest.Unmarshal(a, out)
	if broken != nil {
		return broken
	}
	if p, ok := out.(payload); ok && !p.accept(a.Header) {
		if odd != nil {
			return odd
		}
		return vendors.Errorf(vendors.BadResponse, "Dify's answer lacks what was asked for.").
			WithHint("Check that DIFY_BASE_URL points to Dify's API and to nothing else; try again.")
	}
	return nil
}

// failure is the body of a refusal. Old servers and some routes leave members
// out, or send {"error"} alone.
type failure struct {
	Code    rest.Str `json:"code"`
	Message rest.Str `json:"message"`
	Error   rest.Str `json:"error"`

	text  string     // Message or Error, fit to show
	words rest.Words // of text
	json  bool       // the body was JSON at all
	// wellFormed says that the call holds nothing that could be wrong with it.
	wellFormed bool
}

// is reports whether the refusal has one of the codes.
func (f *failure) is(codes ...rest.Str) bool { return slices.Contains(codes, f.Code) }

// says reports whether the text begins with one of the words. Only the
// beginning counts where what follows may quote anybody's input.
func (f *failure) says(beginnings ...string) bool {
	return slices.ContainsFunc(beginnings, func(b string) bool { return strings.HasPrefix(string(f.words), string(rest.WordsOf(b))) })
}

// wellFormed reports whether a call with this answer is a search or a read,
// whose arguments are checked before they are sent: what the server says against
// it is about the server, unless it says that it checked the arguments.
func wellFormed(out any) bool {
	switch out.(type) {
	case *records, *page[segment], *page[document], *page[dataset], *document, *batchAnswer, *ruleAnswer:
		return true
	}
	return false
}

// refusal explains an answer of 400 and more.
func refusal(a rest.Answer, wellFormed bool) *vendors.Error {
	f := failure{wellFormed: wellFormed}
	broken, _ := rest.Unmarshal(a, &f)
	f.json = broken == nil
	f.text = tidy(cmp.Or(string(f.Message), string(f.Error)))
	f.words = rest.WordsOf(f.text)
	e := judge(a, &f)
	e.HTTPStatus = a.Status
	e.VendorCode, e.VendorMessage = codeWord.FindString(string(f.Code)), f.text
	e.RequestID = codeWord.FindString(a.Header.Get("X-Trace-Id"))
	return e
}

// codeWord is the form of codes and trace ids; anything else is not shown.
var codeWord = regexp.MustCompile(`^[\w.:-]{1,100}$`)

// judge is the table of refusals by status.
func judge(a rest.Answer, f *failure) *vendors.Error {
	switch s := a.Status; {
	case s == http.StatusBadRequest:
		return badRequest(a, f)
	case s == http.StatusUnauthorized:
		return vendors.Errorf(vendors.Unauthenticated, "Dify does not accept the API key of this connection.").
			WithHint("Set DIFY_API_KEY to a dataset key (dataset-...) of this server's workspace and restart; a key made just now may need a minute before it works.")
	case s == http.StatusForbidden:
		return forbidden(f)
	case s == http.StatusNotFound:
		return notFound(a, f)
	case s == http.StatusMethodNotAllowed && f.json: // a page is a proxy's
		return vendors.Errorf(vendors.Unsupported, "This Dify server does not know this call.").
			WithHint("Update Dify to 1.5.1 or newer.")
	case s == http.StatusConflict:
		return conflict(f)
	case s == http.StatusRequestEntityTooLarge, s == http.StatusUnsupportedMediaType, s == http.StatusUnprocessableEntity:
		return vendors.Errorf(vendors.InvalidArgument, "Dify refused the request as too large or of a form it does not take.")
	case s == http.StatusTooManyRequests:
		e := vendors.Errorf(vendors.RateLimited, "Dify, or a proxy before it, limits requests (HTTP 429).").
			WithHint("Wait retry_after_seconds, then call again; a lower DIFY_RATE_LIMIT avoids this.")
		e.After = time.Minute
		return e
	case s == http.StatusRequestTimeout, s >= 500:
		return vendors.Errorf(vendors.Unavailable, "Dify failed to answer (HTTP %d).", s).
			WithHint("Try again in a minute. If every call fails on a self-hosted server, look at the log of its api container (a workspace with two owners fails so, Dify issue 28409).")
	case !f.json:
		return rest.NotJSON(a, nil).WithHint("Check DIFY_BASE_URL: it is the root of Dify's API, like https://host/v1. If it is right, look at the proxy before it.")
	}
	return vendors.Errorf(vendors.VendorError, "Dify refused the request with HTTP %d.", a.Status)
}

// rateLimited is the refusal of the cloud's limiter: a sliding minute in which
// refused calls count too, so only a minute of silence helps. A Retry-After of
// the answer wins.
func rateLimited() *vendors.Error {
	e := vendors.Errorf(vendors.RateLimited, "The Dify workspace has used up its knowledge requests for this minute.").
		WithHint("Wait retry_after_seconds without any call; the limit is shared with the workspace's console and apps, and a larger plan or a lower DIFY_RATE_LIMIT avoids this.")
	e.After = time.Minute
	return e
}

// forbidden tells the 403 that passes from those that stay.
func forbidden(f *failure) *vendors.Error {
	switch {
	case f.words.Have("rate limit"):
		return rateLimited()
	case f.words.HaveAny("capacity of the vector space", "number of documents has reached the limit", "upgrade to a paid plan"):
		return vendors.Errorf(vendors.QuotaExhausted, "The plan of the Dify workspace is used up.").
			WithHint("The workspace's owner must upgrade its plan or make room in it; retrying will not help.")
	case f.says("Dataset api access is not enabled"):
		return vendors.Errorf(vendors.PermissionDenied, "The knowledge base is closed to API calls.").
			WithHint("Switch on API access of this knowledge base in the Dify console.")
	case f.is("archived_document_immutable"):
		return vendors.Errorf(vendors.Conflict, "The document is archived and cannot be changed.").
			WithHint("Un-archive the document first.")
	}
	return vendors.Errorf(vendors.PermissionDenied, "The API key of this connection may not do this.")
}

// notFound tells which thing is missing. An HTML page, or JSON that speaks of no
// thing, means that the server has no such path.
func notFound(a rest.Answer, f *failure) *vendors.Error {
	switch {
	case f.says("Dataset"):
		return knowledgeBaseNotFound()
	case f.says("Documents not found"):
		return vendors.Errorf(vendors.ErrNotFound, "The batch does not exist in this knowledge base.").
			WithHint("A batch is gone once its documents were deleted or uploaded again: ask with `document_ids`, or with neither for the whole knowledge base.")
	case f.says("Document does not have", "Uploaded file not found"):
		return vendors.Errorf(vendors.ErrNotFound, "Dify holds no uploaded file for this document.").
			WithHint("Only documents that were uploaded as a file or text have one; read the text with list_chunks.")
	case f.says("Document"):
		return documentNotFound()
	case f.says("Segment", "Child chunk"):
		return vendors.Errorf(vendors.ErrNotFound, "The chunk does not exist in this document.").
			WithHint("Take the chunk from list_chunks.")
	}
	e := rest.ByStatus(a)
	if !f.json {
		e = rest.NotJSON(a, nil)
	}
	return e.WithHint("Check DIFY_BASE_URL: it is the root of Dify's API, like https://host/v1. If it is right, this server is too old for the call.")
}

func knowledgeBaseNotFound() *vendors.Error {
	return vendors.Errorf(vendors.ErrNotFound, "The knowledge base does not exist, or is not accessible with this credential.").
		WithHint("Take the id from list_knowledge_bases.")
}

func documentNotFound() *vendors.Error {
	return vendors.Errorf(vendors.ErrNotFound, "The document does not exist in this knowledge base.").
		WithHint("Take the id from list_documents of the same knowledge base.")
}

// badRequest is the table of 400s. Behind most of them is a Python exception of
// any layer, so that the code says nothing (invalid_param) and the text is all.
func badRequest(a rest.Answer, f *failure) *vendors.Error {
	switch {
	case !f.json:
		return rest.NotJSON(a, nil)
	case f.says("Dataset does not exist"): // servers before 1.9, and writes to another workspace's
		return knowledgeBaseNotFound()
	case f.says("You do not have permission"):
		return vendors.Errorf(vendors.PermissionDenied, "The API key of this connection may not change this knowledge base.").
			WithHint("It is of another workspace, or closed to the key's owner: use a dataset key of its workspace.")
	case f.is("provider_quota_exceeded"):
		return vendors.Errorf(vendors.QuotaExhausted, "The model provider's quota in Dify is used up.").
			WithHint("Renew the quota, or set another model provider in Dify; retrying will not help.")
	case f.is("provider_not_initialize", "model_currently_not_support"):
		return vendors.Errorf(vendors.Conflict, "The model of this knowledge base is not set up in Dify.").
			WithHint("The owner of the Dify workspace must configure the embedding model " + providers + ".")
	case f.says("Dataset name already exists"):
		return nameTaken()
	case f.is("invalid_action", "document_indexing", "dataset_not_initialized"), f.says("Document is not available"):
		return busy(f)
	case f.words.HaveAny("validation error for", "payload validation failed"):
		return vendors.Errorf(vendors.InvalidArgument, "Dify refused the request as invalid.")
	}
	if t, ok := troubleOf(f.words); ok && t.kind != "" {
		return t.refusal()
	}
	if f.is("completion_request_error") || f.wellFormed && f.is("invalid_param") {
		e := vendors.Errorf(vendors.Unavailable, "Dify, or a service that it needs, failed over a request that is in order.")
		e.Retry = vendors.Later
		return e.WithHint("vendor_message says what happened. If it stays, the server's operator must look at it and at the log of Dify's api container (mostly the vector store or the model provider).")
	}
	return vendors.Errorf(vendors.InvalidArgument, "Dify refused the request as invalid.")
}

// conflict is the table of 409s.
func conflict(f *failure) *vendors.Error {
	switch {
	case f.is("dataset_name_duplicate"):
		return nameTaken()
	case f.is("dataset_in_use"):
		return vendors.Errorf(vendors.Conflict, "Apps of the Dify workspace use this knowledge base.").
			WithHint("Take it out of those apps in the Dify console first.")
	}
	return vendors.Errorf(vendors.Conflict, "Dify refused this because it conflicts with what is there.")
}

func nameTaken() *vendors.Error {
	return vendors.Errorf(vendors.Conflict, "Another knowledge base of the workspace has this name.").
		WithHint("Choose another name, or use the one that exists: list_knowledge_bases with name_contains finds it.")
}

// busy is a document or knowledge base in the wrong state for a call; it passes
// where the state does.
func busy(f *failure) *vendors.Error {
	e := vendors.Errorf(vendors.Conflict, "The document or knowledge base is not in a state for this.")
	if f.words.HaveAny("indexing", "indexed", "try again later", "wait a moment") {
		e.Retry = vendors.Later
	}
	if f.words.Have("is not completed") {
		return e.WithHint("Wait until the document is completed (wait_for_ingestion), then try again.")
	}
	return e
}

// noRoute reports whether an answer means that the server has no such call:
// one older than the call answers 405 or an HTML page.
func noRoute(err error) bool {
	var e *vendors.Error
	return errors.As(err, &e) && (e.HTTPStatus == http.StatusMethodNotAllowed ||
		e.HTTPStatus == http.StatusNotFound && e.Kind == vendors.BadResponse)
}

// noDocument reports whether an answer says that just the document is missing.
func noDocument(err error) bool {
	var e *vendors.Error
	return errors.As(err, &e) && e.Kind == vendors.ErrNotFound && strings.HasPrefix(e.VendorMessage, "Document")
}
