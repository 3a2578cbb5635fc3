package ragflow

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"

	"kb-mcp/vendors"
	"kb-mcp/vendors/rest"
)

// generation is a state of RAGFlow's API.
type generation int32

const (
	auto    generation = iota + 1 // ask the server
	current                       // v0.14 and newer
	preview                       // v0.8 - v0.10
)

// server is a RAGFlow server in one generation.
type server struct {
	rc *rest.Client
	generation
}

// path is the path of the knowledge bases, or to something below them.
func (s server) path(below ...string) []string {
	root := "datasets"
	if s.generation == preview {
		root = "dataset"
	}
	return append([]string{"api", "v1", root}, below...)
}

// send makes a write. Setting something twice does no harm.
func (s server) send(ctx context.Context, method string, body any, below ...string) (out ack, err error) {
	call := rest.Call{Method: method, Path: s.path(below...), Body: body, Write: rest.Once}
	if method == http.MethodPut || method == http.MethodPatch {
		call.Write = rest.Repeatable
	}
	err = s.rc.Do(ctx, call, &out)
	return out, err
}

// currentAPI speaks to v0.14 and newer (http_api_reference.md, "Dataset
// management" and "File management within dataset").
type currentAPI struct {
	server
	*memory
}

// memory is what has been found out about a server's current API. It is the
// server's word until it is upgraded, and then found out again.
type memory struct {
	put       atomic.Bool  // documents are updated with PUT: v0.24 and before
	ownSearch atomic.Bool  // knowledge bases have their own search: Go back end
	ids       atomic.Bool  // documents can be listed by `ids`: v0.25.1 and later
	words     atomic.Int32 // the [wording] of its filter
	noSummary atomic.Bool  // it has no summary of a knowledge base
}

// previewAPI speaks to v0.8 - v0.10 (ragflow_api.md@v0.10.0, and
// api/apps/dataset_api.py where that document is wrong).
type previewAPI struct {
	server
	broken *atomic.Bool // the server cannot start parsing
}

// request makes a call in the server's generation.
//
// As long as that is unknown, the call itself is the first step of detection:
// nearly every server is a current one, so a current request goes out, and only
// an answer of another API (no such path, or the old envelope) costs a look at
// the preview's path. Nothing is remembered before a server has answered.
func request[T any](ctx context.Context, d *Driver, call func(api) (T, error)) (T, error) {
	g := d.generation()
	if g == preview {
		out, err := call(d.before)
		return out, d.learn(preview, err)
	}
	out, err := call(d.now)
	foreign := errors.Is(err, errRouteAbsent) || errors.Is(err, errOldEnvelope)
	if g == current || !foreign {
		return out, d.learn(current, err)
	}
	if err := d.detect(ctx); err != nil {
		var none T
		return none, err
	}
	return call(d.before)
}

// generation is the one that is configured, or that has answered; 0 before.
func (d *Driver) generation() generation {
	if d.configured != auto {
		return d.configured
	}
	return generation(d.found.Load())
}

// learn remembers the generation that answered, and says what a missing path
// means: on the first call a wrong address, later something the server cannot do.
func (d *Driver) learn(g generation, err error) error {
	if !errors.Is(err, errRouteAbsent) {
		if err == nil || vendors.Answered(err) {
			d.found.Store(int32(g))
		}
		return err
	}
	if d.found.Swap(0) != 0 { // upgraded, perhaps: look again at the next call
		return err
	}
	return reworded(err, vendors.BadResponse, "At this address there is no RAGFlow server of the configured generation.",
		"Check that RAGFLOW_BASE_URL is the server's root, and leave RAGFLOW_API_GENERATION at auto.")
}

// detect asks whether a server without the current API has the preview's, one
// caller at a time. No error means that it has.
func (d *Driver) detect(ctx context.Context) error {
	select {
	case d.probing <- struct{}{}:
		defer func() { <-d.probing }()
	case <-ctx.Done():
		return vendors.Errorf(vendors.Timeout, "The call ended before the server's version was known.")
	}
	if generation(d.found.Load()) == preview {
		return nil
	}
	var out answer[[]dataset]
	err := d.before.rc.Do(ctx, rest.Call{Method: http.MethodGet, Path: d.before.path(), Query: url.Values{"count": {"1"}}}, &out)
	switch kind := vendors.KindOf(err); {
	case err == nil, kind == vendors.Unauthenticated: // then the credential is the wrong one for it
		d.found.Store(int32(preview))
	case kind == vendors.Unsupported: // no such path, or not with GET
		return reworded(err, kind, "This server has neither RAGFlow's current API nor that of versions 0.8 - 0.10: kb-mcp needs RAGFlow 0.14 or newer.",
			"Upgrade RAGFlow to 0.14 or newer; or, if it is, check that RAGFLOW_BASE_URL is the server's root.")
	}
	return err
}

// head is the envelope of every answer. Most use code and message, the
// preview's errors outside its own handlers retcode and retmsg; either text may
// be a number, the code a numeric string or a name of that era's enumeration.
type head struct {
	Code    rest.Str `json:"code"`
	Retcode rest.Str `json:"retcode"`
	Message rest.Str `json:"message"`
	Retmsg  rest.Str `json:"retmsg"`
}

// code gives the code as it came, "" when the answer has none.
func (h head) code() string { return string(cmp.Or(h.Code, h.Retcode)) }

func (h head) text() string { return string(cmp.Or(h.Message, h.Retmsg)) }

// old reports the envelope of v0.13 and before.
func (h head) old() bool { return h.Code == "" && h.Retcode != "" }

// codeNames are the numbers of the names in api/settings.py of v0.10.0.
var codeNames = map[string]string{
	"SUCCESS": "0", "EXCEPTION_ERROR": "100", "ARGUMENT_ERROR": "101", "DATA_ERROR": "102", "OPERATING_ERROR": "103",
	"CONNECTION_ERROR": "105", "PERMISSION_ERROR": "108", "AUTHENTICATION_ERROR": "109",
}

// plainCode gives the code as the table of errors has it: a whole number.
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

// denied is the error of a success whose data say otherwise.
func (h head) denied(format string, args ...any) *vendors.Error {
	e := vendors.Errorf(vendors.VendorError, format, args...)
	e.VendorCode, e.VendorMessage = h.code(), h.text()
	return e
}

// answer is an envelope with its payload; nil when there is none. Lists of
// knowledge bases have their total beside the data.
type answer[T any] struct {
	head
	Total rest.Num `json:"total_datasets"`
	Data  *T       `json:"data"`
}

// ack is the answer to a write: {"code":0} alone is a full success.
type ack = answer[json.RawMessage]

// reply is any answer.
type reply interface {
	envelope() head
	untyped() bool
	missing() bool
}

func (a *answer[T]) envelope() head { return a.head }

// untyped reports that data of any type are data.
func (a *answer[T]) untyped() bool { _, ok := any(a).(*ack); return ok }

// missing allows for the null that Go writes for an empty list.
func (a *answer[T]) missing() bool { return a.Data == nil && !a.Total.Valid && !a.untyped() }

func (a *answer[T]) payload() (data T) {
	if a.Data != nil {
		data = *a.Data
	}
	return data
}

// What to do about a refused credential, in either generation.
const (
	keyHint = "Check RAGFLOW_API_KEY: it takes an API key of this server (ragflow-...), " +
		"made in RAGFlow's web app under avatar > API. RAGFlow answers the same while its database is down."
	tokenHint = "RAGFlow 0.8 - 0.10 takes the web login token in RAGFLOW_API_KEY, not an API key. The user's next login " +
		"replaces it: copy it again from the browser's local storage (Authorization) and restart kb-mcp."
)

// decoder is decode with a hint about a refused credential.
func decoder(hint string) func(rest.Answer, any) error {
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
		out = &ack{}
	}
	broken, mistyped := rest.Unmarshal(a, out)
	if broken != nil {
		return unreadable(a, broken)
	}
	h := out.envelope()
	switch code := h.plainCode(); {
	case a.Status >= 400 || code != "" && code != "0":
		return fault(a, h)
	case code == "":
		return address(rest.NotJSON(a, nil))
	case (mistyped != nil || out.untyped()) && refused(a):
		e := h.denied(refusedText)
		e.Kind = vendors.Unauthenticated
		return e
	case mistyped != nil:
		return mistyped
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
