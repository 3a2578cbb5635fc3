package vendors

// Status is where a document stands in ingestion, and nothing else: whether a
// completed document is served to searches is said by Enabled and Archived. Its
// values are what clients see, so a Status is its own JSON.
//
// Only the methods of a status say what it means. A driver maps the words of
// its platform to statuses; all other code calls the methods. A new status is a
// constant here, in [Statuses] and in the tests of these methods.
type Status string

// The statuses.
const (
	NotStarted Status = "not_started" // stored; ingestion was not requested
	Queued     Status = "queued"      // waiting for the platform
	Processing Status = "processing"  // being fetched, parsed, split, embedded or indexed
	Paused     Status = "paused"      // stopped by a person, can go on
	Completed  Status = "completed"   // searchable
	Failed     Status = "failed"      // the platform gave up
	Cancelled  Status = "cancelled"   // stopped for good by a person
	Deleting   Status = "deleting"    // on its way out
	NotFound   Status = "not_found"   // progress only: the platform does not know this id
	Unknown    Status = "unknown"     // a value this version does not know
)

// Statuses lists every status in the order in which people read them.
func Statuses() []Status {
	return []Status{NotStarted, Queued, Processing, Paused, Completed, Failed, Cancelled, Deleting, NotFound, Unknown}
}

// Working reports whether the platform has the document in its hands: it waits
// in the platform's queue or is at work. An unknown status is not working.
func (s Status) Working() bool { return s == Queued || s == Processing }

// Waiting reports whether the document is in the platform's queue, where nothing
// moves and no time is of this ingestion.
func (s Status) Waiting() bool { return s == Queued }

// Settled reports whether nothing more will happen without a person: such a
// document need not be polled.
func (s Status) Settled() bool {
	switch s {
	case Queued, Processing, Unknown:
		return false
	}
	return true
}

// NeedsAction reports whether ingestion waits for a person.
func (s Status) NeedsAction() bool { return s == NotStarted || s == Paused }

// NeedsAttention reports whether the answer for a whole knowledge base lists the
// document instead of counting it.
func (s Status) NeedsAttention() bool { return !s.Settled() || s.NeedsAction() || s.IsFailed() }

// Startable reports whether ingestion may be started, which may delete the chunks
// of an earlier one: nothing is at work on the document, and it stays.
func (s Status) Startable() bool {
	switch s {
	case NotStarted, Completed, Failed, Cancelled:
		return true
	}
	return false
}

// IsCompleted reports whether ingestion has reached its end: 100 percent.
func (s Status) IsCompleted() bool { return s == Completed }

// IsFailed reports whether the platform gave up: the document has an error.
func (s Status) IsFailed() bool { return s == Failed }

// IsCancelled reports whether a person has stopped ingestion for good.
func (s Status) IsCancelled() bool { return s == Cancelled }

// IsUnstarted reports whether there was no ingestion yet, so that no time is of one.
func (s Status) IsUnstarted() bool { return s == NotStarted }

// IsLeaving reports whether a deletion is on its way.
func (s Status) IsLeaving() bool { return s == Deleting }

// IsMissing reports whether the platform does not know the id. Of a new document
// that may change.
func (s Status) IsMissing() bool { return s == NotFound }

// Over reports whether a document can be among a hundred percent: it is completed,
// or nothing of it is left to be ingested.
func (s Status) Over() bool { return s == Completed || s == Deleting || s == NotFound }
