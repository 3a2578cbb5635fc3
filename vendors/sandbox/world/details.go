package world

import (
	"encoding/json"
	"time"
)

// DifyBase is what Dify knows of a knowledge base beyond the others.
type DifyBase struct {
	Workspace  string // "" is that of the usual key
	Provider   string // "" is "vendor"
	Permission string
	External   [2]string // the id at the other service, and that of the service
	Embedding  [2]string // model and provider
	Retrieval  json.RawMessage
	Rule       *DifyRule // of the newest document that brought one
	Fields     []DifyMeta
	BuiltIns   bool
	DataSource bool      // something was uploaded once
	Words      time.Time // until when documents were indexed by words, of one that was economy
}

// DifyRule says how documents are split.
type DifyRule struct {
	Number int
	Mode   string
	Rules  json.RawMessage
}

// DifyMeta is one field of the documents' metadata.
type DifyMeta struct{ ID, Name, Type string }

// DifyPart is what Dify knows of a document beyond the others.
type DifyPart struct {
	Form     string
	Rule     *DifyRule
	Text     bool // came as a text
	Lost     bool // its file is no longer known
	Locked   time.Time
	Paused   bool                // somebody paused it while it waited
	Children map[int][]DifyChild // by the number of the chunk
	Uploaded time.Time           // of the newest content
}

// DifyChild is a part of a chunk that is searched for the whole.
type DifyChild struct {
	Number int
	Text   string
	Custom bool
	At     time.Time
}

// CozeDetail is what only Coze knows of a document.
type CozeDetail struct {
	URI        string // the stored file's key
	Kind       string // "text", "table" or "image"; "": what the suffix tells
	Columns    string // a table's, as JSON
	Dropped    bool   // studio: a rename that named no columns has deleted their data
	Caption    string // an image's only text
	NoStrategy bool   // studio: made without a chunk_strategy
	Renamed    bool   // studio: its time of update is wrong since
	Interval   int    // hosted: hours after which it fetches itself again; 0: it does not
}
