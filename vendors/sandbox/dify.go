package sandbox

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// difyVersion is the server that the face behaves like.
const difyVersion = "1.17.1"

// difyHTML is what Dify answers to a path that no route has, which includes a
// malformed id: HTML, before any key is looked at.
const difyHTML = `<!doctype html>
<html lang=en>
<title>404 Not Found</title>
<h1>Not Found</h1>
<p>The requested URL was not found on the server. If you entered the URL manually please check your spelling and try again.</p>
`

// difyFace is Dify's knowledge service API.
type difyFace struct{ s *Sandbox }

func newDify(s *Sandbox) http.Handler { return &difyFace{s} }

// difyReply is a status and the body to send as JSON.
type difyReply struct {
	status int
	body   any
}

// difyError is the shape of every JSON error.
func difyError(status int, code, message string) difyReply {
	return difyReply{status, object{"code": code, "message": message, "status": status}}
}

// difyCall is one route, found: by method, what it does with the knowledge base
// that the path names (nil where it names none).
type difyCall map[string]func(*http.Request, *KnowledgeBase) difyReply

// ServeHTTP checks in Dify's order: path, method, key, rate, knowledge base,
// its API access, and only then the operation.
func (f *difyFace) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Version", difyVersion)
	w.Header().Set("X-Env", "PRODUCTION")
	if r.URL.Path == "/" {
		writeJSON(w, 200, object{"welcome": "Dify OpenAPI", "api_version": "v1", "server_version": difyVersion})
		return
	}
	call, kb, ok := f.route(r.URL.Path)
	if !ok {
		writeRaw(w, 404, "text/html; charset=utf-8", difyHTML)
		return
	}
	reply := f.reply(r, call, kb)
	if reply.body == nil {
		w.WriteHeader(reply.status)
		return
	}
	writeJSON(w, reply.status, reply.body)
}

// route finds the call of a path, and the id of its knowledge base.
func (f *difyFace) route(path string) (call difyCall, kb string, ok bool) {
	part := strings.Split(strings.TrimPrefix(path, "/"), "/")
	if part[0] != "datasets" || len(part) > 1 && !isUUID(part[1]) {
		return call, "", false
	}
	if len(part) == 1 {
		return difyCall{http.MethodGet: f.datasets, http.MethodPost: f.createDataset}, "", true
	}
	kb = strings.ToLower(part[1])
	switch {
	case len(part) == 2:
		call = difyCall{http.MethodGet: f.dataset, http.MethodPatch: f.updateDataset, http.MethodDelete: f.deleteDataset}
	case len(part) == 3 && part[2] == "retrieve":
		call = difyCall{http.MethodPost: f.retrieve}
	case len(part) == 4 && part[2] == "document":
		call, ok = f.uploadRoute(part[3])
		return call, kb, ok
	case part[2] != "documents":
		return call, "", false
	default:
		call, ok = f.documentRoute(part[3:])
		return call, kb, ok
	}
	return call, kb, true
}

// documentRoute finds the call of what follows /datasets/{id}/documents.
func (f *difyFace) documentRoute(part []string) (difyCall, bool) {
	switch {
	case len(part) == 0:
		return difyCall{http.MethodGet: f.documents}, true
	case len(part) == 2 && part[1] == "indexing-status" && part[0] != "":
		return difyCall{http.MethodGet: with(part[0], f.indexingStatus)}, true
	case len(part) == 2 && part[0] == "status" && part[1] != "":
		return difyCall{http.MethodPatch: with(part[1], f.setStatus)}, true
	case !isUUID(part[0]):
		return nil, false
	}
	id := strings.ToLower(part[0])
	switch {
	case len(part) == 1:
		return difyCall{http.MethodGet: with(id, f.document), http.MethodDelete: with(id, f.deleteDocument)}, true
	case len(part) != 2:
	case part[1] == "segments":
		return difyCall{http.MethodGet: with(id, f.segments)}, true
	case part[1] == "download":
		return difyCall{http.MethodGet: with(id, f.download)}, true
	case part[1] == "update-by-text":
		return difyCall{http.MethodPost: with(id, f.updateByText)}, true
	case part[1] == "update-by-file":
		return difyCall{http.MethodPost: with(id, f.updateByFile)}, true
	}
	return nil, false
}

// uploadRoute finds the call of what follows /datasets/{id}/document.
func (f *difyFace) uploadRoute(part string) (difyCall, bool) {
	switch part {
	case "create-by-text", "create_by_text":
		return difyCall{http.MethodPost: f.createByText}, true
	case "create-by-file", "create_by_file":
		return difyCall{http.MethodPost: f.createByFile}, true
	}
	return nil, false
}

// with binds an id of the path to an operation.
func with(id string, run func(*http.Request, *KnowledgeBase, string) difyReply) func(*http.Request, *KnowledgeBase) difyReply {
	return func(r *http.Request, kb *KnowledgeBase) difyReply { return run(r, kb, id) }
}

func (f *difyFace) reply(r *http.Request, call difyCall, id string) difyReply {
	run := call[r.Method]
	if run == nil {
		return difyError(405, "method_not_allowed", "The method is not allowed for the requested URL.")
	}
	if why := difyKey(r.Header.Get("Authorization")); why != "" {
		return difyError(401, "unauthorized", why)
	}
	if f.s.limited(FaceDify, true) {
		return difyError(403, "forbidden", "Sorry, you have reached the knowledge base request rate limit of your subscription.")
	}
	if id == "" {
		return run(r, nil)
	}
	kb := f.s.store.KB(Dify, id)
	if kb == nil {
		return difyError(404, "not_found", "Dataset not found.")
	}
	if kb.Disabled {
		return difyError(403, "forbidden", "Dataset api access is not enabled.")
	}
	return run(r, kb)
}

// difyKey says what is wrong with an Authorization header; "" when nothing is.
func difyKey(header string) string {
	scheme, key, ok := strings.Cut(header, " ")
	switch {
	case !ok:
		return "Authorization header must be provided and start with 'Bearer'"
	case !strings.EqualFold(scheme, "Bearer"):
		return "Authorization scheme must be 'Bearer'"
	case key != DifyKey:
		return "Access token is invalid"
	}
	return ""
}

// isUUID reports whether s is a dashed UUID in either case.
func isUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i, c := range []byte(strings.ToLower(s)) {
		dash := i == 8 || i == 13 || i == 18 || i == 23
		if dash != (c == '-') || !dash && !(c >= '0' && c <= '9' || c >= 'a' && c <= 'f') {
			return false
		}
	}
	return true
}

// difyPage is page and limit as asked for, and the rows they cover: never more
// than 100, whatever the limit.
type difyPage struct{ page, limit, from, size int }

// readDifyPage reads page and limit; the reply is the refusal of something
// that is no integer.
func readDifyPage(q url.Values) (p difyPage, bad *difyReply) {
	var err, err2 error
	p.page, err = queryInt(q, "page", 1)
	p.limit, err2 = queryInt(q, "limit", 20)
	switch {
	case err != nil:
		return p, difyNoInteger(q, "page")
	case err2 != nil:
		return p, difyNoInteger(q, "limit")
	}
	p.page = max(p.page, 1)
	if p.limit < 1 {
		p.limit = 20
	}
	p.size = min(p.limit, 100)
	p.from = multiply(p.page-1, p.size)
	return p, nil
}

// difyNoInteger is the validation text of newer servers: several lines, with
// the caller's input and a link in it.
func difyNoInteger(q url.Values, name string) *difyReply {
	no := difyError(400, "invalid_param", "1 validation error for Query\n"+name+
		"\n  Input should be a valid integer, unable to parse string as an integer [type=int_parsing, input_value="+
		strconv.Quote(q.Get(name))+", input_type=str]\n    For further information visit https://errors.pydantic.dev/2.12/v/int_parsing")
	return &no
}

// answer is a page of rows. has_more only compares the number of rows with the
// limit: true on a full last page, false whenever the limit is over 100.
func (p difyPage) answer(rows []object, total int) object {
	return object{
		"data": rows, "has_more": len(rows) == p.limit, "limit": p.limit,
		"total": total, "page": p.page,
	}
}
