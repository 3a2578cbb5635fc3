package coze

import (
	"encoding/json"
	"errors"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"time"

	"kb-mcp/vendors"
	"kb-mcp/vendors/rest"
)

// head is the part of an answer that judges it.
type head struct {
	Code   rest.Num `json:"code"` // a number or a numeric string
	Msg    rest.Str `json:"msg"`
	Detail struct {
		LogID rest.Str `json:"logid"`
	} `json:"detail"`
	BaseResp json.RawMessage // there, as null, in studio's answers only
}

func (h *head) envelope() *head { return h }

// reply is an answer that can be judged, with its payload.
type reply interface {
	envelope() *head
	given() bool    // the payload is there
	about() subject // for the words of an error
}

// subject is what a call was about.
type subject struct {
	thing      string // what not_found speaks of
	permission string // what the token needs
}

// decode reads the body before it looks at the status, which is unreliable both
// ways: recorded answers carry 4101, 4200 and 4028 with HTTP 200. out is a reply.
func (d *Driver) decode(a rest.Answer, out any) error {
	r := out.(reply)
	reflect.ValueOf(out).Elem().SetZero() // a try before may have left something
	broken, odd := rest.Unmarshal(a, out)
	h := r.envelope()
	if broken != nil {
		h.Msg = plain(a.Body)
	}
	d.speech.hear(a, h)
	var e *vendors.Error
	switch {
	case h.Code.Valid && h.Code.Int != 0:
		e = refusal(a, h)
	case a.Status >= 400:
		e = rest.ByStatus(a)
	case broken != nil:
		e = broken
	case odd != nil:
		e = odd
	case !r.given() && !h.Code.Valid:
		e = vendors.Errorf(vendors.BadResponse, "The answer is JSON, but not of Coze: it has no code.")
	case !r.given():
		e = vendors.Errorf(vendors.BadResponse, "Coze reported success without the data asked for.")
	default:
		return nil
	}
	e.VendorMessage, e.RequestID = rest.Text(string(h.Msg)), requestID(a, h)
	d.advise(e, r.about())
	return e
}

// plain is the text of a body that is not JSON: studio explains some mistakes
// in text/plain. A web page explains nothing.
func plain(body []byte) rest.Str {
	if s := strings.TrimSpace(string(body)); !strings.HasPrefix(s, "<") && !strings.HasPrefix(s, "{") {
		return rest.Str(s)
	}
	return ""
}

// requestID is the platform's log id in the three places it may stand.
func requestID(a rest.Answer, h *head) string {
	for _, id := range []string{string(h.Detail.LogID), a.Header.Get("X-Tt-Logid"), a.Header.Get("X-Log-ID")} {
		if id != "" {
			return rest.Text(id)
		}
	}
	return ""
}

// refusal is the error of a code that is not 0.
func refusal(a rest.Answer, h *head) *vendors.Error {
	e := rest.ByStatus(a) // its words, where advise has none
	e.Kind, e.VendorCode = kindOf(h.Code.Int, a, string(h.Msg)), strconv.FormatInt(h.Code.Int, 10)
	return e
}

// kindOf classifies a code. Three groups count whatever the status; then 404,
// 429 and 500 and above, which also come with codes that mean less (a gateway's
// or a broken server's 401 is not about the token); then the other codes.
func kindOf(code int64, a rest.Answer, msg string) vendors.Kind {
	switch code {
	case 4200, 105000011, 105000012:
		return vendors.ErrNotFound
	case 4008, 4011, 4019, 4022, 4027, 4028, 6003, 702082020, 702095072:
		return vendors.QuotaExhausted
	case 4009, 4013, 4020:
		return vendors.RateLimited
	}
	switch {
	case sessionWanted(msg):
		return vendors.Unsupported
	case code == 105000003 && (strings.Contains(msg, "Data too long") || strings.Contains(msg, "need ids or knowledge_ids")):
		return vendors.InvalidArgument // the database's words on an argument
	}
	if a.Status == http.StatusNotFound || a.Status == http.StatusTooManyRequests || a.Status >= 500 {
		return rest.ByStatus(a).Kind
	}
	switch code {
	case 4000, 4105, 4300, 4301, 4302, 4303, 4304, 105000000, 105000017:
		return vendors.InvalidArgument
	case 4100, 700012006:
		return vendors.Unauthenticated
	case 4101:
		return wrongOrForbidden(msg)
	case 4102, 700012015, 105000001:
		return vendors.PermissionDenied
	case 105000010, 105000018, queueRefused:
		return vendors.Conflict
	case 5000, 720701013:
		return vendors.Unavailable
	}
	switch {
	case a.Status >= 400:
		return rest.ByStatus(a).Kind
	case studioCode(code):
		return vendors.Unavailable
	}
	return vendors.VendorError
}

// wrongOrForbidden splits 4101, which stands for a wrong token ("The token you
// entered is incorrect") and for a missing right.
func wrongOrForbidden(msg string) vendors.Kind {
	if msg = strings.ToLower(msg); strings.Contains(msg, "token") && strings.Contains(msg, "incorrect") {
		return vendors.Unauthenticated
	}
	return vendors.PermissionDenied
}

// sessionWanted recognises how studio turns away a call that its API does not
// open to tokens: it asks for the cookie of its web page, good token or not.
func sessionWanted(msg string) bool { return strings.Contains(msg, "session_key in cookie") }

const (
	wrongRoot  = "Check COZE_API_BASE: it must be the root of the API, such as https://api.coze.cn"
	studioRoot = "coze-studio has this API since 0.5.1: its owner must update an older server, and let a proxy before it pass /v1 and /open_api on. COZE_API_BASE is right when the server's web page opens there."
)

// root says what COZE_API_BASE must be.
func (d *Driver) root() string {
	switch d.speech.is() {
	case hosted:
		return wrongRoot + "."
	case studio:
		return "Check COZE_API_BASE: it must be the root of the coze-studio server, where its web page opens, and a proxy before it must pass /v1 and /open_api on."
	}
	return wrongRoot + ", or of a coze-studio server (0.5.1 or newer)."
}

// origin says where tokens and ids are good: the two public hosts have separate
// ones, and on studio each user sees only what is his own.
func (d *Driver) origin() string {
	if d.speech.isStudio() {
		return "On a coze-studio server a token opens only what its own user has made."
	}
	return "COZE_API_BASE must be the host that issued the token and the ids (https://api.coze.cn or https://api.coze.com)."
}

// closed recognises an answer that says nothing of the credential or the
// arguments: on a studio server the call is not there, or not for tokens.
func (d *Driver) closed(e *vendors.Error) bool {
	switch {
	case sessionWanted(e.VendorMessage) && e.VendorCode == "700012006":
		e.Message = "This coze-studio server has no knowledge API for tokens, because it is older than 0.5.1; the token may be right."
	case sessionWanted(e.VendorMessage):
		e.Message = "This coze-studio server does not open this call to API tokens; the token may be right."
	case d.speech.isStudio() && e.Kind == vendors.BadResponse && (e.HTTPStatus == http.StatusNotFound || e.HTTPStatus == http.StatusMethodNotAllowed):
		e.Message = "This coze-studio server does not have this call, or a proxy before it does not pass it on."
	default:
		return false
	}
	e.Kind, e.Hint = vendors.Unsupported, studioRoot
	return true
}

// advise completes an error with words for a person and what to do.
func (d *Driver) advise(e *vendors.Error, s subject) {
	if d.closed(e) {
		return
	}
	switch e.Kind {
	case vendors.InvalidArgument:
		e.Message = "Coze refused the request's arguments."
		e.Hint = "Check the ids (list_knowledge_bases and list_documents give them) and the other arguments."
	case vendors.Unauthenticated:
		e.Message = "Coze does not accept the credential of this connection."
		e.Hint = d.credentialHint()
	case vendors.PermissionDenied:
		e.Message = "The credential of this connection may not do this on Coze."
		e.Hint = d.origin()
		if !d.speech.isStudio() {
			e.Hint = "The token needs the permission " + s.permission + " and access to the space that holds the data. " + e.Hint
		}
	case vendors.ErrNotFound:
		if e.VendorCode == "105000012" {
			s.thing = "The document"
		}
		e.Message = s.thing + " does not exist or is not accessible with this credential."
		e.Hint = "Take ids from list_knowledge_bases and list_documents. " + d.origin()
	case vendors.RateLimited:
		e.Message, e.After = "Coze limits the rate of requests.", time.Second // no retry header was ever seen
		e.Hint = "Wait retry_after_seconds; ask for many documents in one call, or lower COZE_RATE_LIMIT."
	case vendors.QuotaExhausted:
		e.Message = "The plan of this Coze account is used up."
		e.Hint = "Its owner must upgrade or renew the plan (the free one has 500 API calls in all); retrying will not help."
	case vendors.Unavailable:
		e.Message = "Coze failed to answer this request."
		e.Hint = "Try again in a minute; on a coze-studio server look for request_id in its log."
	case vendors.Conflict:
		e.Message = "Coze refused this because of the present state of the data."
		e.Hint = "Something of this name may be there already, or at work: look with list_knowledge_bases or list_documents, then decide."
	case vendors.VendorError:
		e.Message = "Coze refused the request with a code that this version does not know."
	case vendors.BadResponse:
		if e.HTTPStatus == http.StatusNotFound || e.HTTPStatus == http.StatusMethodNotAllowed {
			e.Message = "This server does not have the path of Coze's API."
		}
		e.Hint = d.root()
	}
}

// credentialHint names the variables that hold the credential.
func (d *Driver) credentialHint() string {
	if d.tokens != nil {
		return appHint
	}
	if d.speech.isStudio() {
		return "Make a new token in the web page of the coze-studio server and set COZE_API_TOKEN; check that COZE_API_BASE is that server."
	}
	return "Make a new token on Coze and set COZE_API_TOKEN (a personal token lives at most 30 days, an OAuth token 15 minutes). " + d.origin()
}

// refusedToken reports whether an error may be an access token that expired.
func refusedToken(err error) bool {
	return vendors.KindOf(err) == vendors.Unauthenticated && (hasCode(err, 4100) || hasCode(err, 700012006))
}

// hasCode reports whether an error came with one of Coze's codes.
func hasCode(err error, code int64) bool {
	var e *vendors.Error
	return errors.As(err, &e) && e.VendorCode == strconv.FormatInt(code, 10)
}
