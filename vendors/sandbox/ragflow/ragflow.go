package ragflow

import (
	"net/http"
	"regexp"
	"strings"

	"kb-mcp/vendors/sandbox/internal/web"
	"kb-mcp/vendors/sandbox/ragflow/tables"
	"kb-mcp/vendors/sandbox/world"
)

// object is a JSON object whose keys come out sorted, hence always the same.
type object = map[string]any

// args is the members of a request.
type args = web.Args

// Options are what a face of the current generation can be told.
type Options struct {
	Server tables.Server
	Away   string // what it needs and cannot reach: database, queue, engine, model, store; of Go also tables and license
}

// Key is the API key of the current generation.
const Key = "ragflow-SandboxRagflow0123456789abcdefghij"

// face is RAGFlow's current generation.
type face struct {
	s      *tables.Tables
	server tables.Server
	down   string // what it needs and cannot reach
	mux    *http.ServeMux
}

// New serves /api/v1/datasets and what belongs to it.
func New(w *world.World, o Options) http.Handler {
	server := o.Server
	f := &face{s: &tables.Tables{World: w}, server: server, down: o.Away, mux: http.NewServeMux()}
	f.route("/api/v1/datasets", tables.Methods{
		"GET": f.authed(f.listDatasets), "POST": f.authed(f.createDataset), "DELETE": f.authed(f.deleteDatasets),
	})
	f.route("/api/v1/datasets/{ds}", f.only(tables.Methods{"GET": f.authed(f.getDataset), "PUT": f.authed(f.updateDataset)}, tables.Old, "GET"))
	f.route("/api/v1/datasets/{ds}/documents", tables.Methods{
		"GET": f.authed(f.listDocuments), "POST": f.authed(f.uploadDocuments), "DELETE": f.authed(f.deleteDocuments),
	})
	f.route("/api/v1/datasets/{ds}/documents/{doc}", f.only(f.only(tables.Methods{
		"GET": f.authed(f.download), "PATCH": f.authed(f.updateDocument), "PUT": f.authed(f.updateDocument),
	}, tables.Old, "PATCH"), tables.Go, "PUT"))
	f.route("/api/v1/datasets/{ds}/documents/{doc}/chunks", tables.Methods{
		"GET": f.authed(f.listChunks), "POST": f.authed(f.addChunk), "DELETE": f.authed(f.deleteChunks),
	})
	f.route("/api/v1/datasets/{ds}/documents/{doc}/chunks/{chunk}", tables.Methods{"PUT": f.authed(f.updateChunk), "PATCH": f.authed(f.updateChunk)})
	f.route("/api/v1/datasets/{ds}/chunks", tables.Methods{"POST": f.authed(f.startParsing), "DELETE": f.authed(f.stopParsing)})
	if server == tables.Go {
		f.route("/api/v1/datasets/{ds}/search", tables.Methods{"POST": f.authed(f.searchDataset)})
	} else {
		f.route("/api/v1/retrieval", tables.Methods{"POST": f.authed(f.retrieve)})
	}
	if server != tables.Old {
		f.route("/api/v1/system/version", tables.Methods{"GET": f.version})
		f.route("/api/v1/language", tables.Methods{"GET": f.language})
		f.route("/api/v1/datasets/{ds}/ingestions/summary", tables.Methods{"GET": f.authed(f.ingestionSummary)})
		f.route("/api/v1/datasets/{ds}/metadata/config", tables.Methods{"GET": f.authed(f.metadataConfig), "PUT": f.authed(f.setMetadataConfig)})
		f.route("/api/v1/documents/ingest", tables.Methods{"POST": f.authed(f.ingest)})
	}
	f.mux.HandleFunc("/", f.noRoute)
	return f
}

// only takes a method away on one server.
func (f *face) only(ms tables.Methods, server tables.Server, method string) tables.Methods {
	if f.server == server {
		delete(ms, method)
	}
	return ms
}

// route registers one path. A method that it lacks is answered as all Python
// versions do, with HTTP 200 and code 100, or as if there were no such path.
func (f *face) route(path string, ms tables.Methods) {
	for method, h := range ms {
		f.mux.HandleFunc(method+" "+path, h)
	}
	f.mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
		if f.server == tables.Go {
			f.noRoute(w, r)
			return
		}
		f.fail(w, 100, "<MethodNotAllowed '405: Method Not Allowed'>")
	})
}

// slashes is more than one slash, which the servers take for one.
var slashes = regexp.MustCompile(`/{2,}`)

// ServeHTTP implements http.Handler.
func (f *face) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.Contains(r.URL.Path, "//") {
		u := *r.URL
		u.Path, u.RawPath = slashes.ReplaceAllString(u.Path, "/"), ""
		clone := *r
		clone.URL = &u
		r = &clone
	}
	f.mux.ServeHTTP(w, r)
}

// authed lets a request with the API key pass. Routing comes first: a path that
// does not exist needs no key to be told so. A server without its database
// knows no key, and Go asks a service of its own before all.
func (f *face) authed(h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		given := r.Header.Get("Authorization")
		switch {
		case f.away("license") && f.server == tables.Go:
			web.WriteJSON(w, http.StatusServiceUnavailable, object{"code": 401, "data": "No", "message": `server license Post "http://127.0.0.1:9383/api/v1/admin/reports": dial tcp 127.0.0.1:9383: connect: connection refused`})
		case given != "Bearer "+Key || f.away("database"):
			f.unauthorized(w, given)
		case f.s.Limited(f.server.Face(), false):
			tables.TooMany(w)
		default:
			h(w, r)
		}
	}
}

func (f *face) unauthorized(w http.ResponseWriter, given string) {
	switch {
	case f.server == tables.Old && given == "":
		web.WriteJSON(w, http.StatusOK, object{"code": 0, "data": false, "message": "`Authorization` can't be empty"})
	case f.server == tables.Old:
		web.WriteJSON(w, http.StatusOK, object{"code": 109, "data": false, "message": "Authentication error: API key is invalid!"})
	case f.server == tables.Go && given == "":
		web.WriteJSON(w, http.StatusUnauthorized, object{"code": 401, "data": nil, "message": "Missing Authorization header"})
	case f.server == tables.Go:
		web.WriteJSON(w, http.StatusUnauthorized, object{"code": 401, "data": nil, "message": "Invalid access token"})
	default:
		web.WriteJSON(w, http.StatusUnauthorized, object{"code": 401, "data": nil, "message": "<Unauthorized '401: Unauthorized'>"})
	}
}

// away reports that a service behind the server does not answer.
func (f *face) away(service string) bool { return f.down == service }

func (f *face) noRoute(w http.ResponseWriter, r *http.Request) {
	web.WriteJSON(w, http.StatusNotFound, object{
		"code": 404, "data": nil, "error": "Not Found", "message": "Not Found: " + r.URL.Path,
	})
}

// fail is an error of the platform's own: HTTP 200, no data. An exception (code
// 100) has null for it.
func (f *face) fail(w http.ResponseWriter, code int, message string) {
	body := object{"code": code, "message": message}
	if code == 100 {
		body["data"] = nil
	}
	web.WriteJSON(w, http.StatusOK, body)
}

// refuse is an error of those handlers of Go that always write data; the Python
// servers leave it out.
func (f *face) refuse(w http.ResponseWriter, code int, message string, data any) {
	if f.server != tables.Go {
		f.fail(w, code, message)
		return
	}
	web.WriteJSON(w, http.StatusOK, object{"code": code, "data": data, "message": message})
}

// succeed is a success with data. Go's handlers add a message, null or not.
func (f *face) succeed(w http.ResponseWriter, data any) {
	body := object{"code": 0, "data": data}
	if f.server == tables.Go {
		body["message"] = nil
	}
	web.WriteJSON(w, http.StatusOK, body)
}

// done is a success that says no more.
func (f *face) done(w http.ResponseWriter) {
	if f.server == tables.Go {
		web.WriteJSON(w, http.StatusOK, object{"code": 0, "data": nil, "message": "success"})
		return
	}
	web.WriteJSON(w, http.StatusOK, object{"code": 0})
}

// version and language need no key since v0.26.
func (f *face) version(w http.ResponseWriter, _ *http.Request) {
	web.WriteJSON(w, http.StatusOK, object{"code": 0, "data": "v0.27.0", "message": "success"})
}

func (f *face) language(w http.ResponseWriter, _ *http.Request) {
	name := "python"
	if f.server == tables.Go {
		name = "go"
	}
	web.WriteJSON(w, http.StatusOK, object{"code": 0, "data": object{"language": name}, "message": "success"})
}

// hasKeywords is the platform's search in names: a part, without regard to case.
// Go's % and _ stand for anything, as in SQL, and spaces around are dropped.
func (f *face) hasKeywords(name, keywords string) bool {
	name, keywords = strings.ToLower(name), strings.ToLower(keywords)
	if f.server != tables.Go {
		return strings.Contains(name, keywords)
	}
	pattern := regexp.QuoteMeta(strings.TrimSpace(keywords))
	pattern = strings.NewReplacer("%", ".*", "_", ".").Replace(pattern)
	ok, err := regexp.MatchString("(?s)"+pattern, name)
	return ok && err == nil
}
