package vendors

// Status is where a document stands in ingestion, and nothing else: whether a
// completed document is served to searches is said by Enabled and Archived.
// Its values are what clients see, so a Status is its own JSON.
type Status string

// The statuses that clients know.
const (
	NotStarted Status = "not_started" // stored; nobody has asked for ingestion
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

// Statuses lists every status in the order in which they are documented.
func Statuses() []Status {
	return []Status{NotStarted, Queued, Processing, Paused, Completed, Failed, Cancelled, Deleting, NotFound, Unknown}
}

// Working reports whether the platform has the document in its hands: it waits
// in the platform's queue or is at work. Of an unknown status nobody can say.
func (s Status) Working() bool { return s == Queued || s == Processing }

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
