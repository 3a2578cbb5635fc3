package dify

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"time"

	"kb-mcp/vendors"
	"kb-mcp/vendors/rest"
)

// facts is what searches and uploads need to know of a knowledge base.
type facts struct {
	id        string
	external  bool   // its content is elsewhere
	technique string // "" before the first upload
	form      string // doc_form, which every document must have
	embedding bool   // has an embedding model
	empty     bool   // has no document
	pipeline  bool   // its documents are made by a knowledge pipeline
	version   string // the server's release, "" when not said
	retrieval retrieval
}

// Bounds of what is remembered of knowledge bases.
const (
	memoryTime = 5 * time.Minute
	memorySize = 512
)

// memory keeps facts for a while, so that not every search and upload costs two
// requests of a limit that may be ten a minute. It is safe for concurrent use.
type memory struct {
	now func() time.Time

	mu    sync.Mutex
	facts map[string]remembered // by id in lower case
}

type remembered struct {
	facts
	read time.Time
}

func newMemory(now func() time.Time) *memory {
	return &memory{now: now, facts: map[string]remembered{}}
}

// keep remembers f, unless it is of an empty knowledge base, which the first
// upload changes.
func (m *memory) keep(f facts) {
	m.mu.Lock()
	defer m.mu.Unlock()
	key := strings.ToLower(f.id)
	if f.empty {
		delete(m.facts, key)
		return
	}
	if _, known := m.facts[key]; !known && len(m.facts) >= memorySize {
		m.dropOldest()
	}
	m.facts[key] = remembered{f, m.now()}
}

func (m *memory) dropOldest() {
	oldest, when := "", time.Time{}
	for key, r := range m.facts {
		if oldest == "" || r.read.Before(when) {
			oldest, when = key, r.read
		}
	}
	delete(m.facts, oldest)
}

// recall gives what was read lately.
func (m *memory) recall(id string) (facts, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, ok := m.facts[strings.ToLower(id)]
	if !ok || m.now().Sub(r.read) >= memoryTime {
		return facts{}, false
	}
	return r.facts, true
}

// forget drops what is no longer true.
func (m *memory) forget(id string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.facts, strings.ToLower(id))
}

// knowledgeBase gives the facts of one, read lately or now.
func (d *Driver) knowledgeBase(ctx context.Context, id string) (facts, error) {
	if f, ok := d.memory.recall(id); ok {
		return f, nil
	}
	return d.readKnowledgeBase(ctx, id)
}

// readKnowledgeBase reads the facts of one now.
func (d *Driver) readKnowledgeBase(ctx context.Context, id string) (facts, error) {
	var out dataset
	err := d.client.Do(ctx, rest.Call{Method: http.MethodGet, Path: []string{"datasets", id}}, &out)
	if err != nil {
		return facts{}, err
	}
	f := out.facts()
	f.id, f.version = id, out.version
	d.memory.keep(f)
	return f, nil
}

// knowledgeBaseByDocuments gives the facts of a knowledge base that cannot be read
// itself (without its plugin daemon Dify still lists and takes documents) as far
// as an upload needs them, from its newest document. Where there is a document,
// there is a technique, which stays whatever is sent.
func (d *Driver) knowledgeBaseByDocuments(ctx context.Context, id string, unread error) (facts, error) {
	out, err := d.documents(ctx, id, paging(1, 1))
	if err != nil || len(out.Data) == 0 {
		return facts{}, unread
	}
	return facts{id: id, technique: "economy", form: string(out.Data[0].Form), version: out.version}, nil
}

// externalRefused is the answer for a knowledge base whose content another
// service holds.
func externalRefused() error {
	return vendors.Errorf(vendors.Unsupported, "This knowledge base only points to another service (provider external); Dify's API neither searches nor fills it.").
		WithHint("Ask the service that holds its content, or use a knowledge base whose documents are in Dify.")
}
