package vendors

import (
	"context"
	"time"
)

// Driver is what a platform must do. Implementations convert between the
// platform's wire format and the types of this package and nothing more. They
// trust their arguments (ids are not empty, sizes are in range), are safe for
// concurrent use, return *[Error], and keep no state but a signer's token and
// a detected dialect.
type Driver interface {
	// ListDocuments returns one page of rows. An unknown knowledge base is an
	// error if the platform distinguishes it from an empty one.
	ListDocuments(ctx context.Context, q PageQuery) (Page[Document], error)

	// GetDocument returns one document with everything the platform says about
	// it.
	GetDocument(ctx context.Context, ref Ref) (Document, error)

	// Progress returns the ingestion state of the requested documents, in any
	// order, by the platform's own batches. Ids that are in neither list of the
	// report were not read; together with an error that means "as far as I
	// got", without one it means that they are unknown.
	Progress(ctx context.Context, q ProgressQuery) (Report, error)
}

// KnowledgeBaseLister is a driver that can list knowledge bases. Having the
// method is having the tool list_knowledge_bases.
type KnowledgeBaseLister interface {
	ListKnowledgeBases(ctx context.Context, q PageQuery) (Page[KnowledgeBase], error)
}

// Counter is a driver whose platform keeps true counters for a whole
// knowledge base, so that a summary need not read every document.
type Counter interface {
	Counts(ctx context.Context, knowledgeBaseID string) (Counts, error)
}

// KnowledgeBaseResolver is a driver whose platform accepts more than one name
// for a knowledge base. It returns the id that lists and answers carry,
// whatever the caller passed; every other method is then called with that id.
type KnowledgeBaseResolver interface {
	ResolveKnowledgeBase(ctx context.Context, id string) (string, error)
}

// Ref names one document.
type Ref struct{ KnowledgeBaseID, DocumentID string }

// PageQuery asks for one page of documents or knowledge bases.
//
// Status and NameContains are hints: a driver passes them on if the platform's
// own filter is exact and ignores them otherwise, because
// [connection.Connection] checks every row again.
type PageQuery struct {
	KnowledgeBaseID string // documents only
	Status          Status // "" for all
	NameContains    string // "" for all
	Page            int    // 1-based, on platforms that number their pages
	Token           string // the platform's token for this page; "" on the first
	Size            int    // rows a page, 1-100; while paging it only shrinks, with the page numbers
}

// Page is one page of a listing, in the platform's order.
type Page[T any] struct {
	Items []T
	// Total is how many rows the platform counts for the query as it
	// understood it; nil when it does not say.
	Total *int
	// Filtered says that the platform applied all the filters of the query,
	// so that Total is the number of matching rows.
	Filtered bool
	// More says that another page follows: page number + 1, or NextToken.
	More      bool
	NextToken string
	// NewestFirst says that the platform sorts by CreatedAt, newest first, so
	// that rows added while paging can be distinguished from rows not yet
	// delivered.
	NewestFirst bool
	// Thin says that rows lack the progress of unsettled documents, which
	// only a Progress call shows.
	Thin bool
	// Blind says that a row had no id, so that it is not among Items and it is
	// unknown which it is.
	Blind bool
	// Moves says that rows change their places while they are read: the
	// platform sorts by what moves, or documents no order. Then what came is
	// compared with Total.
	Moves bool
	// Size is how many rows the driver asked for, when fewer than the query's
	// Size; pages are numbered by it from here on. 0: as many as were wanted.
	// A page may hold more or fewer rows than that.
	Size int
}

// ProgressQuery asks for the progress of given documents, or of the documents
// of one upload batch. Exactly one of DocumentIDs and BatchID is set.
type ProgressQuery struct {
	KnowledgeBaseID string
	DocumentIDs     []string // unique
	BatchID         string   // Dify; others answer Unsupported
}

// Report is the answer to a ProgressQuery.
type Report struct {
	Documents []Document
	Missing   []string // ids the platform certainly does not know
}

// Counts are a platform's own counters for a whole knowledge base.
type Counts struct {
	Total     int
	Finished  int // ingestion ended, well or badly
	Completed int
}

// lastSecond is the end of the year 9999, after which RFC 3339 has no time: one
// absurd value must not keep a whole answer from being encoded.
const lastSecond = 253402300799

// Millis converts epoch milliseconds to UTC; 0 and less, and what is beyond the
// year 9999, mean "not said".
func Millis(ms int64) time.Time {
	if ms <= 0 || ms/1000 > lastSecond {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// Seconds converts epoch seconds to UTC; 0 and less, and what is beyond the
// year 9999, mean "not said".
func Seconds(s int64) time.Time {
	if s <= 0 || s > lastSecond {
		return time.Time{}
	}
	return time.Unix(s, 0).UTC()
}

// The interfaces below are what a driver may know of its platform that saves
// requests, or that settles what the platform's answers leave open. None of
// them is a tool.

// KnowledgeBaseChecker is a driver whose platform answers for an unknown
// knowledge base as for an empty one. CheckKnowledgeBase finds out, by one
// cheap request, which it is; nil means that it exists, or that the platform
// does not say. It is called when an answer is empty.
type KnowledgeBaseChecker interface {
	CheckKnowledgeBase(ctx context.Context, id string) error
}

// StatusCounter is a driver whose platform counts the documents of a knowledge
// base by status, truly and in one request. It is called only if a knowledge
// base is large. An error of kind [Unsupported] says that this server cannot.
type StatusCounter interface {
	CountByStatus(ctx context.Context, knowledgeBaseID string) (map[Status]int, error)
}

// CompletedCounter is a driver that can count completed documents in few
// requests, although no one filter of its platform selects them. An error of
// kind [Unsupported] says that this server cannot.
type CompletedCounter interface {
	CountCompleted(ctx context.Context, knowledgeBaseID string) (int, error)
}

// UnfinishedFilter is a driver whose platform filters by status exactly. It
// returns the statuses whose listings together hold every document that is not
// completed, as far as the platform can filter.
type UnfinishedFilter interface{ UnfinishedFilters() []Status }

// Batcher is a driver whose platform reports the progress of several documents
// in one request. Other drivers are called with all documents at once: they
// read a listing, or do not know yet what their server can do.
type Batcher interface {
	// Batch is how many documents, 0 for any number.
	Batch() int
}

// IDForm is how one platform writes its ids, so that an id of another platform
// is recognized before it is sent.
type IDForm struct {
	Platform string // as in settings: "coze"
	Name     string // as people write it: "Coze"
	Words    string // "ids of Coze are ...": one phrase
	Is       func(id string) bool
	// Chosen reports, on a platform that also has ids that people choose, what
	// may be such an id; nil where all are the platform's own.
	Chosen func(id string, document bool) bool
}

// IDChecker is a driver whose platform's ids all have one form. CheckID refuses
// any other; arg is the argument that holds the id, for the message. Every
// other method is called with ids that have passed.
type IDChecker interface {
	CheckID(arg, id string) error
}

// Foreign returns the platform of forms whose id this is, if it cannot be one
// of form f. An id in no platform's form is left to the platform to judge.
func (f IDForm) Foreign(forms []IDForm, id string, document bool) (of IDForm, foreign bool) {
	if id == "" || f.Is == nil || f.Is(id) || f.Chosen != nil && f.Chosen(id, document) {
		return IDForm{}, false
	}
	for _, other := range forms {
		if other.Is(id) {
			return other, true
		}
	}
	return IDForm{}, false
}
