// Package tables is what the servers of both generations of RAGFlow have in common:
// what they keep of documents and datasets, how they change it, and how they
// answer.
package tables

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"kb-mcp/vendors/sandbox/internal/web"
	"kb-mcp/vendors/sandbox/world"
)

// object is a JSON object whose keys come out sorted, hence always the same.
type object = map[string]any

// Tenant is the account behind every RAGFlow credential: the owner of
// all datasets and documents.
const Tenant = "69736c5e723611efb51b0242ac120007"

// Server is which server of RAGFlow's current generation a face is. They
// share paths, and differ in words, keys and what they do.
type Server int

const (
	Python Server = iota // main of August 2026, Python
	Go                   // the same with the Go server
	Old                  // v0.24.0, Python
)

// Face is the server's Face as a face.
func (s Server) Face() string { return []string{"ragflow", "ragflow-go", "ragflow-0.24"}[s] }

// Tables is what the servers of both generations keep of the world.
type Tables struct{ *world.Side }

// Reply writes an answer.
type Reply func(w http.ResponseWriter)

// Action answers a request. It may refuse it by panicking with a [Reply].
type Action func(r *http.Request) Reply

// Methods is what one path can do.
type Methods map[string]Action

// Mux finds the action of a request.
type Mux struct{ http.ServeMux }

// Answer registers an action.
func (m *Mux) Answer(pattern string, action Action) {
	m.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		answer := func() (out Reply) {
			defer web.Catch(&out)
			return action(r)
		}
		answer()(w)
	})
}

// JSON is an answer of the servers.
func JSON(status int, v any) Reply {
	return func(w http.ResponseWriter) { web.WriteJSON(w, status, v) }
}

// page is an answer of the web front before the servers.
func page(status int, html string) Reply {
	return func(w http.ResponseWriter) {
		w.Header().Set("Server", "nginx")
		web.WriteRaw(w, status, "text/html", html)
	}
}

// TooMany is the web front's answer: RAGFlow itself limits nothing, so a 429
// comes from the proxy before it and is a page, not JSON.
func TooMany() Reply {
	return page(http.StatusTooManyRequests, "<html>\r\n"+
		"<head><title>429 Too Many Requests</title></head>\r\n<body>\r\n"+
		"<center><h1>429 Too Many Requests</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n")
}

// HasKeywords is the preview's search in names.
func HasKeywords(name, keywords string) bool {
	return strings.Contains(strings.ToLower(name), strings.ToLower(keywords))
}

// Refusal makes the answer that refuses a request for a reason.
type Refusal func(code int, message string) Reply

// PythonInt reads a number as int() does; without the parameter n stays.
func PythonInt(v url.Values, field string, n *int, refuse Refusal) {
	if !v.Has(field) {
		return
	}
	got, err := strconv.Atoi(strings.TrimSpace(v.Get(field)))
	if err != nil {
		panic(refuse(100, fmt.Sprintf(`ValueError("invalid literal for int() with base 10: '%s'")`, v.Get(field))))
	}
	*n = got
}

// SortByUpdate puts the last touched document first, newer ones before older
// ones of the same moment.
func (s *Tables) SortByUpdate(docs []*world.Document) {
	touched := make(map[*world.Document]int64, len(docs))
	for _, d := range docs {
		touched[d] = s.Life(d).Updated.UnixMilli()
	}
	slices.SortStableFunc(docs, func(a, b *world.Document) int {
		switch {
		case touched[a] > touched[b]:
			return -1
		case touched[a] < touched[b]:
			return 1
		}
		return 0
	})
}

// negative limit is all of them.
func Window[T any](all []T, offset, limit int) []T {
	if offset < 0 || offset >= len(all) {
		return nil
	}
	if rest := len(all) - offset; limit < 0 || limit > rest {
		limit = rest
	}
	return all[offset : offset+limit]
}

// SortKBs orders a dataset list; the list comes newest first.
func SortKBs(kbs []*world.KnowledgeBase, orderby string, desc bool) {
	slices.SortStableFunc(kbs, func(a, b *world.KnowledgeBase) int {
		c := a.Created.Compare(b.Created)
		if orderby == "update_time" {
			c = a.Updated.Compare(b.Updated)
		}
		if c == 0 {
			c = a.Seq - b.Seq
		}
		if desc {
			return -c
		}
		return c
	})
}

// OrNull is text, or null when there is none.
func OrNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}

// Counts sums up a dataset's documents.
type counts struct{ Documents, Chunks, Tokens, Size int }

func (s *Tables) Counts(kb string) counts {
	docs := s.Documents(kb)
	c := counts{Documents: docs.Len()}
	for d := range docs.All() {
		l := s.Life(d)
		c.Chunks += l.Chunks
		c.Tokens += l.Tokens
		c.Size += d.Size
	}
	return c
}

// Valid is the validity column, which has nothing to do with ingestion.
func Valid(d *world.Document) string {
	if d.Disabled {
		return "0"
	}
	return "1"
}

func Type(format string) string {
	switch format {
	case "pdf":
		return "pdf"
	case "jpg", "jpeg", "png", "gif", "webp", "bmp", "mp4", "mov", "avi", "mkv", "mpeg", "mpg", "wmv", "rmvb":
		return "visual"
	case "mp3", "wav", "aac", "flac", "ogg":
		return "aural"
	case "":
		return "other"
	}
	return "doc"
}

// States counts a dataset's documents by the five values of run that the
// servers count; others are in none of them.
func (s *Tables) States(kb string) object {
	names := map[string]string{
		unstart: "unstart_count", Running: "running_count", Cancel: "cancel_count", done: "done_count", fail: "fail_count",
	}
	counts := object{}
	for _, name := range names {
		counts[name] = 0
	}
	docs := s.Documents(kb)
	for d := range docs.All() {
		if name := names[s.Life(d).Run]; name != "" {
			counts[name] = counts[name].(int) + 1
		}
	}
	return counts
}
