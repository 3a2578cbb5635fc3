// Package preview speaks the first API that RAGFlow published, as v0.10.0 does.
package preview

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

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

// face is RAGFlow's first published API, as v0.10.0 answers, over the
// same datasets as the current generation.
type face struct {
	s      *tables.Tables
	broken bool // parsing fails to start
	mux    tables.Mux
}

// Token is the web login token of the preview generation.
const Token = "IjAwMTEyMjMzNDQ1NTY2Nzc4ODk5YWFiYmNjZGRlZWZmIg.ZpRgQA.12oWNKLK57U8qtPhh_1vOCW63zo"

// Name is the face's name.
const Name = "ragflow-preview"

// Options are what the face can be told.
type Options struct {
	BrokenStart bool // it fails to start parsing, as the releases v0.9.0 and v0.10.0 do
}

// New serves /api/v1/dataset and what belongs to it.
func New(w *world.World, o Options) http.Handler {
	f := &face{s: &tables.Tables{Side: w.Side(world.RAGFlow)}, broken: o.BrokenStart}
	for path, actions := range map[string]tables.Methods{
		"":                             {"GET": f.listDatasets, "POST": f.createDataset},
		"/{ds}":                        {"GET": f.getDataset, "PUT": f.updateDataset, "DELETE": f.deleteDataset},
		"/{ds}/documents":              {"GET": f.listDocuments, "POST": f.uploadDocuments},
		"/{ds}/documents/{doc}":        {"GET": f.download, "PUT": f.updateDocument, "DELETE": f.deleteDocument},
		"/{ds}/documents/{doc}/status": {"GET": f.documentStatus, "POST": f.startOne, "DELETE": f.stopOne},
	} {
		for method, action := range actions {
			f.mux.Answer(method+" /api/v1/dataset"+path, f.authed(action))
		}
		f.mux.Answer("/api/v1/dataset"+path, func(*http.Request) reply { return refuse(100, "<MethodNotAllowed '405: Method Not Allowed'>") })
	}
	// With other methods this path is about the document "status".
	f.mux.Answer("POST /api/v1/dataset/{ds}/documents/status", f.authed(f.startMany))
	f.mux.Answer("DELETE /api/v1/dataset/{ds}/documents/status", f.authed(f.stopMany))
	f.mux.Answer("/", func(*http.Request) reply { return refuse(100, "<NotFound '404: Not Found'>") })
	return f
}

// ServeHTTP takes every path with and without a slash at its end.
func (f *face) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r2 := *r
	u := *r.URL
	u.Path, u.RawPath = cmp.Or(strings.TrimSuffix(u.Path, "/"), "/"), strings.TrimSuffix(u.RawPath, "/")
	r2.URL = &u
	f.mux.ServeHTTP(w, &r2)
}

// authed wants the web login token, raw. An API key and the token behind
// "Bearer " are refused, whatever that version's documentation says.
func (f *face) authed(action tables.Action) tables.Action {
	return func(r *http.Request) reply {
		switch {
		case r.Header.Get("Authorization") != Token:
			return refuse(401, "<Unauthorized '401: Unauthorized'>")
		case f.s.Limited(Name, false):
			return tables.TooMany()
		}
		return action(r)
	}
}

// refuse is the other envelope of this generation, which it uses for errors
// outside its own handlers. The HTTP status is 200 even so.
func refuse(code int, message string) reply {
	return tables.JSON(http.StatusOK, object{"data": nil, "retcode": code, "retmsg": message})
}

// listDatasets answers a plain list without a total.
func (f *face) listDatasets(r *http.Request) reply {
	v := r.URL.Query()
	kbs := f.s.KBs()
	orderby := v.Get("orderby")
	if orderby != "" && orderby != "create_time" && orderby != "update_time" {
		return fail(100, noColumn("Knowledgebase", orderby))
	}
	tables.SortKBs(kbs, orderby, !v.Has("desc") || v.Get("desc") != "") // any text means descending
	rows := web.Rows(window(kbs, v), f.kbRow)
	return tables.JSON(http.StatusOK, object{"code": 0, "data": rows, "message": "List datasets successfully!"})
}

func (f *face) getDataset(r *http.Request) reply {
	kb := f.s.KB(r.PathValue("ds"))
	if kb == nil {
		return fail(102, "Can't find this dataset!")
	}
	return tables.JSON(http.StatusOK, object{"code": 0, "data": f.kb(kb), "message": "success"})
}

// kb is the single dataset: without its times.
func (f *face) kb(kb *world.KnowledgeBase) object {
	c := f.s.Counts(kb.ID)
	return object{
		"avatar": nil, "chunk_num": c.Chunks, "description": tables.OrNull(kb.Description), "doc_num": c.Documents,
		"embd_id": "BAAI/bge-large-zh-v1.5", "id": kb.ID, "language": "English", "name": kb.Name,
		"parser_config": parserConfig(), "parser_id": "naive", "permission": "me", "token_num": c.Tokens,
	}
}

// kbRow is a dataset as lists and updates show it.
func (f *face) kbRow(kb *world.KnowledgeBase) object {
	row := f.kb(kb)
	row["create_date"], row["create_time"] = date(kb.Created), kb.Created.UnixMilli()
	row["update_date"], row["update_time"] = date(kb.Updated), kb.Updated.UnixMilli()
	row["created_by"], row["tenant_id"], row["status"] = tables.Tenant, tables.Tenant, "1"
	row["similarity_threshold"], row["vector_similarity_weight"] = 0.2, 0.3
	return row
}

func parserConfig() object { return object{"pages": [][]int{{1, 1000000}}} }

// date says GMT and means the server's local time.
func date(t time.Time) string {
	return t.In(tables.Zone()).Format("Mon, 02 Jan 2006 15:04:05") + " GMT"
}

func noColumn(model, name string) string {
	return fmt.Sprintf(`AttributeError("type object '%s' has no attribute '%s'")`, model, name)
}

// window cuts "count" rows at "offset", a row number, out of a list.
// An offset at the end is an empty list; one behind it is an error.
func window[T any](all []T, v url.Values) []T {
	offset, count := 0, -1
	tables.PythonInt(v, "offset", &offset, fail)
	tables.PythonInt(v, "count", &count, fail)
	if offset < 0 || offset > len(all) {
		panic(fail(100, "IndexError('Offset is out of the valid range.')"))
	}
	return web.Window(all, offset, count)
}

// listDocuments does not look whether the dataset exists: an unknown one has no
// documents.
func (f *face) listDocuments(r *http.Request) reply {
	v := r.URL.Query()
	docs := f.s.Documents(r.PathValue("ds"))
	if keywords := v.Get("keywords"); keywords != "" {
		docs = docs.Filter(func(d *world.Document) bool { return tables.HasKeywords(d.Name, keywords) })
	}
	rows := web.Rows(window(f.ordered(docs, v), v), f.document)
	return tables.JSON(http.StatusOK, object{
		"code": 0, "data": object{"docs": rows, "total": docs.Len()}, "message": 0,
	})
}

// fail is an error of the preview's own: HTTP 200, no data.
func fail(code int, message string) reply {
	return tables.JSON(http.StatusOK, object{"code": code, "message": message})
}
