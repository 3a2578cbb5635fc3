package coze

import (
	"cmp"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"kb-mcp/vendors"
	"kb-mcp/vendors/coze/oauth"
	"kb-mcp/vendors/rest"
)

// Marks that the driver tests with errors.Is.
var (
	errExpired        = errors.New("the access token may have expired")
	errForeign        = errors.New("a document may belong to another knowledge base or account")
	errMistyped       = errors.New("a member has another JSON type in this dialect")
	errQueueRefused   = errors.New("the document is stored, and its ingestion was not accepted")
	errNoCaptionModel = errors.New("the server has no model that describes images")
)

// Texts of studio that say what its code does not.
const (
	wantsSession = "session_key in cookie" // the call is not open to tokens, good or not
	wantsType    = "bind body failed"      // a member is of the wrong JSON type
)

// rules say what an answer's code means. Some apply whatever the status; then
// 404, 429 and 500 and above, which also come with codes that mean less (a
// gateway's or a broken server's 401 is not about the token); then the others.
func rules() []rest.Rule {
	return []rest.Rule{
		{Codes: []string{"4200"}, Kind: vendors.ErrNotFound, Mark: errForeign},
		{Codes: []string{"105000011", "105000012"}, Kind: vendors.ErrNotFound},
		{Codes: []string{"4008", "4011", "4019", "4022", "4027", "4028", "6003", "702082020", "702095072"}, Kind: vendors.QuotaExhausted},
		{Codes: []string{"4009", "4013", "4020"}, Kind: vendors.RateLimited, After: time.Second}, // no retry header was ever seen
		{Codes: []string{"700012006"}, Texts: []string{wantsSession}, Kind: vendors.Unsupported, Hint: studioRoot,
			Message: "This coze-studio server has no knowledge API for tokens, because it is older than 0.5.1; the token may be right."},
		{Texts: []string{wantsSession}, Kind: vendors.Unsupported, Hint: studioRoot,
			Message: "This coze-studio server does not open this call to API tokens; the token may be right."},
		// The words of studio's database about an argument.
		{Codes: []string{"105000003"}, Texts: []string{"data too long", "need ids or knowledge_ids"}, Kind: vendors.InvalidArgument},
		{Statuses: []int{http.StatusNotFound}, Kind: vendors.BadResponse},
		{Statuses: []int{http.StatusTooManyRequests}, Kind: vendors.RateLimited, After: time.Second},
		{Statuses: []int{5}, Kind: vendors.Unavailable},
		{Statuses: []int{http.StatusBadRequest}, Texts: []string{wantsType}, Kind: vendors.InvalidArgument, Mark: errMistyped},
		{Codes: []string{"105000000"}, Texts: []string{"caption"}, Kind: vendors.InvalidArgument, Mark: errNoCaptionModel},
		{Codes: []string{"4000", "4105", "4300", "4301", "4302", "4303", "4304", "105000000", "105000017"}, Kind: vendors.InvalidArgument},
		{Codes: []string{"4100", "700012006"}, Kind: vendors.Unauthenticated, Mark: errExpired},
		{Codes: []string{"4101"}, Texts: []string{"token*incorrect"}, Kind: vendors.Unauthenticated},
		{Codes: []string{"4101", "105000001"}, Kind: vendors.PermissionDenied, Mark: errForeign},
		{Codes: []string{"4102", "700012015"}, Kind: vendors.PermissionDenied},
		{Codes: []string{"105000009"}, Kind: vendors.Conflict, Mark: errQueueRefused},
		{Codes: []string{"105000010", "105000018"}, Kind: vendors.Conflict},
		{Codes: []string{"5000", "720701013"}, Kind: vendors.Unavailable},
		{Statuses: []int{http.StatusOK}, Codes: []string{studioCodes}, Kind: vendors.Unavailable},
	}
}

// studioCodes are the knowledge errors of coze-studio.
const studioCodes = "105*"

// head is the part of an answer that says whether it is an error.
type head struct {
	Code   rest.Num `json:"code"` // a number or a numeric string
	Msg    rest.Str `json:"msg"`
	Detail struct {
		LogID rest.Str `json:"logid"`
	} `json:"detail"`
	BaseResp json.RawMessage // there, as null, in studio's answers only
}

// code is the error's code, "" for none.
func (h *head) code() string {
	if h.Code.Int == 0 {
		return ""
	}
	return strconv.FormatInt(h.Code.Int, 10)
}

// reply is an answer that can be judged, with its payload.
type reply interface {
	envelope() *head
	given() bool
	atTop() any
}

// decode reads the body before it looks at the status, which is unreliable both
// ways: recorded answers carry 4101, 4200 and 4028 with HTTP 200. out is a reply.
func (d *Driver) decode(a rest.Answer, out any) error {
	r := out.(reply)
	malformed, mistyped := rest.Unmarshal(a, out)
	if malformed == nil && mistyped == nil && !r.given() {
		malformed, mistyped = rest.Unmarshal(a, r.atTop())
	}
	h := r.envelope()
	if malformed != nil {
		h.Msg = plain(a.Body)
	}
	d.dialect.observe(a, h)
	var e *vendors.Error
	switch {
	case h.code() != "" || a.Status >= 400:
		e = judge(a, h)
	case malformed != nil:
		e = malformed
	case mistyped != nil:
		e = mistyped
	case !r.given() && !h.Code.Valid:
		e = vendors.Errorf(vendors.BadResponse, "The answer is JSON, but not from Coze: it has no code.")
	case !r.given():
		e = vendors.Errorf(vendors.BadResponse, "Coze reported success without the data asked for.")
	default:
		return nil
	}
	e.VendorMessage, e.RequestID = rest.Text(string(h.Msg)), requestID(a, h)
	d.advise(e)
	return e
}

// judge is the error of a code that is not 0.
func judge(a rest.Answer, h *head) *vendors.Error {
	e := rest.Judge(rules(), a, h.code(), string(h.Msg))
	if e == nil {
		e = rest.ByStatus(a)
	}
	e.VendorCode = h.code()
	return e
}

// plain returns the text of a body that is not JSON: studio reports some
// mistakes in text/plain. A web page is dropped.
func plain(body []byte) rest.Str {
	if s := strings.TrimSpace(string(body)); !strings.HasPrefix(s, "<") && !strings.HasPrefix(s, "{") {
		return rest.Str(s)
	}
	return ""
}

// requestID is the platform's log id in the three places where it may stand.
func requestID(a rest.Answer, h *head) string {
	return rest.Text(cmp.Or(string(h.Detail.LogID), a.Header.Get("X-Tt-Logid"), a.Header.Get("X-Log-ID")))
}

// kindWords are what the errors of a kind say, where the rule does not. {thing} and
// {permission} are the endpoint's, the others the dialect's.
var kindWords = map[vendors.Kind]struct{ message, hint string }{
	vendors.InvalidArgument: {"Coze refused the request's arguments.",
		"Check the ids (list_knowledge_bases and list_documents give them) and the other arguments."},
	vendors.Unauthenticated:  {"Coze does not accept the credential of this connection.", "{credential}"},
	vendors.PermissionDenied: {"The credential of this connection may not do this on Coze.", "{needs}{origin}"},
	vendors.ErrNotFound: {"{thing} does not exist or is not accessible with this credential.",
		"Take ids from list_knowledge_bases and list_documents. {origin}"},
	vendors.RateLimited: {"Coze limits the rate of requests.",
		"Wait retry_after_seconds; ask for many documents in one call, or lower COZE_RATE_LIMIT."},
	vendors.QuotaExhausted: {"The plan of this Coze account is used up.",
		"Its owner must upgrade or renew the plan (the free one has 500 API calls in all); retrying will not help."},
	vendors.Unavailable: {"Coze failed to answer this request.",
		"Try again in a minute; on a coze-studio server look for request_id in its log."},
	vendors.Conflict: {"Coze refused this because of the present state of the data.",
		"Something of this name may exist or be in processing already: look with list_knowledge_bases or list_documents, then decide."},
	vendors.VendorError: {"Coze refused the request with a code that this version does not know.", ""},
}

const (
	wrongRoot  = "Check COZE_API_BASE: it must be the root of the API, such as https://api.coze.cn"
	studioRoot = "coze-studio has this API since 0.5.1: its owner must update an older server, and let a proxy before it pass /v1 and /open_api on. COZE_API_BASE is right when the server's web page opens there."

	// hostedOrigin: the two public hosts do not share tokens and ids.
	hostedOrigin = "COZE_API_BASE must be the host that issued the token and the ids (https://api.coze.cn or https://api.coze.com)."
	hostedToken  = "Make a new token on Coze and set COZE_API_TOKEN (a personal token lives at most 30 days, an OAuth token 15 minutes). " + hostedOrigin
	hostedNeeds  = "The token needs the permission {permission} and access to the space that holds the data. "
)

// dialectWords are what hints say of a server: what COZE_API_BASE must be, where
// tokens and ids are good, how to get another credential, what a token needs.
var dialectWords = [...]struct{ root, origin, credential, needs string }{
	undecided: {wrongRoot + ", or of a coze-studio server (0.5.1 or newer).", hostedOrigin, hostedToken, hostedNeeds},
	hosted:    {wrongRoot + ".", hostedOrigin, hostedToken, hostedNeeds},
	studio: {
		root:       "Check COZE_API_BASE: it must be the root of the coze-studio server, where its web page opens, and a proxy before it must pass /v1 and /open_api on.",
		origin:     "On a coze-studio server a token opens only what its own user has made.",
		credential: "Make a new token in the web page of the coze-studio server and set COZE_API_TOKEN; check that COZE_API_BASE is that server.",
	},
}

// origin says where tokens and ids are good.
func (d *Driver) origin() string { return dialectWords[d.dialect.is()].origin }

// advise completes an error with the words of its kind and of the dialect.
func (d *Driver) advise(e *vendors.Error) {
	dialect := dialectWords[d.dialect.is()]
	if d.tokens != nil {
		dialect.credential = oauth.Hint
	}
	missing := e.HTTPStatus == http.StatusNotFound || e.HTTPStatus == http.StatusMethodNotAllowed
	switch w, known := kindWords[e.Kind]; {
	case known:
		e.Message, e.Hint = w.message, w.hint
	case e.Kind == vendors.BadResponse && missing && d.studio():
		e.Kind, e.Hint = vendors.Unsupported, studioRoot
		e.Message = "This coze-studio server does not have this call, or a proxy before it does not pass it on."
	case e.Kind == vendors.BadResponse && missing:
		e.Message, e.Hint = "This server does not have the path of Coze's API.", dialect.root
	case e.Kind == vendors.BadResponse:
		e.Hint = dialect.root
	}
	e.Hint = strings.NewReplacer("{credential}", dialect.credential, "{origin}", dialect.origin, "{needs}", dialect.needs).Replace(e.Hint)
}

// noBase is the error for a knowledge base that no list shows.
func (d *Driver) noBase() *vendors.Error {
	return vendors.Errorf(vendors.ErrNotFound, "The knowledge base does not exist or is not accessible with this credential.").
		WithHint("Take the id from list_knowledge_bases; for one of another space set COZE_SPACE_ID to that space. " + d.origin())
}

func noDocument() *vendors.Error {
	return vendors.Errorf(vendors.ErrNotFound, "The document does not exist in this knowledge base or is not accessible with this credential.").
		WithHint("List the documents again: a web page that refreshes itself may get a new id with each refresh.")
}
