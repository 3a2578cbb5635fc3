package vendors

import (
	"context"
	"time"
)

// Document is one document of a knowledge base as clients get it. A nil
// pointer, "" or a zero time means that the platform did not say; a value is
// never invented. Times are UTC. Drivers leave Vendor and KnowledgeBaseID to
// [connection.Connection].
type Document struct {
	Vendor          string         `json:"vendor,omitempty"` // this and the next are left out of rows that share them
	KnowledgeBaseID string         `json:"knowledge_base_id,omitempty"`
	DocumentID      string         `json:"document_id"`
	Name            string         `json:"name"`
	Status          Status         `json:"status"`
	VendorStatus    string         `json:"vendor_status,omitempty"` // the platform's own value
	ProgressPercent *int           `json:"progress_percent,omitempty"`
	Error           *Failure       `json:"error,omitempty"`
	Format          string         `json:"format,omitempty"` // file suffix, lower case, no dot
	Kind            string         `json:"kind,omitempty"`   // text table image audio video
	Source          string         `json:"source,omitempty"` // file web text object_storage notion lark connector
	SizeBytes       *int64         `json:"size_bytes,omitempty"`
	CharCount       *int64         `json:"char_count,omitempty"`
	TokenCount      *int64         `json:"token_count,omitempty"`
	ChunkCount      *int64         `json:"chunk_count,omitempty"`
	HitCount        *int64         `json:"hit_count,omitempty"`
	Enabled         *bool          `json:"enabled,omitempty"`
	Archived        *bool          `json:"archived,omitempty"`
	Searchable      *bool          `json:"searchable,omitempty"` // false: completed, but searches do not return it; a driver sets it where it knows more than the flags say
	Warnings        []string       `json:"warnings,omitempty"`
	CreatedAt       time.Time      `json:"created_at,omitzero"`
	UpdatedAt       time.Time      `json:"updated_at,omitzero"`
	SourceURL       string         `json:"source_url,omitempty"` // no query: it may hold credentials
	Metadata        map[string]any `json:"metadata,omitempty"`
	Stalled         *Stalled       `json:"stalled,omitempty"` // in lists

	// Ingestion is what a progress answer says beyond the fields above.
	Ingestion Ingestion `json:"-"`
}

// Ingestion is the part of a document that only progress answers show.
type Ingestion struct {
	Stage          string // parsing cleaning splitting indexing
	ChunksDone     *int64
	ChunksTotal    *int64
	ETASeconds     *int64
	StartedAt      time.Time
	FinishedAt     time.Time
	ElapsedSeconds *float64 // shown for settled documents only

	// MovedAt is when the platform itself says that something last moved;
	// Movement is what else counts as movement (a log line). Neither is shown.
	MovedAt  time.Time
	Movement string
	// NewestAt is the newest time that the platform gives of this ingestion,
	// although it does not say that something moved then: an upload, the start
	// of a stage. Not shown.
	NewestAt time.Time
	// Suspicion is the driver's own reason to believe that the document is
	// stuck; nil for none. It is shown as stalled.
	Suspicion *Suspicion
}

// Failure is why a document failed, in the platform's words where it has some.
type Failure struct {
	Code      string `json:"code,omitempty"`
	Message   string `json:"message"`
	Retryable *bool  `json:"retryable,omitempty"` // nil: the platform does not say
	Hint      string `json:"hint,omitempty"`
}

// KnowledgeBase is one knowledge base as clients get it.
type KnowledgeBase struct {
	Vendor          string    `json:"vendor,omitempty"` // left out of rows that share it
	KnowledgeBaseID string    `json:"knowledge_base_id"`
	Name            string    `json:"name"`
	Description     string    `json:"description,omitempty"`
	DocumentCount   *int64    `json:"document_count,omitempty"`
	ChunkCount      *int64    `json:"chunk_count,omitempty"`
	SizeBytes       *int64    `json:"size_bytes,omitempty"`
	Enabled         *bool     `json:"enabled,omitempty"`
	Kind            string    `json:"kind,omitempty"` // text table image faq external
	CreatedAt       time.Time `json:"created_at,omitzero"`
	UpdatedAt       time.Time `json:"updated_at,omitzero"`

	// Pending is how many documents the platform itself counts as being
	// processed or failed, Busy the ids of the former; nil when it does not
	// say. Not shown.
	Pending *int     `json:"-"`
	Busy    []string `json:"-"`

	// Notes say what the caller that has just made it should check.
	Notes []string `json:"-"`
}

// Stalled is a suspicion with its evidence: nothing about an unsettled document
// has moved for longer than its platform's threshold. The status stays what the
// platform says.
type Stalled struct {
	Suspected        bool      `json:"suspected"`
	Since            time.Time `json:"since"`
	ThresholdSeconds int       `json:"threshold_seconds"`
	Why              string    `json:"why"`
	NextStep         string    `json:"next_step"`
}

// StallRule says when a document of a platform is suspected to be stalled.
type StallRule struct {
	Threshold time.Duration
	NextStep  string // what a person can do; never to delete: it is a suspicion
	// UpdatesLie says that UpdatedAt moves although nothing happens to the
	// document, so that it is not evidence.
	UpdatesLie bool
}

// Suspicion is a driver's own reason to believe that an unsettled document is
// stuck, beside the thresholds: no worker runs, no stage is at work.
type Suspicion struct {
	Since    time.Time // zero: since this server first saw it so
	Why      string    // the evidence, one sentence
	NextStep string    // "": that of the rule
}

// Staller is a driver with its own stall rule.
type Staller interface{ StallRule() StallRule }

// Caller names the origin of a request: the tool, the party that has
// authenticated ("" where none has to), and the party's session ("" where the
// transport has none). The limit of a connection is shared fairly between
// parties, within a party between tools, and within a tool between the party's
// sessions.
type Caller struct{ Tool, Party, Session string }

type callerKey struct{}

// WithCaller returns a context that says on whose behalf a call is made.
func WithCaller(ctx context.Context, c Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

// CallerOf returns the caller set by [WithCaller], or the zero Caller.
func CallerOf(ctx context.Context) Caller {
	c, _ := ctx.Value(callerKey{}).(Caller)
	return c
}
