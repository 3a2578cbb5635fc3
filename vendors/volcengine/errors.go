package volcengine

import (
	"errors"
	"net/http"
	"time"

	"kb-mcp/vendors"
	"kb-mcp/vendors/rest"
)

// Marks that the driver tests with errors.Is.
var (
	errNoBase     = errors.New("no such knowledge base")
	errNoDocument = errors.New("no such document")
	errNoPath     = errors.New("no such path on this server")
	errDuplicate  = errors.New("the content exists already")
	errNotReady   = errors.New("the index is not ready")
)

const (
	wrongServer = "Check VOLCENGINE_BASE_URL: it must be the root of the knowledge base service."
	grant       = "Give the account of the credential rights on the knowledge base in Volcengine's access control, or use another one."
)

// What several answers mean.
var (
	unauthenticated = rest.Rule{Kind: vendors.Unauthenticated, Message: "Volcengine does not accept the credential."}
	denied          = rest.Rule{Kind: vendors.PermissionDenied, Message: "The credential may not do this on Volcengine.", Hint: grant}

	noBase = rest.Rule{Kind: vendors.ErrNotFound, Mark: errNoBase,
		Message: "The knowledge base does not exist, or is not accessible with this credential.",
		Hint:    "Take the id from list_knowledge_bases; a name is looked up in the project and region of VOLCENGINE_PROJECT and VOLCENGINE_BASE_URL only."}
	noDocument = rest.Rule{Kind: vendors.ErrNotFound, Mark: errNoDocument,
		Message: "The knowledge base does not hold a document with this id.",
		Hint:    "Take document ids from list_documents; a document just added may take some seconds to appear."}
	duplicate = rest.Rule{Kind: vendors.Conflict, Mark: errDuplicate,
		Message: "The knowledge base already holds a document of the same content.",
		Hint:    "Use the existing document that vendor_message names."}
	notReady = rest.Rule{Kind: vendors.Conflict, Mark: errNotReady, Retry: vendors.Later,
		Message: "The index of the knowledge base is not ready, so that searches find nothing yet.",
		Hint:    "The index is still being built; try again in a few minutes. Until then list_chunks shows the text of a document."}
)

// coded is a rule for answers with one of the codes.
func coded(r rest.Rule, codes ...string) rest.Rule {
	r.Codes = codes
	return r
}

// worded is a rule for answers with HTTP 200, a code that is in no other rule, and
// one of the texts.
func worded(r rest.Rule, texts ...string) rest.Rule {
	r.Statuses, r.Texts = []int{http.StatusOK}, texts
	return r
}

// rules is the table of errors. From 500 on the status decides, whatever the
// code says. Otherwise the code outweighs the status: 1000001 is a 401 on most
// pages of the documentation and a 403 on some.
func rules() []rest.Rule {
	return []rest.Rule{
		{Codes: []string{"1000021", "1000022", "1000028"}, Kind: vendors.Unavailable, Message: "Volcengine had an internal fault."},
		{Codes: []string{"1000010", "1000013", "1000014", "1000020", "1000025", "1000026", "1000030"}, Kind: vendors.Unavailable, Retry: vendors.Never,
			Message: "Volcengine had an internal fault; trying again does not help.", Hint: "Give request_id to Volcengine's support."},
		{Statuses: []int{5}, Kind: vendors.Unavailable},

		coded(unauthenticated, "1000001", "1000015"),
		coded(denied, "1000002"),
		{Codes: []string{"1000003", "1000016", "1000017", "1000018", "1000019"}, Kind: vendors.InvalidArgument,
			Message: "Volcengine refused the request.", Hint: "Correct what the message names; ids must be those that the list tools gave."},
		coded(noBase, "1000005"),
		coded(noDocument, "1001001", "1000011"),
		{Codes: []string{"1002001"}, Kind: vendors.ErrNotFound, Message: "The chunk does not exist.", Hint: "Take chunk ids from list_chunks."},
		coded(duplicate, "1001002"),
		coded(notReady, "1000008", "1000023"),
		{Codes: []string{"1000004"}, Kind: vendors.Conflict, Message: "A knowledge base of this name exists.", Hint: "Choose another name, or use the existing one."},
		{Codes: []string{"1000006", "1000007"}, Kind: vendors.Conflict, Message: "Volcengine does not allow this in the present state."},
		{Codes: []string{"1000024"}, Kind: vendors.Unsupported, Message: "Volcengine does not support this on this knowledge base.", Mark: errNoPath},

		// A daily limit has the code of a limit per second.
		{Codes: []string{"1000029", "300004"}, Texts: []string{"per day", "daily", "a day", "of day", "每日", "每天", "当日"},
			Kind: vendors.QuotaExhausted, Retry: vendors.Later, Message: "Volcengine's daily quota is used up.",
			Hint: "A Standard knowledge base takes 300 searches and 300 additions a day: wait until tomorrow, or let its owner use an Ultimate one."},
		{Codes: []string{"1000029", "300004"}, Kind: vendors.RateLimited, Message: "Volcengine's rate limit is reached.", After: time.Second},
		{Codes: []string{"1001010"}, Kind: vendors.QuotaExhausted, Message: "The knowledge base holds as many documents as Volcengine allows.",
			Hint: "Use another knowledge base, or let the owner of the account make room or raise the limit."},
		{Codes: []string{"1000032", "1000033"}, Kind: vendors.QuotaExhausted, Message: "The Volcengine account has no active order or is overdue.",
			Hint: "The owner of the account must order the service or settle the bill in Volcengine's console."},

		{Codes: []string{"InvalidActionOrVersion"}, Kind: vendors.BadResponse, Hint: wrongServer, Mark: errNoPath}, // a gateway's
		{Statuses: []int{http.StatusNotFound, http.StatusMethodNotAllowed}, Kind: vendors.BadResponse, Hint: wrongServer, Mark: errNoPath},
		{Statuses: []int{http.StatusForbidden}, Kind: vendors.PermissionDenied, Hint: grant},
		{Statuses: []int{http.StatusTooManyRequests}, Kind: vendors.RateLimited, After: time.Second},

		worded(denied, "^permission", "no permission", "not permitted"),
		worded(unauthenticated, "unauthorized"),
		worded(noDocument, "doc not exist", "document not exist", "doc does not exist", "document does not exist"),
		worded(noBase, "collection not exist", "collection does not exist", "knowledge base not exist", "knowledge base does not exist"),
		{Statuses: []int{http.StatusOK}, Kind: vendors.VendorError, Message: "Volcengine refused the request with a code that kb-mcp does not know."},
	}
}

// answer is an [envelope] of any payload.
type answer interface {
	// said returns code, text and log id in whichever form they came; "" for
	// none.
	said() (code, text, requestID string)
	// empty reports whether the payload is missing.
	empty() bool
}

// decode reads the body before it looks at the status, because every error of
// the service is a 4xx or 5xx whose code says more. out is an [answer].
func (d *Driver) decode(a rest.Answer, out any) error {
	env := out.(answer)
	malformed, mistyped := rest.Unmarshal(a, env)
	code, text, requestID := env.said()
	var e *vendors.Error
	switch {
	case malformed != nil && a.Status < 400:
		e = malformed
	case code != "" && code != "0", a.Status >= 400:
		e = d.refusal(a, code, text)
	case mistyped != nil:
		e = mistyped
	case code == "":
		e = vendors.Errorf(vendors.BadResponse, "The answer is JSON, but not from Volcengine: it has no code.").WithHint(wrongServer)
	case env.empty():
		e = vendors.Errorf(vendors.BadResponse, "Volcengine reported success without the data asked for.")
	default:
		return nil
	}
	e.RequestID = requestID
	return e
}

// refusal returns the error of an answer that is not a success.
func (d *Driver) refusal(a rest.Answer, code, text string) *vendors.Error {
	e := rest.Judge(rules(), a, code, text)
	if e == nil {
		e = rest.ByStatus(a)
	}
	if code != "0" { // "success" explains no failure
		e.VendorCode = code
	}
	e.VendorMessage = text
	switch {
	case e.Kind == vendors.Unauthenticated:
		e.Hint = d.credentialHint(a.Header)
	case e.Kind == vendors.InvalidArgument && e.VendorCode != "" && text != "":
		e.Message = "Volcengine refused the request: " + rest.Text(text)
	case errors.Is(e, errNoBase):
		d.names.Clear()
	}
	return e
}

// credentialHint names the variables to look at. A signature is refused when
// the clocks are too far apart, which the answer's Date shows.
func (d *Driver) credentialHint(h http.Header) string {
	if !d.signed {
		return "Check VOLCENGINE_API_KEY (or VIKING_API_KEY): the key must be one of this region's knowledge base service."
	}
	for _, f := range vendors.Clock(h.Get("Date"), d.now(), signatureLife) {
		if f.Status == vendors.Broken {
			return f.Message + " " + f.Hint
		}
	}
	return "Check VOLCENGINE_ACCESS_KEY and VOLCENGINE_SECRET_KEY, and VOLCENGINE_SESSION_TOKEN if the pair is temporary; a proxy must not change the request."
}
