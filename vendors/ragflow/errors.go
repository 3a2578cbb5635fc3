package ragflow

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"kb-mcp/vendors"
	"kb-mcp/vendors/rest"
)

// Marks on errors that are answers to some questions.
var (
	errNoDataset  = errors.New("the server does not know this knowledge base, or not for this account")
	errNoDocument = errors.New("the server does not know this document")
	errNoChunk    = errors.New("the account has no chunk") // nothing was ever parsed
	errEmptyFile  = errors.New("the file is empty")
	errFilter     = errors.New("the server does not filter by this word")
	errModel      = errors.New("a model is missing")
	errInside     = errors.New("the server gives no reason that is known")
	errQueue      = errors.New("the queue of parsing is away")
	errEmptyKB    = errors.New("the knowledge base has no document") // an error in v0.14 - v0.16
	errBeyondEnd  = errors.New("the offset is behind the last row")  // an exception in the preview
	errMethod     = errors.New("the path does not have this method")
	errPipeline   = errors.New("the knowledge base parses with a pipeline") // v0.26.3
	errNoFile     = errors.New("the server saw no file in the upload")
	errNameError  = errors.New("the server's own start of parsing is broken") // v0.9.0, v0.10.0
)

// head is the envelope of every answer. Most use code and message, the
// preview's errors outside its own handlers retcode and retmsg; either text may
// be a number, the code a numeric string or a name of that era's enumeration.
type head struct {
	Code    rest.Str `json:"code"`
	Retcode rest.Str `json:"retcode"`
	Message rest.Str `json:"message"`
	Retmsg  rest.Str `json:"retmsg"`
}

// answer is an envelope with its payload; nil when there is none. Lists of
// knowledge bases have their total beside the data.
type answer[T any] struct {
	head
	Total rest.Num `json:"total_datasets"`
	Data  *T       `json:"data"`
}

// reply is any answer.
type reply interface {
	reset() // a try before may have left something
	envelope() head
	missing() bool
}

func (a *answer[T]) reset()         { *a = answer[T]{} }
func (a *answer[T]) envelope() head { return a.head }

// missing allows for the null that Go writes for an empty list.
func (a *answer[T]) missing() bool { return a.Data == nil && !a.Total.Valid }

func (a *answer[T]) payload() (data T) {
	if a.Data != nil {
		data = *a.Data
	}
	return data
}

// ack is the answer to a write: {"code":0} alone is a full success.
type ack struct {
	head
	Data json.RawMessage `json:"data"`
}

func (a *ack) reset()         { *a = ack{} }
func (a *ack) envelope() head { return a.head }
func (a *ack) missing() bool  { return false }

// bare reports that an answer of any type is taken, so that data:false does not
// stand out by its type.
func bare(out reply) bool { _, ok := out.(*ack); return ok }

// code gives the code as it came, "" when the answer has none.
func (h head) code() string {
	if h.Code != "" {
		return string(h.Code)
	}
	return string(h.Retcode)
}

func (h head) text() string {
	if h.Message != "" {
		return string(h.Message)
	}
	return string(h.Retmsg)
}

// old reports the envelope of v0.13 and before.
func (h head) old() bool { return h.Code == "" && h.Retcode != "" }

// number reads a code; -1 is one that this version does not know.
func number(code string) int {
	if f, err := strconv.ParseFloat(code, 64); err == nil && f == float64(int(f)) {
		return int(f)
	}
	switch strings.TrimPrefix(code, "RetCode.") { // api/settings.py@v0.10.0
	case "SUCCESS":
		return 0
	case "EXCEPTION_ERROR":
		return 100
	case "ARGUMENT_ERROR":
		return 101
	case "DATA_ERROR":
		return 102
	case "OPERATING_ERROR":
		return 103
	case "CONNECTION_ERROR":
		return 105
	case "PERMISSION_ERROR":
		return 108
	case "AUTHENTICATION_ERROR":
		return 109
	}
	return -1
}

// into is where an answer goes: a download's has no place, because it is a file
// unless it is an error.
func into(out any) reply {
	if r, ok := out.(reply); ok {
		return r
	}
	return &ack{}
}

func decodeCurrent(a rest.Answer, out any) error {
	return hinted(decode(a, into(out)), "Check RAGFLOW_API_KEY: it takes an API key of this server (ragflow-...), "+
		"made in RAGFlow's web app under avatar > API. RAGFlow answers the same while its database is down.")
}

func decodePreview(a rest.Answer, out any) error {
	return hinted(decode(a, into(out)), "RAGFlow 0.8 - 0.10 takes the web login token in RAGFLOW_API_KEY, not an API key. The user's next login "+
		"replaces it: copy it again from the browser's local storage (Authorization) and restart kb-mcp.")
}

// hinted tells what to do about a refused credential, which differs between the
// generations. It also turns a nil *Error into a nil error.
func hinted(e *vendors.Error, hint string) error {
	switch {
	case e == nil:
		return nil
	case e.Kind == vendors.Unauthenticated:
		e.Hint = hint
	}
	return e
}

// decode judges by HTTP status, then code, then the type of data.
func decode(a rest.Answer, out reply) *vendors.Error {
	out.reset()
	broken, odd := rest.Unmarshal(a, out)
	if broken != nil {
		return unreadable(a, broken)
	}
	h := out.envelope()
	if code := h.code(); a.Status >= 400 || code != "" && number(code) != 0 {
		return fault(a, h)
	}
	switch {
	case h.code() == "":
		return address(rest.NotJSON(a, nil))
	case (odd != nil || bare(out)) && refused(a):
		e := vendors.Errorf(vendors.Unauthenticated, "RAGFlow refused the credential.")
		e.VendorCode, e.VendorMessage = h.code(), h.text()
		return e
	case odd != nil:
		return odd
	case out.missing():
		return noPayload()
	}
	return nil
}

// refused reports data:false, with which v0.15.1 - v0.24 refuse a credential
// under code 0.
func refused(a rest.Answer) bool {
	var v struct {
		Data *bool `json:"data"`
	}
	return json.Unmarshal(a.Body, &v) == nil && v.Data != nil && !*v.Data
}

// unreadable judges an answer that is no JSON: a proxy's page under a status
// that says it all, or the web app, which answers every path it does not know.
func unreadable(a rest.Answer, broken *vendors.Error) *vendors.Error {
	switch s := a.Status; {
	case s == http.StatusTooManyRequests:
		return rest.ByStatus(a).WithHint("A proxy before RAGFlow limits requests: set RAGFLOW_RATE_LIMIT below its limit.")
	case s == http.StatusRequestEntityTooLarge:
		e := vendors.Errorf(vendors.InvalidArgument, tooLargeText).WithHint(tooLargeHint)
		e.HTTPStatus = s
		return e
	case s == http.StatusUnauthorized, s == http.StatusForbidden, s == http.StatusRequestTimeout, s >= 500:
		return rest.ByStatus(a)
	}
	return address(broken)
}

func address(e *vendors.Error) *vendors.Error {
	return e.WithHint("Set RAGFLOW_BASE_URL to the server's root (usual ports 9380 and 80), without the path of a page.")
}

func noPayload() *vendors.Error {
	e := vendors.Errorf(vendors.BadResponse, "RAGFlow's answer has no data although it says success.")
	e.HTTPStatus, e.Effect = http.StatusOK, vendors.UnknownEffect
	return e
}

// fault explains an answer that is no success.
func fault(a rest.Answer, h head) *vendors.Error {
	e := classify(a, number(h.code()), h)
	e.HTTPStatus, e.VendorCode, e.VendorMessage = a.Status, h.code(), h.text()
	if h.old() && e.Err == nil {
		e.Err = errOldEnvelope
	}
	return e
}
