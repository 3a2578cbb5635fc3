package world

import (
	"path"
	"slices"
	"strings"
	"sync"
	"time"
)

// The platforms. Each has knowledge bases of its own; the studio flavour of
// Coze shares Coze's and the preview generation of RAGFlow shares RAGFlow's.
const (
	Coze       = "coze"
	Dify       = "dify"
	RAGFlow    = "ragflow"
	Volcengine = "volcengine"
)

// Platforms are all of them.
func Platforms() []string { return []string{Coze, Dify, RAGFlow, Volcengine} }

// KnowledgeBase is one knowledge base of one platform. A value handed out by
// the store is never changed.
type KnowledgeBase struct {
	Seq         int
	ID          string
	Name        string
	Description string
	Kind        string  // "text" (also ""), "table" or "image"
	Technique   string  // Dify: "high_quality", "economy" or "" (nothing uploaded yet)
	Project     string  // Volcengine
	Fields      []Field // Volcengine: what filters may name beside the document's id; RAGFlow: what metadata are made of
	Pipeline    string  // RAGFlow: the pipeline that parses its documents
	Bare        bool    // RAGFlow: made by the Go server, which leaves the settings empty
	Index       int     // Volcengine: the state of the index instead of the usual one; 0: none
	Private     bool    // Dify: another member's own, shown to include_all only
	Disabled    bool    // switched off as a whole: Coze status 3, Dify API access off
	Space       string  // Coze: "" is the space of whoever does not name another
	Owner       string  // Coze: "" is the usual user
	Created     time.Time
	Updated     time.Time
	Dify        DifyBase
}

// Field is one entry of a document's metadata.
type Field struct {
	Name  string `json:"name"`
	Type  string `json:"type"` // "string", "number" or "time"
	Value any    `json:"value"`
}

// Document is one document of one knowledge base. A document handed out by the
// store is never changed: [Store.Update] replaces it.
type Document struct {
	Seq int    // rises in the order of creation, unique within its platform
	KB  string // id of its knowledge base
	ID  string // in the platform's form

	Name     string
	Format   string // suffix, lower case, no dot
	Source   string // "file", "web", "text", "notion", "object_storage", "lark", "connector"
	URL      string // where it came from; may carry a signature in its query
	Size     int    // bytes
	Text     string // what was extracted; chunks are cut from it
	Pieces   int    // number of chunks when it is not what Text gives
	Hits     int
	Metadata []Field
	Labels   map[string]string // Volcengine
	Batch    string            // Dify: the batch of the upload
	Coze     CozeDetail

	Edited    []Chunk // the chunks, once somebody has edited them; see [Store.EditChunks]
	LastChunk int     // the highest number given to one of Edited

	Created  time.Time
	Updated  time.Time
	Started  time.Time // when ingestion was asked for; zero: not yet
	Earlier  time.Time // when an ingestion before this one completed, if one did
	Plan     Plan
	Disabled bool // not served to searches
	Archived bool
	Dify     DifyPart
}

// Store holds one platform's knowledge bases and documents. It is safe for
// concurrent use.
type Store struct {
	platform string

	mu    sync.RWMutex
	seq   int
	kbs   []*KnowledgeBase // oldest first
	kbID  map[string]*KnowledgeBase
	docs  map[string]*Document   // by document id
	byKB  map[string][]*Document // by knowledge base id; oldest first, see [List]
	batch map[string][]string    // Dify: batch to document ids
}

func newStore(platform string) *Store {
	return &Store{
		platform: platform, kbID: map[string]*KnowledgeBase{}, docs: map[string]*Document{},
		byKB: map[string][]*Document{}, batch: map[string][]string{},
	}
}

// AddKB stores kb under the next number of the platform and returns it with
// Seq and ID filled in (an ID that is already set is kept).
func (st *Store) AddKB(kb KnowledgeBase) *KnowledgeBase {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.seq++
	kb.Seq = st.seq
	if kb.ID == "" {
		kb.ID = kbID(st.platform, kb.Seq)
	}
	st.kbs = append(slices.Clip(st.kbs), &kb)
	st.kbID[kb.ID] = &kb
	return &kb
}

// KB finds a knowledge base by its id; nil when there is none.
func (st *Store) KB(id string) *KnowledgeBase {
	st.mu.RLock()
	defer st.mu.RUnlock()
	return st.kbID[id]
}

// KBs lists the knowledge bases, newest first.
func (st *Store) KBs() []*KnowledgeBase {
	st.mu.RLock()
	defer st.mu.RUnlock()
	out := slices.Clone(st.kbs)
	slices.SortStableFunc(out, func(a, b *KnowledgeBase) int {
		if c := b.Created.Compare(a.Created); c != 0 {
			return c
		}
		return b.Seq - a.Seq
	})
	return out
}

// UpdateKB replaces a knowledge base by a changed copy; false when there is
// none of this id.
func (st *Store) UpdateKB(id string, change func(*KnowledgeBase)) bool {
	st.mu.Lock()
	defer st.mu.Unlock()
	old := st.kbID[id]
	if old == nil {
		return false
	}
	kb := *old
	change(&kb)
	st.kbID[id] = &kb
	st.kbs = slices.Clone(st.kbs)
	st.kbs[slices.Index(st.kbs, old)] = &kb
	return true
}

// RemoveKB removes a knowledge base with its documents.
func (st *Store) RemoveKB(id string) bool {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.kbID[id] == nil {
		return false
	}
	for _, d := range st.byKB[id] {
		delete(st.docs, d.ID)
	}
	delete(st.byKB, id)
	delete(st.kbID, id)
	st.kbs = slices.DeleteFunc(slices.Clone(st.kbs), func(kb *KnowledgeBase) bool { return kb.ID == id })
	return true
}

// Add stores d under the next number of the platform and returns it with Seq,
// ID and (on Dify) Batch filled in; an ID that is already set is kept.
func (st *Store) Add(d Document) *Document {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.seq++
	d.Seq = st.seq
	if d.ID == "" {
		d.ID = documentID(st.platform, d.Seq)
	}
	if st.platform == Dify && d.Batch == "" {
		d.Batch = BatchID(d.Created, d.Seq)
	}
	st.docs[d.ID] = &d
	st.byKB[d.KB] = inserted(st.byKB[d.KB], &d)
	if d.Batch != "" {
		st.batch[d.Batch] = append(st.batch[d.Batch], d.ID)
	}
	return &d
}

// Document finds a document by its id; nil when there is none.
func (st *Store) Document(id string) *Document {
	st.mu.RLock()
	defer st.mu.RUnlock()
	return st.docs[id]
}

// Batch lists the documents whose newest upload was in this batch.
func (st *Store) Batch(batch string) []*Document {
	st.mu.RLock()
	defer st.mu.RUnlock()
	var out []*Document
	for _, id := range st.batch[batch] {
		if d := st.docs[id]; d != nil && d.Batch == batch {
			out = append(out, d)
		}
	}
	return out
}

// Update replaces a document by a changed copy (Seq, ID, KB and Created stay)
// and returns it; nil when there is none of this id.
func (st *Store) Update(id string, change func(*Document)) *Document {
	st.mu.Lock()
	defer st.mu.Unlock()
	old := st.docs[id]
	if old == nil {
		return nil
	}
	d := *old
	change(&d)
	d.Seq, d.ID, d.KB, d.Created = old.Seq, old.ID, old.KB, old.Created
	if d.Batch != old.Batch {
		st.batch[d.Batch] = append(st.batch[d.Batch], d.ID)
	}
	list := slices.Clone(st.byKB[d.KB])
	list[place(list, old)] = &d
	st.docs[id], st.byKB[d.KB] = &d, list
	return &d
}

// Remove removes a document; false when there is none of this id.
func (st *Store) Remove(id string) bool {
	st.mu.Lock()
	defer st.mu.Unlock()
	d := st.docs[id]
	if d == nil {
		return false
	}
	i := place(st.byKB[d.KB], d)
	st.byKB[d.KB] = slices.Delete(slices.Clone(st.byKB[d.KB]), i, i+1)
	delete(st.docs, id)
	return true
}

// Documents lists a knowledge base; empty when there is none of this id.
func (st *Store) Documents(kb string) List {
	st.mu.RLock()
	defer st.mu.RUnlock()
	return List{st.byKB[kb]}
}

// Suffix is a name's suffix in lower case without its dot.
func Suffix(name string) string {
	return strings.ToLower(strings.TrimPrefix(path.Ext(name), "."))
}
