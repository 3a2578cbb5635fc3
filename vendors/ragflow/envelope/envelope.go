// Package envelope is how RAGFlow wraps its answers in every generation, and the
// table of its errors.
package envelope

import (
	"cmp"
	"encoding/json"
	"strconv"
	"strings"

	"kb-mcp/vendors"
	"kb-mcp/vendors/rest"
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

// code returns the code as it came, "" when the answer has none.
func (h head) code() string { return string(cmp.Or(h.Code, h.Retcode)) }

// Text gives the server's words; "" for none.
func (h head) Text() string { return string(cmp.Or(h.Message, h.Retmsg)) }

// old reports the envelope of v0.13 and before.
func (h head) old() bool { return h.Code == "" && h.Retcode != "" }

// codeNames are the numbers of the names in api/settings.py of v0.10.0.
var codeNames = map[string]string{
	"SUCCESS": "0", "EXCEPTION_ERROR": "100", "ARGUMENT_ERROR": "101", "DATA_ERROR": "102", "OPERATING_ERROR": "103",
	"CONNECTION_ERROR": "105", "PERMISSION_ERROR": "108", "AUTHENTICATION_ERROR": "109",
}

// plainCode returns the code as the table of errors has it: a whole number.
func (h head) plainCode() string {
	code := strings.TrimPrefix(h.code(), "RetCode.")
	if number, ok := codeNames[code]; ok {
		return number
	}
	if f, err := strconv.ParseFloat(code, 64); err == nil && f == float64(int(f)) {
		return strconv.Itoa(int(f))
	}
	return code
}

// Denied is the error of a success whose data say otherwise.
func (h head) Denied(format string, args ...any) *vendors.Error {
	e := vendors.Errorf(vendors.VendorError, format, args...)
	e.VendorCode, e.VendorMessage = h.code(), h.Text()
	return e
}

// Answer is an envelope with its payload; nil when there is none. Lists of
// knowledge bases have their total beside the data.
type Answer[T any] struct {
	head
	Total rest.Num `json:"total_datasets"`
	Data  *T       `json:"data"`
}

// Ack is the answer to a write: {"code":0} alone is a full success.
type Ack = Answer[json.RawMessage]

// reply is any answer.
type reply interface {
	envelope() head
	untyped() bool
	missing() bool
}

func (a *Answer[T]) envelope() head { return a.head }

// untyped reports that data of any type are data.
func (a *Answer[T]) untyped() bool { _, ok := any(a).(*Ack); return ok }

// missing allows for the null that Go writes for an empty list.
func (a *Answer[T]) missing() bool { return a.Data == nil && !a.Total.Valid && !a.untyped() }

// Payload gives the data; zero when there are none.
func (a *Answer[T]) Payload() (data T) {
	if a.Data != nil {
		data = *a.Data
	}
	return data
}

// What to do about a refused credential, in either generation.
const (
	KeyHint = "Check RAGFLOW_API_KEY: it takes an API key of this server (ragflow-...), " +
		"made in RAGFlow's web app under avatar > API. RAGFlow answers the same while its database is down."
	TokenHint = "RAGFlow 0.8 - 0.10 takes the web login token in RAGFLOW_API_KEY, not an API key. The user's next login " +
		"replaces it: copy it again from the browser's local storage (Authorization) and restart kb-mcp."
)

// Decoder is decode with a hint about a refused credential.
func Decoder(hint string) func(rest.Answer, any) error {
	return func(a rest.Answer, out any) error {
		if e := decode(a, out); e != nil {
			return vendors.HintFor(e, vendors.Unauthenticated, hint)
		}
		return nil
	}
}

// decode judges by HTTP status, then code, then the type of data. A download has
// no place for an answer, because it is a file unless it is an error.
func decode(a rest.Answer, place any) *vendors.Error {
	out, ok := place.(reply)
	if !ok {
		out = &Ack{}
	}
	malformed, mistyped := rest.Unmarshal(a, out)
	if malformed != nil {
		return unreadable(a, malformed)
	}
	h := out.envelope()
	switch code := h.plainCode(); {
	case a.Status >= 400 || code != "" && code != "0":
		return fault(a, h)
	case code == "":
		return address(rest.NotJSON(a, nil))
	case (mistyped != nil || out.untyped()) && refused(a):
		e := h.Denied(refusedText)
		e.Kind = vendors.Unauthenticated
		return e
	case mistyped != nil:
		return mistyped
	case out.missing():
		return NoPayload()
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
