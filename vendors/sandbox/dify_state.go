package sandbox

import (
	"encoding/json"
	"sync"
	"time"
)

// difyBase is what Dify knows of a knowledge base beyond the others.
type difyBase struct {
	workspace  string // "" is the one of [DifyKey]
	provider   string // "" is "vendor"
	permission string
	external   [2]string // the id at the other service, and that of the service
	embedding  [2]string // model and provider
	retrieval  json.RawMessage
	rule       *difyRule // of the newest document that brought one
	fields     []difyMeta
	builtIns   bool
	dataSource bool      // something was uploaded once
	words      time.Time // until when documents were indexed by words, of one that was economy
}

// difyRule says how documents are split.
type difyRule struct {
	number int
	mode   string
	rules  json.RawMessage
}

// difyMeta is one field of the documents' metadata.
type difyMeta struct{ id, name, typ string }

// difyPart is what Dify knows of a document beyond the others.
type difyPart struct {
	form   string
	rule   *difyRule
	text   bool // came as a text
	lost   bool // its file is no longer known
	locked time.Time
	// paused says that somebody paused a document that waits.
	paused   bool
	children map[int][]difyChild // by the number of the chunk
	uploaded time.Time           // of the newest content
}

// difyChild is a part of a chunk that is searched for the whole.
type difyChild struct {
	number int
	text   string
	custom bool
	at     time.Time
}

// difyTag is a tag and the knowledge bases that have it.
type difyTag struct {
	id, name string
	bases    []string
}

// difyStore is what the face keeps beside the store. It is safe for concurrent use.
type difyStore struct {
	mu   sync.Mutex
	made int
	tags []difyTag
}

// next is a number that nothing else of the face has.
func (d *difyStore) next() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.made++
	return d.made
}
