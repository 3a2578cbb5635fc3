package vendors

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// The interfaces below are what a platform may offer beyond reading. Each is
// one method: a driver that has the method has the tool. A tool whose method is
// missing is unsupported, and [Adviser] says what to do instead.

// Adviser says, for tools that do not work on this connection, what an agent
// can do instead: tool name to one sentence. A tool named here is unsupported
// even when the driver has its method (the account or the server's generation
// does not allow it).
type Adviser interface {
	Instead() map[string]string
}

// Searcher searches one knowledge base; hits come best first.
type Searcher interface {
	Search(ctx context.Context, q SearchQuery) ([]Hit, error)
}

// BroadSearcher is a driver whose platform searches several knowledge bases in
// one request; hits name theirs. q.KnowledgeBaseID is not set. A platform may
// refuse what it can search one by one (they have different embedding models).
type BroadSearcher interface {
	SearchBroadly(ctx context.Context, knowledgeBaseIDs []string, q SearchQuery) ([]Hit, error)
}

// SearchChecker is a driver that knows, from a row of its list, which knowledge
// bases cannot be searched, and says why.
type SearchChecker interface {
	CheckSearchable(kb KnowledgeBase) error
}

// ChunkLister lists the chunks of one document, in the platform's order.
type ChunkLister interface {
	ListChunks(ctx context.Context, ref Ref, q PageQuery) (Page[Chunk], error)
}

// KnowledgeBaseCreator makes a knowledge base. Its Name is always set. The
// result has the name that the platform gave it.
type KnowledgeBaseCreator interface {
	CreateKnowledgeBase(ctx context.Context, draft KnowledgeBaseChange) (KnowledgeBase, error)
}

// KnowledgeBaseUpdater changes what is given and keeps the rest, even if the
// platform's own call would reset it. It returns the knowledge base as the
// platform shows it afterwards; the connection compares that with the change.
type KnowledgeBaseUpdater interface {
	UpdateKnowledgeBase(ctx context.Context, id string, change KnowledgeBaseChange) (KnowledgeBase, error)
}

// KnowledgeBaseDeleter deletes exactly one knowledge base and all it holds.
type KnowledgeBaseDeleter interface {
	DeleteKnowledgeBase(ctx context.Context, id string) error
}

// Uploader adds one document. It sends once; internal/write looks for what a
// request with a lost answer has made. Along with an error it may return the id
// that the document would have.
type Uploader interface {
	Upload(ctx context.Context, u Upload) (Uploaded, error)
}

// Replacer replaces the content of the document u.DocumentID, whose id and other
// properties stay. Before it sends it has seen that the document is there; it
// sends once. u.Name is "" for the name that the document has.
type Replacer interface {
	Replace(ctx context.Context, u Upload) (Uploaded, error)
}

// DocumentUpdater changes what is given of one document, and returns it as the
// platform shows it afterwards; the connection compares name and enabled.
type DocumentUpdater interface {
	UpdateDocument(ctx context.Context, ref Ref, change DocumentChange) (Document, error)
}

// DocumentDeleter deletes documents of one knowledge base and reports per id;
// internal/write sends the batches and finds out what a failed one did. ids is
// never empty. It makes sure that each belongs to the knowledge base where the
// platform does not.
type DocumentDeleter interface {
	DeleteDocuments(ctx context.Context, knowledgeBaseID string, ids []string) ([]Outcome, error)
}

// IngestionStarter starts ingestion, or repeats it.
type IngestionStarter interface {
	StartIngestion(ctx context.Context, knowledgeBaseID string, ids []string) ([]Outcome, error)
}

// IngestionStopper stops ingestion.
type IngestionStopper interface {
	StopIngestion(ctx context.Context, knowledgeBaseID string, ids []string) ([]Outcome, error)
}

// Downloader returns the file that was uploaded.
type Downloader interface {
	Download(ctx context.Context, ref Ref) (Download, error)
}

// SearchQuery is a question to one knowledge base.
type SearchQuery struct {
	KnowledgeBaseID string
	Query           string
	Limit           int // 1-50
	// DocumentIDs restricts the hits to these documents; nil for all. A driver
	// passes it on if its platform can: [connection.Connection] checks every hit.
	DocumentIDs []string
}

// Of returns those of hits that the query asks for.
func (q SearchQuery) Of(hits []Hit) []Hit {
	if q.DocumentIDs == nil {
		return hits
	}
	return slices.DeleteFunc(slices.Clone(hits), func(h Hit) bool { return !slices.Contains(q.DocumentIDs, h.DocumentID) })
}

// Hit is one chunk that a search found.
type Hit struct {
	DocumentID   string   `json:"document_id"`
	DocumentName string   `json:"document_name"`
	ChunkID      string   `json:"chunk_id"`
	Content      string   `json:"content"`
	Score        *float64 `json:"score,omitempty"` // the platform's own scale

	Vendor          string `json:"vendor,omitempty"` // this and the next are left out of hits that share them
	KnowledgeBaseID string `json:"knowledge_base_id,omitempty"`

	// ContentFiltered says that invisible characters were removed. Drivers
	// leave it to [connection.Connection].
	ContentFiltered bool `json:"content_filtered,omitempty"`
}

// Chunk is one piece of a document.
type Chunk struct {
	ChunkID  string `json:"chunk_id"`
	Position *int64 `json:"position,omitempty"`
	Content  string `json:"content"`
	Enabled  *bool  `json:"enabled,omitempty"`

	UpdatedAt       time.Time `json:"updated_at,omitzero"`
	ContentFiltered bool      `json:"content_filtered,omitempty"` // as in [Hit]
}

// KnowledgeBaseChange is what to set; nil is "leave as it is".
type KnowledgeBaseChange struct{ Name, Description *string }

// DocumentChange is what to set; nil is "leave as it is".
type DocumentChange struct {
	Name     *string
	Enabled  *bool
	Metadata map[string]any
}

// Upload is a new document: exactly one of Text, URL and File is set.
type Upload struct {
	KnowledgeBaseID string
	DocumentID      string // of the document to replace; "" for a new one
	Name            string // "" only with URL, or for a replacement
	Text            string
	URL             string // http or https
	File            *File
}

// File is a file to upload. Open may be called once per try.
type File struct {
	Size int64
	Open func() (io.ReadCloser, error)
}

// TextFile returns a text as a file.
func TextFile(text string) *File {
	return &File{Size: int64(len(text)), Open: func() (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader(text)), nil
	}}
}

// Uploaded is a document that was added. Notes say what the platform did that
// the caller may not expect: renamed, replaced another, needs a start.
type Uploaded struct {
	Document Document
	BatchID  string // Dify
	Notes    []string
}

// Result is what happened to one document of a write.
type Result string

// What may happen to a document.
const (
	Done     Result = "done"
	Accepted Result = "accepted" // will happen
	Absent   Result = "not_found"
	NotDone  Result = "failed"
)

// Outcome is the result for one id. Err explains NotDone.
type Outcome struct {
	DocumentID string
	Result     Result
	Err        error
}

// Download is a file's content. The caller closes Body.
type Download struct {
	Name string
	Size int64 // -1: not said
	Body io.ReadCloser
}

// Doctor is a driver that knows more about a connection's health than whether a
// call succeeds: the server's version or dialect, the clock that signatures
// need. It is called after the platform has answered a call, and makes at most
// two requests.
type Doctor interface {
	Diagnose(ctx context.Context) []Finding
}

// Health is the outcome of a check.
type Health string

// The outcomes of a check.
const (
	Healthy  Health = "ok"
	Doubtful Health = "warning" // works, or could not be checked
	Broken   Health = "failed"
)

// Finding is what one check of a connection found. Hint says what to do about
// it, unless it is [Healthy].
type Finding struct {
	Check   string `json:"check"`
	Status  Health `json:"status"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
}

// Skews from which a clock is worth a finding.
const (
	skewNoticed = time.Minute     // where a signature carries the time
	skewLarge   = 5 * time.Minute // where times are only shown
)

// Clock compares this machine's clock with the Date header of an answer. limit
// is how far apart they may be before signatures are refused; 0 if nothing is
// signed. Without a date there is no finding.
func Clock(date string, now time.Time, limit time.Duration) []Finding {
	theirs, err := time.Parse(time.RFC1123, date)
	if err != nil {
		return nil
	}
	skew := now.Sub(theirs).Round(time.Second)
	f := Finding{Check: "clock", Status: Healthy, Message: "This machine's clock agrees with the platform's."}
	direction := "ahead of"
	if skew < 0 {
		direction = "behind"
	}
	switch skew = skew.Abs(); {
	case limit > 0 && skew >= limit:
		f.Status = Broken
		f.Message = fmt.Sprintf("This machine's clock is %s %s the platform's, which refuses signatures that are more than %s off.", skew, direction, limit)
	case limit > 0 && skew > skewNoticed, skew > skewLarge:
		f.Status = Doubtful
		f.Message = fmt.Sprintf("This machine's clock is %s %s the platform's.", skew, direction)
	}
	if f.Status != Healthy {
		f.Hint = "Set this machine's clock by NTP (timedatectl set-ntp true); a container has the clock of its host."
	}
	return []Finding{f}
}
