package sandbox

import (
	"net/http"
	"regexp"
	"strings"
)

// ragflowTenant is the account behind every RAGFlow credential: the owner of
// all datasets and documents.
const ragflowTenant = "69736c5e723611efb51b0242ac120007"

// ragflowServer is which server of RAGFlow's current generation a face is. They
// share paths, and differ in words, keys and what they do.
type ragflowServer int

const (
	ragPython ragflowServer = iota // main of August 2026, Python
	ragGo                          // the same with the Go server
	ragOld                         // v0.24.0, Python
)

// ragflowFace is RAGFlow's current generation.
type ragflowFace struct {
	s      *Sandbox
	server ragflowServer
	name   string // of the face, for the quota
	mux    *http.ServeMux
}

// newRAGFlow serves /api/v1/datasets and what belongs to it.
func newRAGFlow(s *Sandbox, server ragflowServer, name string) http.Handler {
	f := &ragflowFace{s: s, server: server, name: name, mux: http.NewServeMux()}
	f.route("/api/v1/datasets", methods{
		"GET": f.authed(f.listDatasets), "POST": f.authed(f.createDataset), "DELETE": f.authed(f.deleteDatasets),
	})
	f.route("/api/v1/datasets/{ds}", f.only(methods{"GET": f.authed(f.getDataset), "PUT": f.authed(f.updateDataset)}, ragOld, "GET"))
	f.route("/api/v1/datasets/{ds}/documents", methods{
		"GET": f.authed(f.listDocuments), "POST": f.authed(f.uploadDocuments), "DELETE": f.authed(f.deleteDocuments),
	})
	f.route("/api/v1/datasets/{ds}/documents/{doc}", f.only(f.only(methods{
		"GET": f.authed(f.download), "PATCH": f.authed(f.updateDocument), "PUT": f.authed(f.updateDocument),
	}, ragOld, "PATCH"), ragGo, "PUT"))
	f.route("/api/v1/datasets/{ds}/documents/{doc}/chunks", methods{
		"GET": f.authed(f.listChunks), "POST": f.authed(f.addChunk), "DELETE": f.authed(f.deleteChunks),
	})
	f.route("/api/v1/datasets/{ds}/documents/{doc}/chunks/{chunk}", methods{"PUT": f.authed(f.updateChunk), "PATCH": f.authed(f.updateChunk)})
	f.route("/api/v1/datasets/{ds}/chunks", methods{"POST": f.authed(f.startParsing), "DELETE": f.authed(f.stopParsing)})
	if server == ragGo {
		f.route("/api/v1/datasets/{ds}/search", methods{"POST": f.authed(f.searchDataset)})
	} else {
		f.route("/api/v1/retrieval", methods{"POST": f.authed(f.retrieve)})
	}
	if server != ragOld {
		f.route("/api/v1/system/version", methods{"GET": f.version})
		f.route("/api/v1/language", methods{"GET": f.language})
		f.route("/api/v1/datasets/{ds}/ingestions/summary", methods{"GET": f.authed(f.ingestionSummary)})
		f.route("/api/v1/datasets/{ds}/metadata/config", methods{"GET": f.authed(f.metadataConfig), "PUT": f.authed(f.setMetadataConfig)})
		f.route("/api/v1/documents/ingest", methods{"POST": f.authed(f.ingest)})
	}
	f.mux.HandleFunc("/", f.noRoute)
	return f
}

// methods is what one path can do.
type methods map[string]http.HandlerFunc

// only takes a method away on one server.
func (f *ragflowFace) only(ms methods, server ragflowServer, method string) methods {
	if f.server == server {
		delete(ms, method)
	}
	return ms
}

// route registers one path. A method that it lacks is answered as all Python
// versions do, with HTTP 200 and code 100, or as if there were no such path.
func (f *ragflowFace) route(path string, ms methods) {
	for method, h := range ms {
		f.mux.HandleFunc(method+" "+path, h)
	}
	f.mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
		if f.server == ragGo {
			f.noRoute(w, r)
			return
		}
		f.fail(w, 100, "<MethodNotAllowed '405: Method Not Allowed'>")
	})
}

// slashes is more than one slash, which the servers take for one.
var slashes = regexp.MustCompile(`/{2,}`)

// ServeHTTP implements http.Handler.
func (f *ragflowFace) ServeHTTP(w http.ResponseWriter, r *http.Request) {
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
func (f *ragflowFace) authed(h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		given := r.Header.Get("Authorization")
		switch {
		case f.away("license") && f.server == ragGo:
			writeJSON(w, http.StatusServiceUnavailable, object{"code": 401, "data": "No", "message": `server license Post "http://127.0.0.1:9383/api/v1/admin/reports": dial tcp 127.0.0.1:9383: connect: connection refused`})
		case given != "Bearer "+RAGFlowKey || f.away("database"):
			f.unauthorized(w, given)
		case f.s.limited(f.name, false):
			ragflowTooMany(w)
		default:
			h(w, r)
		}
	}
}

func (f *ragflowFace) unauthorized(w http.ResponseWriter, given string) {
	switch {
	case f.server == ragOld && given == "":
		writeJSON(w, http.StatusOK, object{"code": 0, "data": false, "message": "`Authorization` can't be empty"})
	case f.server == ragOld:
		writeJSON(w, http.StatusOK, object{"code": 109, "data": false, "message": "Authentication error: API key is invalid!"})
	case f.server == ragGo && given == "":
		writeJSON(w, http.StatusUnauthorized, object{"code": 401, "data": nil, "message": "Missing Authorization header"})
	case f.server == ragGo:
		writeJSON(w, http.StatusUnauthorized, object{"code": 401, "data": nil, "message": "Invalid access token"})
	default:
		writeJSON(w, http.StatusUnauthorized, object{"code": 401, "data": nil, "message": "<Unauthorized '401: Unauthorized'>"})
	}
}

// away reports that a service behind the server does not answer.
func (f *ragflowFace) away(service string) bool { return f.s.opts.RAGFlowAway == service }

// ragflowTooMany is the web front's answer: RAGFlow itself limits nothing, so a
// 429 comes from the proxy before it and is a page, not JSON.
func ragflowTooMany(w http.ResponseWriter) {
	w.Header().Set("Server", "nginx")
	writeRaw(w, http.StatusTooManyRequests, "text/html", "<html>\r\n"+
		"<head><title>429 Too Many Requests</title></head>\r\n<body>\r\n"+
		"<center><h1>429 Too Many Requests</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n")
}

func (f *ragflowFace) noRoute(w http.ResponseWriter, r *http.Request) {
	writeJSON(w, http.StatusNotFound, object{
		"code": 404, "data": nil, "error": "Not Found", "message": "Not Found: " + r.URL.Path,
	})
}

// fail is an error of the platform's own: HTTP 200, no data. An exception (code
// 100) has null for it.
func (f *ragflowFace) fail(w http.ResponseWriter, code int, message string) {
	body := object{"code": code, "message": message}
	if code == 100 {
		body["data"] = nil
	}
	writeJSON(w, http.StatusOK, body)
}

// refuse is an error of those handlers of Go that always write data; the Python
// servers leave it out.
func (f *ragflowFace) refuse(w http.ResponseWriter, code int, message string, data any) {
	if f.server != ragGo {
		f.fail(w, code, message)
		return
	}
	writeJSON(w, http.StatusOK, object{"code": code, "data": data, "message": message})
}

// succeed is a success with data. Go's handlers add a message, null or not.
func (f *ragflowFace) succeed(w http.ResponseWriter, data any) {
	body := object{"code": 0, "data": data}
	if f.server == ragGo {
		body["message"] = nil
	}
	writeJSON(w, http.StatusOK, body)
}

// done is a success that says no more.
func (f *ragflowFace) done(w http.ResponseWriter) {
	if f.server == ragGo {
		writeJSON(w, http.StatusOK, object{"code": 0, "data": nil, "message": "success"})
		return
	}
	writeJSON(w, http.StatusOK, object{"code": 0})
}

// version and language need no key since v0.26.
func (f *ragflowFace) version(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, object{"code": 0, "data": "v0.27.0", "message": "success"})
}

func (f *ragflowFace) language(w http.ResponseWriter, _ *http.Request) {
	name := "python"
	if f.server == ragGo {
		name = "go"
	}
	writeJSON(w, http.StatusOK, object{"code": 0, "data": object{"language": name}, "message": "success"})
}

// hasKeywords is the platform's search in names: a part, without regard to case.
// Go's % and _ stand for anything, as in SQL, and spaces around are dropped.
func (f *ragflowFace) hasKeywords(name, keywords string) bool {
	name, keywords = strings.ToLower(name), strings.ToLower(keywords)
	if f.server != ragGo {
		return strings.Contains(name, keywords)
	}
	pattern := regexp.QuoteMeta(strings.TrimSpace(keywords))
	pattern = strings.NewReplacer("%", ".*", "_", ".").Replace(pattern)
	ok, err := regexp.MatchString("(?s)"+pattern, name)
	return ok && err == nil
}

// hasKeywords is the preview's search in names.
func hasKeywords(name, keywords string) bool {
	return strings.Contains(strings.ToLower(name), strings.ToLower(keywords))
}
