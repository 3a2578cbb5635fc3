package sandbox

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
)

// volcFace is Volcengine's knowledge base service (VikingDB).
type volcFace struct {
	s   *Sandbox
	mux *http.ServeMux
	mu  sync.Mutex // held while something is looked for and then added
}

// newVolcengine serves /api/knowledge/..., where every call is a POST, and
// GET /ping, which the platform's own libraries ask first.
func newVolcengine(s *Sandbox) http.Handler {
	f := &volcFace{s: s, mux: http.NewServeMux()}
	for path, call := range map[string]volcCall{
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
	f.mux.HandleFunc("GET /ping", f.serve(func(volcInput) (object, *volcFailure) { return nil, nil }))
	// The gateway does not answer in JSON for a path or method that it lacks.
	f.mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		writeRaw(w, http.StatusNotFound, "text/plain", "404 page not found")
	})
	return f.mux
}

// volcCall is one operation: the answer's data (nil: it has none), or what the
// platform refuses.
type volcCall func(in volcInput) (object, *volcFailure)

// volcFailure is an error in the platform's words.
type volcFailure struct {
	status, code int
	message      string
}

func volcInvalid(format string, args ...any) *volcFailure {
	return &volcFailure{http.StatusBadRequest, 1000003, "invalid request: " + fmt.Sprintf(format, args...)}
}

func volcNoCollection() *volcFailure {
	return &volcFailure{http.StatusBadRequest, 1000005, "collection not exist"}
}

func volcNoDocument() *volcFailure {
	return &volcFailure{http.StatusBadRequest, 1001001, "doc not exist"}
}

func volcNoPoint() *volcFailure {
	return &volcFailure{http.StatusBadRequest, 1002001, "point not exist"}
}

// serve wraps an operation: credential, quota, body, envelope.
func (f *volcFace) serve(call volcCall) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		// A driver names the clock's skew from the answer's Date, so the header
		// has to come from the sandbox's clock and not from net/http's.
		now := f.s.now()
		w.Header().Set("Date", now.UTC().Format(http.TimeFormat))
		id := fmt.Sprintf("02%013d%s", now.UnixMilli(), fingerprint(r, now)[:36])
		data, wrong := f.answer(r, call)
		if wrong != nil {
			writeJSON(w, wrong.status, object{"code": wrong.code, "message": wrong.message, "request_id": id})
			return
		}
		out := object{"code": 0, "message": "success", "request_id": id}
		if data != nil {
			out["data"] = data
		}
		writeJSON(w, http.StatusOK, out)
	}
}

func (f *volcFace) answer(r *http.Request, call volcCall) (object, *volcFailure) {
	raw, ok := body(r)
	if !ok {
		return nil, volcInvalid("body too large")
	}
	if wrong := f.authenticate(r, raw); wrong != nil {
		return nil, wrong
	}
	if f.s.limited(FaceVolcengine, false) {
		return nil, &volcFailure{http.StatusTooManyRequests, 1000029, "request rate limit exceeded"}
	}
	var in volcInput
	if r.Method == http.MethodPost {
		var wrong *volcFailure
		if in, wrong = parseVolcInput(raw); wrong != nil {
			return nil, wrong
		}
	}
	return call(in)
}

// authenticate takes a Bearer API key or a signature. What is wrong with a
// signature is not told, as on the platform.
func (f *volcFace) authenticate(r *http.Request, raw []byte) *volcFailure {
	if key, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		switch key {
		case VolcengineAPIKey:
			return nil
		case VolcengineAPIKeyNoRights:
			return &volcFailure{http.StatusForbidden, 1000002, "no permission"}
		}
	} else if verifyVolcSignature(r, raw, volcKeys(), f.s.now()) == nil {
		return nil
	}
	return &volcFailure{http.StatusUnauthorized, 1000001, "unauthorized"}
}

// volcKeys is the pairs that may sign; the first one also as a temporary pair.
func volcKeys() []volcKey {
	return []volcKey{
		{AccessKey: VolcengineAccessKey, SecretKey: VolcengineSecretKey},
		{AccessKey: VolcengineAccessKey, SecretKey: VolcengineSecretKey, Token: VolcengineSessionToken},
		{AccessKey: VolcengineAccessKey2, SecretKey: VolcengineSecretKey2},
	}
}
