package vendors

import "context"

// The interfaces of this file are what a driver may know of its platform that
// saves requests, or that makes an answer true which its platform leaves open.
// None of them is a tool.

// MemberFinder is a driver whose platform tells the progress of a document
// whatever knowledge base it is asked under. Members gives the rows of those of
// ids that are in the knowledge base, in any order; an unknown knowledge base is
// [ErrNotFound] where the platform tells it from an empty one. Nobody hears of
// the others' progress under a wrong id. It is asked once for documents that no
// listing has shown lately.
type MemberFinder interface {
	Members(ctx context.Context, knowledgeBaseID string, ids []string) ([]Document, error)
}

// KnowledgeBaseChecker is a driver whose platform answers for an unknown
// knowledge base as for an empty one. CheckKnowledgeBase settles, by one cheap
// request, which it is; nil where it is there, and where nobody can tell. It is
// asked when an answer is empty.
type KnowledgeBaseChecker interface {
	CheckKnowledgeBase(ctx context.Context, id string) error
}

// StatusCounter is a driver whose platform counts the documents of a knowledge
// base by status, truly and in one request. It is asked only where a knowledge
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

// UnfinishedFilter is a driver whose platform filters by status truly. The
// statuses it gives are those whose listings together hold every document that
// is not completed, as far as the platform can be asked.
type UnfinishedFilter interface{ UnfinishedFilters() []Status }

// Batcher is a driver whose platform tells the progress of some documents in one
// request. Other drivers are asked for all documents at once: they read a
// listing, or do not know yet what their server can do.
type Batcher interface {
	// Batch is how many documents, 0 for any number.
	Batch() int
}
