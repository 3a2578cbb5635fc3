package volcengine

import (
	"fmt"
	"net/http"
	"time"

	"kb-mcp/vendors"
	"kb-mcp/vendors/rest"
)

// envelope is the form of every answer: the head, and the payload of a success.
type envelope[T any] struct {
	head
	Data *T `json:"data"`
}

// head is what judges an answer. Gateways in front of the service speak the
// form of Volcengine's other products, ResponseMetadata.
type head struct {
	Code      rest.ID  `json:"code"` // a number; a numeric string is accepted
	Message   rest.Str `json:"message"`
	RequestID rest.Str `json:"request_id"`
	Metadata  struct {
		RequestID rest.Str `json:"RequestId"`
		Error     struct {
			Code    rest.ID
			Message rest.Str
		}
	} `json:"ResponseMetadata"`
}

// opened is an envelope of any payload.
type opened interface {
	reset()
	header() *head
	empty() bool
}

func (e *envelope[T]) reset()        { *e = envelope[T]{} }
func (e *envelope[T]) header() *head { return &e.head }
func (e *envelope[T]) empty() bool   { return e.Data == nil }

// receipt is the envelope of an answer that has no payload.
type receipt struct{ head }

func (r *receipt) reset()        { *r = receipt{} }
func (r *receipt) header() *head { return &r.head }
func (r *receipt) empty() bool   { return false }

// said gives code, words and log id in whichever form they came; "" for none.
func (h *head) said() (code, message, requestID string) {
	code, message, requestID = whole(h.Code), string(h.Message), string(h.RequestID)
	if m := h.Metadata; code == "" {
		code, message = string(m.Error.Code), string(m.Error.Message)
	}
	if requestID == "" {
		requestID = string(h.Metadata.RequestID)
	}
	return code, message, requestID
}

// judge tells a success from a failure.
type judge struct {
	now    func() time.Time
	signed bool   // by a pair of keys, so that clocks matter
	gone   func() // told that a knowledge base is not there
}

// decode reads the body before it looks at the status, because every error of
// the service is a 4xx or 5xx whose code says more. out is an *envelope.
func (j judge) decode(a rest.Answer, out any) error {
	env := out.(opened)
	env.reset() // a try before may have left something
	broken, odd := rest.Unmarshal(a, env)
	code, message, requestID := env.header().said()
	var e *vendors.Error
	switch {
	case broken != nil && a.Status < 400:
		e = broken
	case code != "" && code != "0":
		e = byCode(a, code, message)
	case a.Status >= 400:
		e = byStatus(a)
	case odd != nil:
		e = odd
	case code == "":
		e = vendors.Errorf(vendors.BadResponse, "The answer is JSON, but not of Volcengine: it has no code.").WithHint(wrongServer)
	case env.empty():
		e = vendors.Errorf(vendors.BadResponse, "Volcengine reported success without the data asked for.")
	default:
		return nil
	}
	if e.RequestID = label(requestID); e.VendorCode != "" || a.Status >= 400 { // "success" explains no failure
		e.VendorMessage = message
	}
	if e.VendorCode == codeNoKnowledgeBase {
		j.gone()
	}
	j.advise(e, a)
	return e
}

// advise says what to do where that depends on the kind alone.
func (j judge) advise(e *vendors.Error, a rest.Answer) {
	switch {
	case e.Kind == vendors.Unauthenticated:
		e.Hint = j.credentialHint(a.Header)
	case e.Kind == vendors.RateLimited:
		e.After = time.Second // the published limits count in seconds; Retry-After wins
	case e.Kind == vendors.PermissionDenied && e.Hint == "":
		e.Hint = "Give the account of the credential rights on the knowledge base in Volcengine's access control, or use another one."
	}
}

const (
	wrongServer = "Check VOLCENGINE_BASE_URL: it must be the root of the knowledge base service."
	maxSkew     = 5 * time.Minute
)

// credentialHint names the variables to look at. A signature is refused when
// the clocks are too far apart, which the answer's Date shows.
func (j judge) credentialHint(h http.Header) string {
	if !j.signed {
		return "Check VOLCENGINE_API_KEY (or VIKING_API_KEY): the key must be one of this region's knowledge base service."
	}
	hint := "Check VOLCENGINE_ACCESS_KEY and VOLCENGINE_SECRET_KEY, and VOLCENGINE_SESSION_TOKEN if the pair is temporary; a proxy must not change the request."
	date, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return hint
	}
	skew, side := j.now().Sub(date), "ahead of"
	if skew < 0 {
		skew, side = -skew, "behind"
	}
	if skew <= maxSkew {
		return hint
	}
	return fmt.Sprintf("Set the clock of this machine: it is about %d minutes %s Volcengine's, which refuses signatures of another time.",
		int(skew.Round(time.Minute).Minutes()), side)
}

// byStatus is the error for an answer whose body explains nothing.
func byStatus(a rest.Answer) *vendors.Error {
	e := rest.ByStatus(a)
	if a.Status == http.StatusNotFound || a.Status == http.StatusMethodNotAllowed {
		e.Hint = wrongServer
	}
	return e
}

// byCode is the error for a code other than 0. The code outweighs the status of
// a refusal: 1000001 is a 401 on most pages of the documentation and a 403 on
// some. A server that broke is broken whatever it says.
func byCode(a rest.Answer, code, message string) *vendors.Error {
	e := known(code)
	switch {
	case a.Status >= 500 && (e == nil || e.Kind != vendors.Unavailable):
		e = byStatus(a)
	case e != nil && e.Kind == vendors.RateLimited && ofDay(message):
		e = vendors.Errorf(vendors.QuotaExhausted, "Volcengine's quota of a day is used up.").
			WithHint("A Standard knowledge base takes 300 searches and 300 additions a day: wait until tomorrow, or let its owner use an Ultimate one.")
		e.Retry = vendors.Later
	case e != nil:
	case a.Status >= 400:
		e = byStatus(a)
	default:
		e = byWords(message)
	}
	e.VendorCode = label(code)
	if e.Kind == vendors.InvalidArgument && message != "" {
		e.Message = "Volcengine refused the request: " + rest.Text(message)
	}
	return e
}

// ofDay reports whether a limit is one of a day, which does not pass in
// seconds. It has the code of a second's.
func ofDay(message string) bool {
	return rest.WordsOf(message).HaveAny("per day", "daily", "a day", "of day", "每日", "每天", "当日")
}

// byWords judges an unknown code that came with HTTP 200.
func byWords(message string) *vendors.Error {
	words := rest.WordsOf(message)
	switch {
	case words.HaveAny("permission", "not permitted"):
		return vendors.Errorf(vendors.PermissionDenied, "The credential may not do this on Volcengine.")
	case words.Have("unauthorized"):
		return vendors.Errorf(vendors.Unauthenticated, "Volcengine does not accept the credential.")
	case words.HaveAny("doc not exist", "document not exist", "doc does not exist", "document does not exist"):
		return noDocument()
	case words.HaveAny("collection not exist", "collection does not exist", "knowledge base not exist", "knowledge base does not exist"):
		return noKnowledgeBase()
	}
	return vendors.Errorf(vendors.VendorError, "Volcengine refused the request with a code that kb-mcp does not know.")
}

// codeNoKnowledgeBase is the code of a knowledge base that is not there.
const codeNoKnowledgeBase = "1000005"

func noKnowledgeBase() *vendors.Error {
	return vendors.Errorf(vendors.ErrNotFound, "The knowledge base does not exist, or is not accessible with this credential.").
		WithHint("Take the id from list_knowledge_bases; a name is looked up in the project and region of VOLCENGINE_PROJECT and VOLCENGINE_BASE_URL only.")
}

func noDocument() *vendors.Error {
	return vendors.Errorf(vendors.ErrNotFound, "The knowledge base holds no document of this id.").
		WithHint("Take document ids from list_documents; a document just added may take some seconds to appear.")
}

// known is the table of error codes; nil for a code that is not in it.
func known(code string) *vendors.Error {
	switch code {
	case "1000001", "1000015":
		return vendors.Errorf(vendors.Unauthenticated, "Volcengine does not accept the credential.")
	case "1000002":
		return vendors.Errorf(vendors.PermissionDenied, "The credential may not do this on Volcengine.")
	case "1000003", "1000016", "1000017", "1000018", "1000019":
		return vendors.Errorf(vendors.InvalidArgument, "Volcengine refused the request.").
			WithHint("Correct what the message names; ids must be those that the list tools gave.")
	case codeNoKnowledgeBase:
		return noKnowledgeBase()
	case "1001001", "1000011":
		return noDocument()
	case "1002001":
		return vendors.Errorf(vendors.ErrNotFound, "The chunk does not exist.").WithHint("Take chunk ids from list_chunks.")
	case "1000029", "300004":
		return vendors.Errorf(vendors.RateLimited, "Volcengine's rate limit is reached.")
	case "1001010":
		return vendors.Errorf(vendors.QuotaExhausted, "The knowledge base holds as many documents as Volcengine allows.").
			WithHint("Use another knowledge base, or let the owner of the account make room or raise the limit.")
	case "1000032", "1000033":
		return vendors.Errorf(vendors.QuotaExhausted, "The Volcengine account has no active order or is overdue.").
			WithHint("The owner of the account must order the service or settle the bill in Volcengine's console.")
	case "1000024":
		return vendors.Errorf(vendors.Unsupported, "Volcengine does not support this on this knowledge base.")
	case "1000021", "1000022", "1000028":
		return vendors.Errorf(vendors.Unavailable, "Volcengine had an internal fault.")
	case "1000010", "1000013", "1000014", "1000020", "1000025", "1000026", "1000030":
		e := vendors.Errorf(vendors.Unavailable, "Volcengine had an internal fault that does not pass by trying again.").
			WithHint("Give request_id to Volcengine's support.")
		e.Retry = vendors.Never
		return e
	}
	return knownConflict(code)
}

// duplicate is the error of content that is there.
func duplicate() *vendors.Error {
	return vendors.Errorf(vendors.Conflict, "The knowledge base already holds a document of the same content.").
		WithHint("Use the existing document that vendor_message names.")
}

// knownConflict is the part of the table about states.
func knownConflict(code string) *vendors.Error {
	switch code {
	case "1000004":
		return vendors.Errorf(vendors.Conflict, "A knowledge base of this name exists.").WithHint("Choose another name, or use the existing one.")
	case "1001002":
		return duplicate()
	case "1000006", "1000007":
		return vendors.Errorf(vendors.Conflict, "Volcengine does not allow this in the present state.")
	case "1000008", "1000023":
		return notReady()
	}
	return nil
}
