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

// KnowledgeBase is one knowledge base of one platform. A value handed out by
// the store is never changed.
type KnowledgeBase struct {
	Seq         int
	Platform    string
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
	Space       string  // Coze: "" is [CozeSpaceID]
	Owner       string  // Coze: "" is the user of [CozeToken]
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
	Seq      int // rises in the order of creation, unique within its platform
	Platform string
	KB       string // id of its knowledge base
	ID       string // in the platform's form

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

// Store holds everything the faces show. It is safe for concurrent use.
type Store struct {
	mu    sync.RWMutex
	sides map[string]*side // by platform
}

// side is one platform's part of the store.
type side struct {
	seq   int
	kbs   []*KnowledgeBase // oldest first
	kbID  map[string]*KnowledgeBase
	docs  map[string]*Document   // by document id
	byKB  map[string][]*Document // by knowledge base id; oldest first, see [List]
	batch map[string][]string    // Dify: batch to document ids
}

func newStore() *Store {
	st := &Store{sides: map[string]*side{}}
	for _, p := range []string{Coze, Dify, RAGFlow, Volcengine} {
		st.sides[p] = &side{
			kbID: map[string]*KnowledgeBase{}, docs: map[string]*Document{},
			byKB: map[string][]*Document{}, batch: map[string][]string{},
		}
	}
	return st
}

// AddKB stores kb under the next number of its platform and returns it with
// Seq and ID filled in (an ID that is already set is kept).
func (st *Store) AddKB(kb KnowledgeBase) *KnowledgeBase {
	st.mu.Lock()
	defer st.mu.Unlock()
	sd := st.sides[kb.Platform]
	sd.seq++
	kb.Seq = sd.seq
	if kb.ID == "" {
		kb.ID = kbID(kb.Platform, kb.Seq)
	}
	sd.kbs = append(slices.Clip(sd.kbs), &kb)
	sd.kbID[kb.ID] = &kb
	return &kb
}

// KB finds a knowledge base by its id; nil when there is none.
func (st *Store) KB(platform, id string) *KnowledgeBase {
	st.mu.RLock()
	defer st.mu.RUnlock()
	return st.sides[platform].kbID[id]
}

// KBs lists a platform's knowledge bases, newest first.
func (st *Store) KBs(platform string) []*KnowledgeBase {
	st.mu.RLock()
	defer st.mu.RUnlock()
	out := slices.Clone(st.sides[platform].kbs)
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
func (st *Store) UpdateKB(platform, id string, change func(*KnowledgeBase)) bool {
	st.mu.Lock()
	defer st.mu.Unlock()
	sd := st.sides[platform]
	old := sd.kbID[id]
	if old == nil {
		return false
	}
	kb := *old
	change(&kb)
	sd.kbID[id] = &kb
	sd.kbs = slices.Clone(sd.kbs)
	sd.kbs[slices.Index(sd.kbs, old)] = &kb
	return true
}

// RemoveKB removes a knowledge base with its documents.
func (st *Store) RemoveKB(platform, id string) bool {
	st.mu.Lock()
	defer st.mu.Unlock()
	sd := st.sides[platform]
	if sd.kbID[id] == nil {
		return false
	}
	for _, d := range sd.byKB[id] {
		delete(sd.docs, d.ID)
	}
	delete(sd.byKB, id)
	delete(sd.kbID, id)
	sd.kbs = slices.DeleteFunc(slices.Clone(sd.kbs), func(kb *KnowledgeBase) bool { return kb.ID == id })
	return true
}

// Add stores d under the next number of its platform and returns it with Seq,
// ID and (on Dify) Batch filled in; an ID that is already set is kept.
func (st *Store) Add(d Document) *Document {
	st.mu.Lock()
	defer st.mu.Unlock()
	sd := st.sides[d.Platform]
	sd.seq++
	d.Seq = sd.seq
	if d.ID == "" {
		d.ID = documentID(d.Platform, d.Seq)
	}
	if d.Platform == Dify && d.Batch == "" {
		d.Batch = BatchID(d.Created, d.Seq)
	}
	sd.docs[d.ID] = &d
	sd.byKB[d.KB] = inserted(sd.byKB[d.KB], &d)
	if d.Batch != "" {
		sd.batch[d.Batch] = append(sd.batch[d.Batch], d.ID)
	}
	return &d
}

// Document finds a document by its id; nil when there is none.
func (st *Store) Document(platform, id string) *Document {
	st.mu.RLock()
	defer st.mu.RUnlock()
	return st.sides[platform].docs[id]
}

// Batch lists the documents whose newest upload was in this batch.
func (st *Store) Batch(platform, batch string) []*Document {
	st.mu.RLock()
	defer st.mu.RUnlock()
	sd := st.sides[platform]
	var out []*Document
	for _, id := range sd.batch[batch] {
		if d := sd.docs[id]; d != nil && d.Batch == batch {
			out = append(out, d)
		}
	}
	return out
}

// Update replaces a document by a changed copy (Seq, ID, KB and Created stay)
// and returns it; nil when there is none of this id.
func (st *Store) Update(platform, id string, change func(*Document)) *Document {
	st.mu.Lock()
	defer st.mu.Unlock()
	sd := st.sides[platform]
	old := sd.docs[id]
	if old == nil {
		return nil
	}
	d := *old
	change(&d)
	d.Seq, d.ID, d.KB, d.Created = old.Seq, old.ID, old.KB, old.Created
	if d.Batch != old.Batch {
		sd.batch[d.Batch] = append(sd.batch[d.Batch], d.ID)
	}
	list := slices.Clone(sd.byKB[d.KB])
	list[place(list, old)] = &d
	sd.docs[id], sd.byKB[d.KB] = &d, list
	return &d
}

// Remove removes a document; false when there is none of this id.
func (st *Store) Remove(platform, id string) bool {
	st.mu.Lock()
	defer st.mu.Unlock()
	sd := st.sides[platform]
	d := sd.docs[id]
	if d == nil {
		return false
	}
	i := place(sd.byKB[d.KB], d)
	sd.byKB[d.KB] = slices.Delete(slices.Clone(sd.byKB[d.KB]), i, i+1)
	delete(sd.docs, id)
	return true
}

// Documents lists a knowledge base; empty when there is none of this id.
func (st *Store) Documents(platform, kb string) List {
	st.mu.RLock()
	defer st.mu.RUnlock()
	return List{st.sides[platform].byKB[kb]}
}

// Suffix is a name's Suffix in lower case without its dot.
func Suffix(name string) string {
	return strings.ToLower(strings.TrimPrefix(path.Ext(name), "."))
}
