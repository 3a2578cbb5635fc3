// Package volcengine speaks the API of Volcengine's knowledge base service
// (VikingDB), and checks its signatures.
package volcengine

import (
	"fmt"
	"net/http"
	"strings"
	"sync"

	"kb-mcp/vendors/sandbox/internal/web"
	"kb-mcp/vendors/sandbox/world"
)

// object is a JSON object whose keys come out sorted, hence always the same.
type object = map[string]any

// face is Volcengine's knowledge base service (VikingDB).
type face struct {
	s   *world.Side
	mux *http.ServeMux
	mu  sync.Mutex // held while something is looked for and then added
}

// Name is the face's name.
const Name = "volcengine"

// New serves /api/knowledge/..., where every call is a POST, and
// GET /ping, which the platform's own libraries ask first.
func New(w *world.World) http.Handler {
	f := &face{s: w.Side(world.Volcengine), mux: http.NewServeMux()}
	for path, call := range map[string]operation{
		"collection/list":             f.listCollections,
		"collection/info":             f.collectionInfo,
		"collection/create":           f.createCollection,
		"collection/update":           f.updateCollection,
		"collection/delete":           f.deleteCollection,
		"collection/search":           f.searchCollection,
		"collection/search_knowledge": f.searchKnowledge,
		"doc/info":                    f.documentInfo,
		"doc/list":                    f.listDocuments,
		"doc/v2/list":                 f.listDocumentsV2,
		"doc/add":                     f.addDocumentV1,
		"doc/v2/add":                  f.addDocumentV2,
		"doc/update":                  f.renameDocument,
		"doc/update_meta":             f.updateMeta,
		"doc/delete":                  f.deleteDocument,
		"doc/v2/search_by_filter":     f.searchByFilter,
		"point/list":                  f.listPoints,
		"point/info":                  f.pointInfo,
		"point/add":                   f.addPoint,
		"point/update":                f.updatePoint,
		"point/delete":                f.deletePoint,
	} {
		f.mux.HandleFunc("POST /api/knowledge/"+path, f.serve(call))
	}
	f.mux.HandleFunc("GET /ping", f.serve(func(input) object { return nil }))
	// The gateway does not answer in JSON for a path or method that it lacks.
	f.mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		web.WriteRaw(w, http.StatusNotFound, "text/plain", "404 page not found")
	})
	return f.mux
}

// operation gives the answer's data; nil: it has none.
type operation func(in input) object

// failure is an error in the platform's words.
type failure struct {
	status, code int
	message      string
}

func invalid(format string, args ...any) *failure {
	return &failure{http.StatusBadRequest, 1000003, "invalid request: " + fmt.Sprintf(format, args...)}
}

// serve wraps an operation: credential, quota, body, envelope. An operation that
// refuses panics with its failure.
func (f *face) serve(call operation) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		// A driver names the clock's skew from the answer's Date, so the header
		// has to come from the sandbox's clock and not from net/http's.
		now := f.s.Now()
		w.Header().Set("Date", now.UTC().Format(http.TimeFormat))
		id := fmt.Sprintf("02%013d%s", now.UnixMilli(), web.Fingerprint(r, now)[:36])
		data, wrong := f.answer(r, call)
		if wrong != nil {
			web.WriteJSON(w, wrong.status, object{"code": wrong.code, "message": wrong.message, "request_id": id})
			return
		}
		out := object{"code": 0, "message": "success", "request_id": id}
		if data != nil {
			out["data"] = data
		}
		web.WriteJSON(w, http.StatusOK, out)
	}
}

func (f *face) answer(r *http.Request, call operation) (data object, wrong *failure) {
	defer web.Catch(&wrong)
	raw, ok := web.Body(r)
	if !ok {
		panic(invalid("body too large"))
	}
	f.authenticate(r, raw)
	if f.s.Limited(Name, false) {
		panic(&failure{http.StatusTooManyRequests, 1000029, "request rate limit exceeded"})
	}
	var in input
	if r.Method == http.MethodPost {
		in = parseInput(raw)
	}
	return call(in), nil
}

// authenticate takes a Bearer API key or a signature. What is wrong with a
// signature is not told, as on the platform.
func (f *face) authenticate(r *http.Request, raw []byte) {
	if key, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		switch key {
		case APIKey:
			return
		case APIKeyNoRights:
			panic(&failure{http.StatusForbidden, 1000002, "no permission"})
		}
	} else if verify(r, raw, keys(), f.s.Now()) == nil {
		return
	}
	panic(&failure{http.StatusUnauthorized, 1000001, "unauthorized"})
}

// keys is the pairs that may sign; the first one also as a temporary pair.
func keys() []keyPair {
	return []keyPair{
		{AccessKey: AccessKey, SecretKey: SecretKey},
		{AccessKey: AccessKey, SecretKey: SecretKey, Token: SessionToken},
		{AccessKey: AccessKey2, SecretKey: SecretKey2},
	}
}
