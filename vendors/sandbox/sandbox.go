// Package sandbox is one in-process HTTP server that speaks the wire protocols
// of four document platforms over one store: Coze (hosted and self-hosted),
// Dify, RAGFlow (its Python and its Go server, v0.24.0 and the preview
// generation) and Volcengine. It backs the demo, the guided tour, the tests and
// the command "kb-mcp sandbox".
//
// A [Sandbox] is a handler; [Start] serves one on loopback. Every face checks
// credentials or signatures with code of its own, pages for real, and fails in
// its platform's own way. Documents move with the clock only: the state of a
// document is a function of its plan, its start and the time, so equal options
// and an equal clock give equal bytes.
package sandbox

import (
	"crypto/rsa"
	"net/http"
	"strings"
	"sync"
	"time"

	"kb-mcp/vendors/sandbox/coze"
	"kb-mcp/vendors/sandbox/dify"
	"kb-mcp/vendors/sandbox/ragflow"
	"kb-mcp/vendors/sandbox/ragflow/preview"
	"kb-mcp/vendors/sandbox/ragflow/tables"
	"kb-mcp/vendors/sandbox/volcengine"
	"kb-mcp/vendors/sandbox/world"
)

// Options are what a sandbox can be told. The zero value is a good sandbox.
type Options struct {
	Documents   int              // size of an extra large knowledge base on every platform; 0: none
	Now         func() time.Time // the clock; nil is time.Now
	Speed       float64          // ingestion runs this many times as fast; 0 is 1
	Quota       int              // requests that a face answers in a QuotaWindow; 0: any number
	QuotaWindow time.Duration    // 0 is a minute
	Latency     time.Duration    // every answer takes at least this long
	Dify        dify.Options     // its release, and what does not work there
	Spent       bool             // Coze's free calls are used up: code 4028 with HTTP 200
	PlainStates bool             // hosted Coze shows the documented statuses 0, 1 and 9 only
	RAGFlowAway string           // what RAGFlow needs and cannot reach: database, queue, engine, model, store; of Go also tables and license
	BrokenStart bool             // RAGFlow's preview fails to start parsing, as its releases v0.9.0 and v0.10.0 do
}

// The faces, as [Sandbox.Requests] names them.
const (
	FaceCoze           = "coze"
	FaceCozeStudio     = "coze-studio"
	FaceDify           = "dify"
	FaceDifyFiles      = "dify-files"   // the host of Dify's signed addresses
	FaceRAGFlow        = "ragflow"      // the Python server of main
	FaceRAGFlowGo      = "ragflow-go"   // its Go server
	FaceRAGFlowOld     = "ragflow-0.24" // v0.24.0
	FaceRAGFlowPreview = "ragflow-preview"
	FaceVolcengine     = "volcengine"
)

// Sandbox is the server's handler. Its world is what the faces show.
type Sandbox struct {
	*world.World
	opts  Options
	faces []face
	key   func() *rsa.PrivateKey // of the Coze JWT app, made when first asked for

	mu       sync.Mutex
	requests map[string]int // by face
}

// face is one platform's protocol under one path prefix. Its handler sees the
// path without the prefix, beginning with a slash.
type face struct {
	name, prefix string
	handler      http.Handler
}

// New makes a sandbox with its knowledge bases in place.
func New(o Options) *Sandbox {
	w := world.New(world.Options{Documents: o.Documents, Now: o.Now, Speed: o.Speed, Quota: o.Quota, QuotaWindow: o.QuotaWindow})
	s := &Sandbox{World: w, opts: o, key: sync.OnceValue(coze.NewKey), requests: map[string]int{}}
	ragflow := func(server tables.Server) http.Handler {
		return ragflow.New(w, ragflow.Options{Server: server, Away: o.RAGFlowAway})
	}
	s.faces = []face{
		{FaceCoze, "/coze", coze.New(w, coze.Options{Key: s.key, Spent: o.Spent, PlainStates: o.PlainStates})},
		{FaceCozeStudio, "/coze-studio", coze.NewStudio(w)},
		{FaceDify, "/dify/v1", dify.New(w, o.Dify)},
		{FaceDifyFiles, "/dify/files", dify.NewFiles(w)},
		{FaceRAGFlow, "/ragflow", ragflow(tables.Python)},
		{FaceRAGFlowGo, "/ragflow-go", ragflow(tables.Go)},
		{FaceRAGFlowOld, "/ragflow-0.24", ragflow(tables.Old)},
		{FaceRAGFlowPreview, "/ragflow-preview", preview.New(w, preview.Options{BrokenStart: o.BrokenStart})},
		{FaceVolcengine, "/volcengine", volcengine.New(w)},
	}
	return s
}

// ServeHTTP hands a request to the face whose prefix it has.
func (s *Sandbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f, ok := s.face(r.URL.Path)
	if !ok {
		http.NotFound(w, r)
		return
	}
	s.count(f.name)
	if s.delay(r) {
		http.StripPrefix(f.prefix, f.handler).ServeHTTP(w, r)
	}
}

// face finds the face of a path, with the prefix that the path has: none for
// Volcengine's at the root, whose own client libraries take only a host.
func (s *Sandbox) face(path string) (face, bool) {
	for _, f := range s.faces {
		if strings.HasPrefix(path, f.prefix+"/") || f.name == FaceDify && path == f.prefix {
			return f, true
		}
		if f.name == FaceVolcengine && (path == "/ping" || strings.HasPrefix(path, "/api/knowledge/")) {
			f.prefix = ""
			return f, true
		}
	}
	return face{}, false
}

// delay waits for the latency; false when the client has gone.
func (s *Sandbox) delay(r *http.Request) bool {
	if s.opts.Latency <= 0 {
		return true
	}
	t := time.NewTimer(s.opts.Latency)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-r.Context().Done():
		return false
	}
}

func (s *Sandbox) count(face string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests[face]++
}

// Requests says how many requests a face has had since the start or the last
// [Sandbox.ResetRequests], refused ones too.
func (s *Sandbox) Requests(face string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests[face]
}

// ResetRequests sets all counters to zero and empties the quota's windows.
func (s *Sandbox) ResetRequests() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.requests)
	s.ResetQuota()
}

// Add is [world.World.Upload].
func (s *Sandbox) Add(platform, kb, name string, plan world.Plan) (string, error) {
	return s.Upload(platform, kb, name, plan)
}

// Remove removes a document without a trace; false when it is not there.
func (s *Sandbox) Remove(platform, document string) bool {
	return s.Store(platform).Remove(document)
}

// DifyBatch is the batch of a Dify document's newest upload, which no call of
// the platform tells afterwards; "" when there is no such document.
func (s *Sandbox) DifyBatch(document string) string {
	if d := s.Store(world.Dify).Document(document); d != nil {
		return d.Batch
	}
	return ""
}
