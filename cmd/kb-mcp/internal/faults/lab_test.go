package faults

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"kb-mcp/cmd/kb-mcp/internal/settings"
	"kb-mcp/tools"
	"kb-mcp/vendors"
	"kb-mcp/vendors/connection"
	"kb-mcp/vendors/sandbox"
)

// column is one platform's dialect in the table of faults.
type column struct {
	face, vendor string
	operations   []operation
}

// operation is one question of an agent, and its answer without a fault.
type operation struct {
	name, tool string
	args       json.RawMessage
	right      []byte
	asked      []reply // what the platform answered for it, request by request
}

// wholeProgress is the operation without document ids.
const wholeProgress = "progress of the knowledge base"

// reply is what the sandbox answers to a request.
type reply struct {
	status int
	header http.Header
	body   []byte
}

// lab is where faults are tried: all columns, over one sandbox whose clock
// stands, so that the same question has the same answer.
type lab struct {
	t       *testing.T
	sandbox *sandbox.Sandbox
	columns []*column
	schemas map[string]*jsonschema.Schema

	elsewhere *httptest.Server // where redirects lead
	visits    atomic.Int32     // to it
	requests  atomic.Int32     // to the platforms
	known     sync.Map         // of request to reply: the sandbox's clock stands

	mu   sync.Mutex
	seen map[[2]string]map[string]bool // by row and column: what the agent saw
}

// newLab asks every question once without a fault.
func newLab(t *testing.T) *lab {
	began := time.Now()
	l := &lab{t: t, sandbox: sandbox.New(sandbox.Options{Now: func() time.Time { return began }}),
		schemas: map[string]*jsonschema.Schema{}, seen: map[[2]string]map[string]bool{}}
	l.elsewhere = httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { l.visits.Add(1) }))
	t.Cleanup(l.elsewhere.Close)
	l.columns = []*column{
		{face: sandbox.FaceCoze, vendor: "coze"}, {face: sandbox.FaceCozeStudio, vendor: "coze"},
		{face: sandbox.FaceDify, vendor: "dify"},
		{face: sandbox.FaceRAGFlow, vendor: "ragflow"}, {face: sandbox.FaceRAGFlowPreview, vendor: "ragflow"},
		{face: sandbox.FaceVolcengine, vendor: "volcengine"},
	}
	for _, c := range l.columns {
		l.prepare(c)
	}
	return l
}

// prepare finds a column's operations and their right answers.
func (l *lab) prepare(c *column) {
	srv := httptest.NewServer(l.handler(c, mishap{}, nil))
	defer srv.Close()
	conf := l.connect(c, mishap{}, srv.URL)
	set := conf.Tools()
	for _, d := range set.Definitions() {
		l.schemas[d.Name] = strictSchema(l.t, d.RawOutputSchema)
	}
	kb, docs := l.fullest(set)
	one, two := docs[0].DocumentID, docs[1].DocumentID
	searched, split, query := kb, one, "退款"
	if c.vendor == "coze" { // captions of images are all that can be read there
		searched, split, query = l.images(set)
	}
	can := tools.Capabilities(conf.Connections[0])
	for _, q := range []struct {
		name, tool string
		args       object
	}{
		{"list of documents", "list_documents", object{"knowledge_base_id": kb, "limit": 1}},
		{"list of knowledge bases", "list_knowledge_bases", object{"limit": 2}},
		{"document", "get_document_info", object{"knowledge_base_id": kb, "document_id": one}},
		{"progress of documents", "get_ingestion_progress", object{"knowledge_base_id": kb, "document_ids": []string{one, two}}},
		{wholeProgress, "get_ingestion_progress", object{"knowledge_base_id": kb}},
		{"search", "search_knowledge_base", object{"knowledge_base_id": searched, "query": query, "limit": 2}},
		{"chunks", "list_chunks", object{"knowledge_base_id": searched, "document_id": split, "limit": 2}},
		{"unfinished documents", "find_unfinished_documents", object{"knowledge_base_id": kb}},
	} {
		if slices.Contains(can, q.tool) {
			c.operations = append(c.operations, l.recorded(c, q.name, q.tool, q.args))
		}
	}
}

// fullest is the knowledge base with the most documents, and these.
func (l *lab) fullest(set *tools.Set) (kb string, list []vendors.Document) {
	var kbs connection.KnowledgeBaseList
	l.must(set, "list_knowledge_bases", object{}, &kbs)
	most := slices.MaxFunc(kbs.KnowledgeBases, func(a, b vendors.KnowledgeBase) int { return cmp.Compare(*a.DocumentCount, *b.DocumentCount) })
	var docs connection.DocumentList
	l.must(set, "list_documents", object{"knowledge_base_id": most.KnowledgeBaseID}, &docs)
	return most.KnowledgeBaseID, docs.Documents
}

// images is a knowledge base of images, one of them, and its caption.
func (l *lab) images(set *tools.Set) (kb, document, caption string) {
	var kbs connection.KnowledgeBaseList
	l.must(set, "list_knowledge_bases", object{}, &kbs)
	at := slices.IndexFunc(kbs.KnowledgeBases, func(kb vendors.KnowledgeBase) bool { return kb.Kind == "image" })
	kb = kbs.KnowledgeBases[at].KnowledgeBaseID
	var docs connection.DocumentList
	l.must(set, "list_documents", object{"knowledge_base_id": kb}, &docs)
	for _, doc := range docs.Documents {
		var chunks connection.ChunkList
		if l.must(set, "list_chunks", object{"knowledge_base_id": kb, "document_id": doc.DocumentID}, &chunks); len(chunks.Chunks) > 0 {
			return kb, doc.DocumentID, chunks.Chunks[0].Content
		}
	}
	l.t.Fatal("no image has a caption")
	return "", "", ""
}

// recorded is an operation with its right answer and what was asked for it, by
// connections that know nothing yet, as every try has them.
func (l *lab) recorded(c *column, name, tool string, args object) operation {
	o := operation{name: name, tool: tool}
	var mu sync.Mutex
	f := mishap{serve: func(x *exchange) {
		mu.Lock()
		o.asked = append(o.asked, x.right)
		mu.Unlock()
		x.pass()
	}}
	srv := httptest.NewServer(l.handler(c, f, nil))
	defer srv.Close()
	conf := l.connect(c, f, srv.URL)
	o.args, o.right = l.must(conf.Tools(), tool, args, new(any))
	return o
}

// object is the arguments of a call.
type object = map[string]any

// must calls a tool, which has to work.
func (l *lab) must(set *tools.Set, tool string, args object, into any) (asked, answer []byte) {
	l.t.Helper()
	asked, err := json.Marshal(args)
	if err != nil {
		l.t.Fatal(err)
	}
	a, _ := set.Call(l.t.Context(), tool, asked)
	if a.Failed {
		l.t.Fatalf("%s %s: %s", tool, asked, a.Text)
	}
	if err := json.Unmarshal(a.Text, into); err != nil {
		l.t.Fatal(err)
	}
	return asked, a.Text
}

// safeBuffer may be written and read at the same time.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// connected is a column's connection to a listener, with what it wrote to its
// log and its credentials.
type connected struct {
	settings.Config
	log     *safeBuffer
	secrets []string
}

// connect opens a new connection of a column, which knows nothing that others
// have learned.
func (l *lab) connect(c *column, f mishap, base string) connected {
	l.t.Helper()
	if f.base != nil {
		base = f.base(base)
	}
	platform := strings.ToUpper(c.vendor)
	environ := []string{"KB_MCP_LOG_LEVEL=debug", "KB_MCP_ALLOW_WRITES=true", platform + "_RATE_LIMIT=off", platform + "_TIMEOUT=" + cmp.Or(f.timeout, "30s")}
	if f.ca != "" {
		environ = append(environ, "KB_MCP_CA_FILE="+f.ca)
	}
	out := connected{log: &safeBuffer{}}
	for _, pair := range sandbox.Variables(base, c.face) {
		environ = append(environ, pair)
		name, value, _ := strings.Cut(pair, "=")
		if strings.HasSuffix(name, "_KEY") || strings.HasSuffix(name, "_TOKEN") {
			out.secrets = append(out.secrets, value)
		}
	}
	var err error
	if out.Config, err = settings.Open(environ, out.log, "0.0.0"); err != nil {
		l.t.Fatal(err)
	}
	return out
}

// handler answers through a fault. carried, if any, gets the credentials that
// requests brought, a line each.
func (l *lab) handler(c *column, f mishap, carried *safeBuffer) http.Handler {
	var n atomic.Int32
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		l.requests.Add(1)
		x := &exchange{w: w, r: r, n: int(n.Add(1)) - 1, face: c.face}
		if carried != nil {
			fmt.Fprintln(carried, r.Header.Get("Authorization"))
		}
		x.right = l.answer(r)
		if f.serve == nil || x.n < f.from {
			x.pass()
			return
		}
		f.serve(x)
	})
}

// answer is what the sandbox says to a request.
func (l *lab) answer(r *http.Request) reply {
	body, _ := io.ReadAll(r.Body) // what a client that left did not send, nobody reads
	key := r.Method + " " + r.URL.String() + " " + string(body)
	if known, ok := l.known.Load(key); ok {
		return known.(reply)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	rec := httptest.NewRecorder()
	l.sandbox.ServeHTTP(rec, r)
	right := reply{rec.Code, rec.Header().Clone(), rec.Body.Bytes()}
	l.known.Store(key, right)
	return right
}
