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
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Options are what a sandbox can be told. The zero value is a good sandbox.
type Options struct {
	Documents   int              // size of an extra large knowledge base on every platform; 0: none
	Now         func() time.Time // the clock; nil is time.Now
	Speed       float64          // ingestion runs this many times as fast; 0 is 1
	Quota       int              // requests that a face answers in a QuotaWindow; 0: any number
	QuotaWindow time.Duration    // 0 is a minute
	Latency     time.Duration    // every answer takes at least this long
	FloatTimes  bool             // Dify's times are floats where older servers send floats
	OldDeletes  bool             // Dify answers a delete with 200 and the body 204, as from 1.4 to 1.12
	Dify        DifyOptions      // its release, and what does not work there
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

// Sandbox is the server's handler.
type Sandbox struct {
	opts  Options
	store *Store
	faces []face
	key   func() *rsa.PrivateKey // of the Coze JWT app, made when first asked for

	mu       sync.Mutex
	requests map[string]int         // by face
	recent   map[string][]time.Time // by face: what the quota counts
	refused  map[string]int         // by face: rate-limit answers
}

// face is one platform's protocol under one path prefix. Its handler sees the
// path without the prefix, beginning with a slash.
type face struct {
	name, prefix string
	handler      http.Handler
}

// New makes a sandbox with its knowledge bases in place.
func New(o Options) *Sandbox {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Speed <= 0 {
		o.Speed = 1
	}
	if o.QuotaWindow <= 0 {
		o.QuotaWindow = time.Minute
	}
	s := &Sandbox{
		opts: o, store: newStore(), key: sync.OnceValue(newCozeKey),
		requests: map[string]int{}, recent: map[string][]time.Time{}, refused: map[string]int{},
	}
	s.seed()
	s.bulk(o.Documents)
	s.faces = []face{
		{FaceCoze, "/coze", newCoze(s)},
		{FaceCozeStudio, "/coze-studio", newCozeStudio(s)},
		{FaceDify, "/dify/v1", newDify(s)},
		{FaceDifyFiles, "/dify/files", newDifyFiles(s)},
		{FaceRAGFlow, "/ragflow", newRAGFlow(s, ragPython, FaceRAGFlow)},
		{FaceRAGFlowGo, "/ragflow-go", newRAGFlow(s, ragGo, FaceRAGFlowGo)},
		{FaceRAGFlowOld, "/ragflow-0.24", newRAGFlow(s, ragOld, FaceRAGFlowOld)},
		{FaceRAGFlowPreview, "/ragflow-preview", newRAGFlowPreview(s)},
		{FaceVolcengine, "/volcengine", newVolcengine(s)},
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

// now is the sandbox's clock.
func (s *Sandbox) now() time.Time { return s.opts.Now() }

// state is where d stands now.
func (s *Sandbox) state(d *Document) State { return d.State(s.now()) }

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
	clear(s.recent)
	clear(s.refused)
}

// limited charges the quota of a face for one request and reports whether the
// face must answer with its platform's rate-limit error. A face calls it once
// for each request whose credential is good. Refused requests count when
// countRefused is set, as Dify counts them.
func (s *Sandbox) limited(face string, countRefused bool) bool {
	if s.opts.Quota <= 0 {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	old := now.Add(-s.opts.QuotaWindow)
	seen := slices.DeleteFunc(s.recent[face], func(t time.Time) bool { return !t.After(old) })
	over := len(seen) >= s.opts.Quota
	if !over || countRefused {
		seen = append(seen, now)
	}
	s.recent[face] = seen
	if over {
		s.refused[face]++
	}
	return over
}

// refusals says how many rate-limit answers a face has had to give.
func (s *Sandbox) refusals(face string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.refused[face]
}

// Add puts a new document into a knowledge base (named by its id, or by its
// name) whose ingestion starts now, and returns its id. On RAGFlow, where
// uploading does not parse, it is as if somebody had also started it.
func (s *Sandbox) Add(platform, kb, name string, plan Plan) (string, error) {
	id := s.KnowledgeBaseID(platform, kb)
	if id == "" {
		return "", fmt.Errorf("sandbox: no knowledge base %q on %s", kb, platform)
	}
	now := s.now()
	text := "Text of " + name + ".\n它的第二段。"
	d := s.store.Add(Document{
		Platform: platform, KB: id, Name: name, Format: suffix(name), Source: "file",
		Size: len(text), Text: text, Created: now, Updated: now, Started: now,
		Plan: plan.sped(s.opts.Speed),
	})
	return d.ID, nil
}

// Remove removes a document without a trace; false when it is not there.
func (s *Sandbox) Remove(platform, document string) bool {
	return s.store.Remove(platform, document)
}

// Store is what the faces show, for tests that need more than [Sandbox.Add].
func (s *Sandbox) Store() *Store { return s.store }

// KnowledgeBaseID finds a knowledge base by its name or its id; "" when there
// is none.
func (s *Sandbox) KnowledgeBaseID(platform, name string) string {
	for _, kb := range s.store.KBs(platform) {
		if kb.Name == name || kb.ID == name {
			return kb.ID
		}
	}
	return ""
}

// DocumentID finds the newest document of a name; "" when there is none.
func (s *Sandbox) DocumentID(platform, name string) string {
	for _, kb := range s.store.KBs(platform) {
		docs := s.store.Documents(platform, kb.ID)
		for i := range docs.Len() {
			if d := docs.At(i); d.Name == name {
				return d.ID
			}
		}
	}
	return ""
}

// DifyBatch is the batch of a Dify document's newest upload, which no call of
// the platform tells afterwards; "" when there is no such document.
func (s *Sandbox) DifyBatch(document string) string {
	if d := s.store.Document(Dify, document); d != nil {
		return d.Batch
	}
	return ""
}
