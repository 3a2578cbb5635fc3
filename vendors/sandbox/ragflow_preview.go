package sandbox

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// previewFace is RAGFlow's first published API, as v0.10.0 answers, over the
// same datasets as the current generation.
type previewFace struct {
	s   *Sandbox
	mux *http.ServeMux
}

// newRAGFlowPreview serves /api/v1/dataset and what belongs to it.
func newRAGFlowPreview(s *Sandbox) http.Handler {
	f := &previewFace{s: s, mux: http.NewServeMux()}
	f.route("/api/v1/dataset", methods{"GET": f.listDatasets, "POST": f.createDataset})
	f.route("/api/v1/dataset/{ds}", methods{"GET": f.getDataset, "PUT": f.updateDataset, "DELETE": f.deleteDataset})
	f.route("/api/v1/dataset/{ds}/documents", methods{"GET": f.listDocuments, "POST": f.uploadDocuments})
	f.route("/api/v1/dataset/{ds}/documents/{doc}", methods{
		"GET": f.download, "PUT": f.updateDocument, "DELETE": f.deleteDocument,
	})
	f.route("/api/v1/dataset/{ds}/documents/{doc}/status", methods{
		"GET": f.documentStatus, "POST": f.startOne, "DELETE": f.stopOne,
	})
	// With GET this path is a download of the document "status".
	f.mux.HandleFunc("POST /api/v1/dataset/{ds}/documents/status", f.authed(f.startMany))
	f.mux.HandleFunc("DELETE /api/v1/dataset/{ds}/documents/status", f.authed(f.stopMany))
	f.mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		previewRefuse(w, 100, "<NotFound '404: Not Found'>")
	})
	return f
}

// ServeHTTP takes every path with and without a slash at its end.
func (f *previewFace) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r2 := *r
	u := *r.URL
	u.Path, u.RawPath = cmp.Or(strings.TrimSuffix(u.Path, "/"), "/"), strings.TrimSuffix(u.RawPath, "/")
	r2.URL = &u
	f.mux.ServeHTTP(w, &r2)
}

func (f *previewFace) route(path string, ms methods) {
	for method, h := range ms {
		f.mux.HandleFunc(method+" "+path, f.authed(h))
	}
	f.mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) {
		previewRefuse(w, 100, "<MethodNotAllowed '405: Method Not Allowed'>")
	})
}

// authed wants the web login token, raw. An API key and the token behind
// "Bearer " are refused, whatever that version's documentation says.
func (f *previewFace) authed(h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != RAGFlowToken {
			previewRefuse(w, 401, "<Unauthorized '401: Unauthorized'>")
			return
		}
		if f.s.limited(FaceRAGFlowPreview, false) {
			ragflowTooMany(w)
			return
		}
		h(w, r)
	}
}

// previewRefuse is the other envelope of this generation, which it uses for
// errors outside its own handlers. The HTTP status is 200 even so.
func previewRefuse(w http.ResponseWriter, code int, message string) {
	writeJSON(w, http.StatusOK, object{"data": nil, "retcode": code, "retmsg": message})
}

// listDatasets answers a plain list without a total.
func (f *previewFace) listDatasets(w http.ResponseWriter, r *http.Request) {
	v := r.URL.Query()
	kbs := f.s.store.KBs(RAGFlow)
	orderby := v.Get("orderby")
	if orderby != "" && orderby != "create_time" && orderby != "update_time" {
		ragflowFail(w, 100, previewNoColumn("Knowledgebase", orderby))
		return
	}
	sortKBs(kbs, orderby, !v.Has("desc") || v.Get("desc") != "") // any text means descending
	kbs, wrong := previewWindow(kbs, v)
	if wrong != nil {
		ragflowFail(w, wrong.code, wrong.message)
		return
	}
	rows := []object{}
	for _, kb := range kbs {
		rows = append(rows, f.kbRow(kb))
	}
	writeJSON(w, http.StatusOK, object{"code": 0, "data": rows, "message": "List datasets successfully!"})
}

func (f *previewFace) getDataset(w http.ResponseWriter, r *http.Request) {
	kb := f.s.store.KB(RAGFlow, r.PathValue("ds"))
	if kb == nil {
		ragflowFail(w, 102, "Can't find this dataset!")
		return
	}
	writeJSON(w, http.StatusOK, object{"code": 0, "data": f.kb(kb), "message": "success"})
}

// kb is the single dataset: without its times.
func (f *previewFace) kb(kb *KnowledgeBase) object {
	c := f.s.ragflowCounts(kb.ID)
	return object{
		"avatar": nil, "chunk_num": c.chunks, "description": orNull(kb.Description), "doc_num": c.documents,
		"embd_id": "BAAI/bge-large-zh-v1.5", "id": kb.ID, "language": "English", "name": kb.Name,
		"parser_config": previewParser(), "parser_id": "naive", "permission": "me", "token_num": c.tokens,
	}
}

// kbRow is a dataset as lists and updates show it.
func (f *previewFace) kbRow(kb *KnowledgeBase) object {
	row := f.kb(kb)
	row["create_date"], row["create_time"] = previewDate(kb.Created), kb.Created.UnixMilli()
	row["update_date"], row["update_time"] = previewDate(kb.Updated), kb.Updated.UnixMilli()
	row["created_by"], row["tenant_id"], row["status"] = ragflowTenant, ragflowTenant, "1"
	row["similarity_threshold"], row["vector_similarity_weight"] = 0.2, 0.3
	return row
}

func previewParser() object { return object{"pages": [][]int{{1, 1000000}}} }

// previewDate says GMT and means the server's local time.
func previewDate(t time.Time) string {
	return t.In(ragflowZone()).Format("Mon, 02 Jan 2006 15:04:05") + " GMT"
}

func previewNoColumn(model, name string) string {
	return fmt.Sprintf(`AttributeError("type object '%s' has no attribute '%s'")`, model, name)
}

// previewWindow cuts "count" rows at "offset", a row number, out of a list.
// An offset at the end is an empty list; one behind it is an error.
func previewWindow[T any](all []T, v url.Values) ([]T, *ragflowFailure) {
	offset, count := 0, -1
	if wrong := cmp.Or(pythonInt(v, "offset", &offset), pythonInt(v, "count", &count)); wrong != nil {
		return nil, wrong
	}
	if offset < 0 || offset > len(all) {
		return nil, &ragflowFailure{100, "IndexError('Offset is out of the valid range.')"}
	}
	return ragflowWindow(all, offset, count), nil
}

// listDocuments does not look whether the dataset exists: an unknown one has no
// documents.
func (f *previewFace) listDocuments(w http.ResponseWriter, r *http.Request) {
	v := r.URL.Query()
	docs := f.s.store.Documents(RAGFlow, r.PathValue("ds"))
	if keywords := v.Get("keywords"); keywords != "" {
		docs = docs.Filter(func(d *Document) bool { return hasKeywords(d.Name, keywords) })
	}
	all, wrong := f.ordered(docs, v)
	if wrong == nil {
		all, wrong = previewWindow(all, v)
	}
	if wrong != nil {
		ragflowFail(w, wrong.code, wrong.message)
		return
	}
	rows := []object{}
	for _, d := range all {
		rows = append(rows, f.document(d))
	}
	writeJSON(w, http.StatusOK, object{
		"code": 0, "data": object{"docs": rows, "total": docs.Len()}, "message": 0,
	})
}

// ragflowFail is an error of the preview's own: HTTP 200, no data.
func ragflowFail(w http.ResponseWriter, code int, message string) {
	writeJSON(w, http.StatusOK, object{"code": code, "message": message})
}
