package sandbox

import (
	"net/http"
	"strings"
)

// ragflowTenant is the account behind every RAGFlow credential: the owner of
// all datasets and documents.
const ragflowTenant = "69736c5e723611efb51b0242ac120007"

// ragflowFace is RAGFlow's current generation, as v0.27.0 answers.
type ragflowFace struct {
	s   *Sandbox
	mux *http.ServeMux
}

// newRAGFlow serves /api/v1/datasets and what belongs to it.
func newRAGFlow(s *Sandbox) http.Handler {
	f := &ragflowFace{s: s, mux: http.NewServeMux()}
	f.route("/api/v1/system/version", methods{"GET": f.version})
	f.route("/api/v1/language", methods{"GET": f.language})
	f.route("/api/v1/datasets", methods{
		"GET": f.authed(f.listDatasets), "POST": f.authed(f.createDataset), "DELETE": f.authed(f.deleteDatasets),
	})
	f.route("/api/v1/datasets/{ds}", methods{"GET": f.authed(f.getDataset), "PUT": f.authed(f.updateDataset)})
	f.route("/api/v1/datasets/{ds}/documents", methods{
		"GET": f.authed(f.listDocuments), "POST": f.authed(f.uploadDocuments), "DELETE": f.authed(f.deleteDocuments),
	})
	f.route("/api/v1/datasets/{ds}/documents/{doc}", methods{
		"GET": f.authed(f.download), "PATCH": f.authed(f.updateDocument), "PUT": f.authed(f.updateDocument),
	})
	f.route("/api/v1/datasets/{ds}/documents/{doc}/chunks", methods{"GET": f.authed(f.listChunks)})
	f.route("/api/v1/datasets/{ds}/chunks", methods{"POST": f.authed(f.startParsing), "DELETE": f.authed(f.stopParsing)})
	f.route("/api/v1/retrieval", methods{"POST": f.authed(f.retrieve)})
	f.mux.HandleFunc("/", ragflowNoRoute)
	return f.mux
}

// methods is what one path can do.
type methods map[string]http.HandlerFunc

// route registers one path. A method that it lacks is answered as all Python
// versions do: HTTP 200 with code 100.
func (f *ragflowFace) route(path string, ms methods) {
	for method, h := range ms {
		f.mux.HandleFunc(method+" "+path, h)
	}
	f.mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) {
		ragflowFail(w, 100, "<MethodNotAllowed '405: Method Not Allowed'>")
	})
}

// authed lets a request with the API key pass. Routing comes first: a path that
// does not exist needs no key to be told so.
func (f *ragflowFace) authed(h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+RAGFlowKey {
			writeJSON(w, http.StatusUnauthorized, object{
				"code": 401, "data": nil, "message": "<Unauthorized '401: Unauthorized'>",
			})
			return
		}
		if f.s.limited(FaceRAGFlow, false) {
			ragflowTooMany(w)
			return
		}
		h(w, r)
	}
}

// ragflowTooMany is the web front's answer: RAGFlow itself limits nothing, so a
// 429 comes from the proxy before it and is a page, not JSON.
func ragflowTooMany(w http.ResponseWriter) {
	w.Header().Set("Server", "nginx")
	writeRaw(w, http.StatusTooManyRequests, "text/html", "<html>\r\n"+
		"<head><title>429 Too Many Requests</title></head>\r\n<body>\r\n"+
		"<center><h1>429 Too Many Requests</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n")
}

func ragflowNoRoute(w http.ResponseWriter, r *http.Request) {
	writeJSON(w, http.StatusNotFound, object{
		"code": 404, "data": nil, "error": "Not Found", "message": "Not Found: " + r.URL.Path,
	})
}

// ragflowFail is an error of the platform's own: HTTP 200, no data.
func ragflowFail(w http.ResponseWriter, code int, message string) {
	writeJSON(w, http.StatusOK, object{"code": code, "message": message})
}

// version and language need no key since v0.26.
func (f *ragflowFace) version(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, object{"code": 0, "data": "v0.27.0", "message": "success"})
}

func (f *ragflowFace) language(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, object{"code": 0, "data": object{"language": "python"}, "message": "success"})
}

// ragflowNoDataset is the text for an unknown dataset and for a foreign one
// alike.
func ragflowNoDataset(id string) string {
	return "User '" + ragflowTenant + "' lacks permission for dataset '" + id + "'"
}

// listDatasets is the only list that is strict about its parameters. Its total
// stands beside the data, and there is no message.
func (f *ragflowFace) listDatasets(w http.ResponseWriter, r *http.Request) {
	q, problem := parseDatasetQuery(r.URL.Query())
	if problem != "" {
		ragflowFail(w, 101, problem)
		return
	}
	all := f.s.store.KBs(RAGFlow)
	if q.id != "" && f.s.store.KB(RAGFlow, q.id) == nil {
		ragflowFail(w, 102, ragflowNoDataset(q.id))
		return
	}
	kbs, named := []*KnowledgeBase{}, q.name == ""
	for _, kb := range all {
		named = named || kb.Name == q.name
		if q.keeps(kb) {
			kbs = append(kbs, kb)
		}
	}
	if !named {
		ragflowFail(w, 102, ragflowNoDataset(q.name))
		return
	}
	total := len(kbs)
	sortKBs(kbs, q.orderby, q.desc)
	rows := []object{}
	for _, kb := range ragflowWindow(kbs, (q.page-1)*q.pageSize, q.pageSize) {
		row := f.s.ragflowKB(kb)
		row["embedding_model_name"], row["nickname"], row["tenant_avatar"] = "", "sandbox", nil
		delete(row, "size")
		rows = append(rows, row)
	}
	writeJSON(w, http.StatusOK, object{"code": 0, "data": rows, "total_datasets": total})
}

// getDataset has "size" and "connectors", which the list lacks.
func (f *ragflowFace) getDataset(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("ds")
	kb := f.s.store.KB(RAGFlow, id)
	if kb == nil {
		ragflowFail(w, 102, ragflowNoDataset(id))
		return
	}
	row := f.s.ragflowKB(kb)
	row["connectors"] = []string{}
	writeJSON(w, http.StatusOK, object{"code": 0, "data": row})
}

// hasKeywords is the platform's search in names: a part, without regard to case.
func hasKeywords(name, keywords string) bool {
	return strings.Contains(strings.ToLower(name), strings.ToLower(keywords))
}
