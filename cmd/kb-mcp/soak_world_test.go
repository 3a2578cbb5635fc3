package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net"
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
	"kb-mcp/server"
	"kb-mcp/vendors/sandbox"
)

// Rates, in requests a second on each face: of the server, and of a process of
// the stdio transport. Without them the machine would do many times as many.
const (
	serverRate = 20
	stdioRate  = 4
)

// keeper is a document that stays in a scratch knowledge base.
const keeper = "keeper.txt"

// archived is how many documents the knowledge base holds that never changes.
const archived = 300

// soakWorld is a sandbox, the server over it, and what is known of both.
type soakWorld struct {
	t      *testing.T
	sb     *sandbox.Sandbox
	url    string // of the server
	server *server.Server
	stop   func()
	hangUp func() // ends the server's connections to its platforms
	client *http.Client

	schemas map[string]*jsonschema.Schema // output, by tool
	known   []*known
	faulty  atomic.Bool // faults are on
	seed    uint64

	mu     sync.Mutex
	fronts int
	unread time.Duration  // the longest that a request lay in a front
	count  map[string]int // what has happened
}

// known is what a connection must show.
type known struct {
	vendor, platform string
	can              []string
	archive, scratch string                       // knowledge bases
	bases            []string                     // all of them, as seen without faults
	docs             map[string]*sandbox.Document // of the archive
}

// connections are names of connections with their faces.
func connections() map[string]string {
	return map[string]string{
		"coze": sandbox.FaceCoze, "dify": sandbox.FaceDify, "ragflow": sandbox.FaceRAGFlow, "volcengine": sandbox.FaceVolcengine,
		"studio": sandbox.FaceCozeStudio, "preview": sandbox.FaceRAGFlowPreview,
	}
}

// environ points a new process at the sandbox through a front of its own.
func (w *soakWorld) environ(rate int) (environ []string, srv *httptest.Server, done func()) {
	w.mu.Lock()
	w.fronts++
	n := w.fronts
	w.mu.Unlock()
	f := &front{
		t: w.t, next: w.sb, faulty: &w.faulty, quota: rate, rng: rand.New(rand.NewPCG(w.seed, uint64(n))),
		recent: map[string][]time.Time{}, count: map[string]int{},
	}
	srv = watching(f)
	var names []string
	for name, face := range connections() {
		platform, _, _ := strings.Cut(face, "-")
		prefix := ""
		if name != platform {
			prefix = strings.ToUpper(name) + "_"
		}
		names = append(names, name+"="+platform)
		own := append(sandbox.Variables(srv.URL, face),
			strings.ToUpper(platform)+fmt.Sprintf("_RATE_LIMIT=%d/s", rate), strings.ToUpper(platform)+"_TIMEOUT=1s")
		for _, variable := range own {
			environ = append(environ, prefix+variable)
		}
	}
	slices.Sort(names)
	environ = append(environ, "KB_MCP_VENDORS="+strings.Join(names, ","), "KB_MCP_ALLOW_WRITES=true", "KB_MCP_LOG_LEVEL=error")
	return environ, srv, func() {
		srv.Close()
		w.mu.Lock()
		defer w.mu.Unlock()
		for what, n := range f.count {
			w.count["front: "+what] += n
		}
		w.unread = max(w.unread, f.latest)
	}
}

// newSoakWorld starts everything and looks at it before there are faults.
func newSoakWorld(t *testing.T, seed uint64) *soakWorld {
	w := &soakWorld{
		t: t, sb: sandbox.New(sandbox.Options{Documents: archived}), seed: seed, count: map[string]int{},
		schemas: map[string]*jsonschema.Schema{}, client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 128}},
	}
	for _, platform := range []string{sandbox.Coze, sandbox.Dify, sandbox.RAGFlow, sandbox.Volcengine} {
		w.sb.Store(platform).AddKB(sandbox.KnowledgeBase{Name: "scratch", Technique: "high_quality", Project: "default", Created: time.Now(), Updated: time.Now()})
		// Dify asks for more when the first document comes, and sessions that
		// take each other's last one away could go on so for ever.
		if _, err := w.sb.Add(platform, "scratch", keeper, sandbox.Immediate(sandbox.Completed)); err != nil {
			t.Fatal(err)
		}
	}
	environ, front, closeFront := w.environ(serverRate)
	w.hangUp = front.CloseClientConnections
	conf, err := settings.Open(environ, io.Discard, version)
	if err != nil {
		t.Fatal(err)
	}
	w.server = newServer(conf)
	ctx, cancel := context.WithCancel(context.Background())
	listening, served := make(chan net.Addr, 1), make(chan error, 1)
	go func() { // stop waits for it
		served <- w.server.HTTP(ctx, server.HTTPOptions{Addr: "127.0.0.1:0", Listening: func(a net.Addr) { listening <- a }})
	}()
	w.url = "http://" + (<-listening).String()
	w.stop = func() {
		cancel()
		if err := <-served; err != nil {
			t.Errorf("HTTP = %v", err)
		}
		w.client.CloseIdleConnections()
		closeFront()
	}
	w.compileSchemas(conf)
	w.look()
	return w
}

func (w *soakWorld) compileSchemas(conf settings.Config) {
	for _, d := range conf.Tools().Definitions() {
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(d.RawOutputSchema))
		if err != nil {
			w.t.Fatal(err)
		}
		c := jsonschema.NewCompiler()
		if err := c.AddResource("s.json", doc); err != nil {
			w.t.Fatal(err)
		}
		if w.schemas[d.Name], err = c.Compile("s.json"); err != nil {
			w.t.Fatal(err)
		}
	}
}

// look learns what must be seen from then on.
func (w *soakWorld) look() {
	road, err := newHTTPRoad(w.t.Context(), w.client, w.url, false)
	if err != nil {
		w.t.Fatal(err)
	}
	v := w.visitor(road, rand.New(rand.NewPCG(w.seed, 0)))
	var all struct {
		Vendors []struct {
			Vendor, Platform string
			Capabilities     []string
		}
	}
	v.get("list_vendors", nil, &all)
	if len(all.Vendors) != len(connections()) {
		w.t.Fatalf("connections: %+v", all)
	}
	for _, c := range all.Vendors {
		k := &known{vendor: c.Vendor, platform: c.Platform, can: c.Capabilities, docs: map[string]*sandbox.Document{}}
		k.archive = w.sb.KnowledgeBaseID(k.platform, sandbox.BulkName(k.platform))
		k.scratch = w.sb.KnowledgeBaseID(k.platform, "scratch")
		docs := w.sb.Store(k.platform).Documents(k.archive)
		for i := range docs.Len() {
			k.docs[docs.At(i).ID] = docs.At(i)
		}
		v.known = k
		k.bases, _ = v.knowledgeBases(20)
		if !slices.Contains(k.bases, k.archive) || !slices.Contains(k.bases, k.scratch) || len(k.docs) != archived {
			w.t.Fatalf("%s: %v lack %s or %s, or %d documents are wrong", k.vendor, k.bases, k.archive, k.scratch, len(k.docs))
		}
		w.known = append(w.known, k)
	}
}

// status is what a document of the archive must be said to be.
func status(d *sandbox.Document) string {
	switch {
	case d.Plan.Outcome == sandbox.Failed:
		return "failed"
	case len(d.Plan.Stages) > 0:
		return "processing"
	}
	return "completed"
}

// ids are those of the archive, sorted; with a status, those in it.
func (k *known) ids(in ...string) (ids []string) {
	for id, d := range k.docs {
		if len(in) == 0 || slices.Contains(in, status(d)) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

func (w *soakWorld) happened(what string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.count[what]++
}

// cleanUp deletes what was left in the scratch knowledge bases, as after an
// upload whose answer was lost.
func (w *soakWorld) cleanUp() {
	for _, k := range w.known {
		docs := w.sb.Store(k.platform).Documents(k.scratch)
		for i := range docs.Len() {
			if docs.At(i).Name != keeper {
				w.sb.Remove(k.platform, docs.At(i).ID)
			}
		}
	}
}

// told is everything that has happened, for the log.
func (w *soakWorld) told() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var b strings.Builder
	for _, what := range slices.Sorted(maps.Keys(w.count)) {
		fmt.Fprintf(&b, "%8d %s\n", w.count[what], what)
	}
	fmt.Fprintf(&b, "a request lay unread for %v at most\n", w.unread)
	return b.String()
}

// compact is the JSON of v for messages.
func compact(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(b[:min(len(b), 2000)])
}
