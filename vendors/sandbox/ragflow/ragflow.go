// Package ragflow speaks the current generation of RAGFlow's API as three servers
// do: Python and Go of main, and v0.24.0.
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

// reply writes an answer.
type reply = tables.Reply

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
	mux    tables.Mux
}

// New serves /api/v1/datasets and what belongs to it.
func New(w *world.World, o Options) http.Handler {
	f := &face{s: &tables.Tables{Side: w.Side(world.RAGFlow)}, server: o.Server, down: o.Away}
	for path, actions := range f.routes() {
		for method, action := range actions {
			f.mux.Answer(method+" /api/v1/"+path, f.authed(action))
		}
		f.mux.Answer("/api/v1/"+path, f.noMethod)
	}
	if o.Server != tables.Old { // they need no key since v0.26
		f.mux.Answer("GET /api/v1/system/version", f.version)
		f.mux.Answer("GET /api/v1/language", f.language)
	}
	f.mux.Answer("/", f.noRoute)
	return f
}

// routes is what needs a key.
func (f *face) routes() map[string]tables.Methods {
	document := tables.Methods{"GET": f.download, "PATCH": f.updateDocument, "PUT": f.updateDocument}
	dataset := tables.Methods{"GET": f.getDataset, "PUT": f.updateDataset}
	routes := map[string]tables.Methods{
		"datasets":                                     {"GET": f.listDatasets, "POST": f.createDataset, "DELETE": f.deleteDatasets},
		"datasets/{ds}":                                dataset,
		"datasets/{ds}/documents":                      {"GET": f.listDocuments, "POST": f.uploadDocuments, "DELETE": f.deleteDocuments},
		"datasets/{ds}/documents/{doc}":                document,
		"datasets/{ds}/documents/{doc}/chunks":         {"GET": f.listChunks, "POST": f.addChunk, "DELETE": f.deleteChunks},
		"datasets/{ds}/documents/{doc}/chunks/{chunk}": {"PUT": f.updateChunk, "PATCH": f.updateChunk},
		"datasets/{ds}/chunks":                         {"POST": f.startParsing, "DELETE": f.stopParsing},
	}
	if f.server == tables.Go {
		delete(document, "PUT")
		routes["datasets/{ds}/search"] = tables.Methods{"POST": f.searchDataset}
	} else {
		routes["retrieval"] = tables.Methods{"POST": f.retrieve}
	}
	if f.server == tables.Old {
		delete(document, "PATCH")
		delete(dataset, "GET")
		return routes
	}
	routes["datasets/{ds}/ingestions/summary"] = tables.Methods{"GET": f.ingestionSummary}
	routes["datasets/{ds}/metadata/config"] = tables.Methods{"GET": f.metadataConfig, "PUT": f.setMetadataConfig}
	routes["documents/ingest"] = tables.Methods{"POST": f.ingest}
	return routes
}

// noMethod answers a method that a path lacks as all Python versions do, with HTTP
// 200 and code 100, or as if there were no such path.
func (f *face) noMethod(r *http.Request) reply {
	if f.server == tables.Go {
		return f.noRoute(r)
	}
	return f.fail(100, "<MethodNotAllowed '405: Method Not Allowed'>")
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
func (f *face) authed(action tables.Action) tables.Action {
	return func(r *http.Request) reply {
		given := r.Header.Get("Authorization")
		switch {
		case f.away("license") && f.server == tables.Go:
			return tables.JSON(http.StatusServiceUnavailable, object{"code": 401, "data": "No", "message": `server license Post "http://127.0.0.1:9383/api/v1/admin/reports": dial tcp 127.0.0.1:9383: connect: connection refused`})
		case given != "Bearer "+Key || f.away("database"):
			return f.unauthorized(given)
		case f.s.Limited(f.server.Face(), false):
			return tables.TooMany()
		}
		return action(r)
	}
}

func (f *face) unauthorized(given string) reply {
	text := "<Unauthorized '401: Unauthorized'>"
	switch {
	case f.server == tables.Old && given == "":
		return tables.JSON(http.StatusOK, object{"code": 0, "data": false, "message": "`Authorization` can't be empty"})
	case f.server == tables.Old:
		return tables.JSON(http.StatusOK, object{"code": 109, "data": false, "message": "Authentication error: API key is invalid!"})
	case f.server == tables.Go && given == "":
		text = "Missing Authorization header"
	case f.server == tables.Go:
		text = "Invalid access token"
	}
	return tables.JSON(http.StatusUnauthorized, object{"code": 401, "data": nil, "message": text})
}

// away reports that a service behind the server does not answer.
func (f *face) away(service string) bool { return f.down == service }

func (f *face) noRoute(r *http.Request) reply {
	return tables.JSON(http.StatusNotFound, object{
		"code": 404, "data": nil, "error": "Not Found", "message": "Not Found: " + r.URL.Path,
	})
}

// fail is an error of the platform's own: HTTP 200, no data. An exception (code
// 100) has null for it.
func (f *face) fail(code int, message string) reply {
	body := object{"code": code, "message": message}
	if code == 100 {
		body["data"] = nil
	}
	return tables.JSON(http.StatusOK, body)
}

// refuse is an error of those handlers of Go that always write data; the Python
// servers leave it out.
func (f *face) refuse(code int, message string, data any) reply {
	if f.server != tables.Go {
		return f.fail(code, message)
	}
	return tables.JSON(http.StatusOK, object{"code": code, "data": data, "message": message})
}

// succeed is a success with data. Go's handlers add a message, null or not.
func (f *face) succeed(data any) reply {
	body := object{"code": 0, "data": data}
	if f.server == tables.Go {
		body["message"] = nil
	}
	return tables.JSON(http.StatusOK, body)
}

// success is a success of those handlers that always add a message.
func success(data any) reply {
	return tables.JSON(http.StatusOK, object{"code": 0, "data": data, "message": "success"})
}

// result is a success of those handlers whose message is Go's only.
func (f *face) result(data any) reply {
	if f.server == tables.Go {
		return success(data)
	}
	return f.succeed(data)
}

// done is a success that says no more.
func (f *face) done() reply {
	if f.server == tables.Go {
		return success(nil)
	}
	return tables.JSON(http.StatusOK, object{"code": 0})
}

func (f *face) version(_ *http.Request) reply {
	return success("v0.27.0")
}

func (f *face) language(_ *http.Request) reply {
	name := "python"
	if f.server == tables.Go {
		name = "go"
	}
	return success(object{"language": name})
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
