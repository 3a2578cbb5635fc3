package ragflow

import (
	"maps"
	"slices"
	"strings"
	"time"

	"kb-mcp/vendors"
	"kb-mcp/vendors/recent"
	"kb-mcp/vendors/rest"
)

// queuedBelow is the progress that only a document without a worker has: the
// server gives every waiting one a random share below it.
const queuedBelow = 0.01

// runStates are the values of `run` (TaskStatus in api/db/__init__.py), as words
// and as the numbers of the preview.
var runStates = map[string]vendors.Status{
	"UNSTART": vendors.NotStarted, "0": vendors.NotStarted,
	"RUNNING": vendors.Processing, "1": vendors.Processing,
	"CANCEL": vendors.Cancelled, "2": vendors.Cancelled,
	"DONE": vendors.Completed, "3": vendors.Completed,
	"FAIL": vendors.Failed, "4": vendors.Failed,
	"SCHEDULE": vendors.Queued, "5": vendors.Queued,
}

// taskStates are the values of `ingestion_status`, which the Go back end has
// beside `run`, and since September 2026 in its place.
var taskStates = map[string]vendors.Status{
	"UNSTART": vendors.NotStarted, "CREATED": vendors.Queued, "SCHEDULED": vendors.Queued,
	"RUNNING": vendors.Processing, "STOPPING": vendors.Processing,
	"COMPLETED": vendors.Completed, "FAILED": vendors.Failed, "STOPPED": vendors.Cancelled,
}

// wording is a set of words that servers accept for the parameter `run` (v0.21.1)
// of the document list.
type wording int32

const (
	runWords  wording = iota // v0.21.1 and newer
	taskWords                // the Go back end since September 2026, which refuses others
	noWords                  // a server that refused both
)

// runFilter is the values of `run` that keep all documents of a status. exact
// says that they keep no others. What is queued hides behind several values.
type runFilter struct {
	values []string
	exact  bool
}

var runFilters = [noWords]map[vendors.Status]runFilter{
	runWords: {
		vendors.Completed:  {[]string{"DONE"}, true},
		vendors.Failed:     {[]string{"FAIL"}, true},
		vendors.Cancelled:  {[]string{"CANCEL"}, true},
		vendors.NotStarted: {[]string{"UNSTART"}, false},
		vendors.Processing: {[]string{"RUNNING"}, false},
	},
	taskWords: {
		vendors.Completed:  {[]string{"COMPLETED"}, true},
		vendors.Failed:     {[]string{"FAILED"}, true},
		vendors.Cancelled:  {[]string{"STOPPED"}, true},
		vendors.NotStarted: {[]string{"UNSTART"}, true},
		vendors.Processing: {[]string{"RUNNING", "STOPPING", "CREATED", "SCHEDULED"}, false}, // and queued
	},
}

// possible reports whether a document can be in a status; "" is any.
func possible(s vendors.Status) bool {
	known := slices.AppendSeq(slices.Collect(maps.Values(runStates)), maps.Values(taskStates))
	return s == "" || s == vendors.Unknown || slices.Contains(known, s)
}

// vendorStatus returns the platform's own word for the state of a document, and
// what it means. While a task is active its word wins: `run` still holds how
// the run before ended. An unknown word could be an active one, so it wins too.
func (w document) vendorStatus() (string, vendors.Status) {
	task, known := taskStates[strings.ToUpper(string(w.IngestionStatus))]
	switch {
	case w.IngestionStatus != "" && !known:
		return string(w.IngestionStatus), vendors.Unknown
	case known && (w.Run == "" || !task.Settled()):
		return string(w.IngestionStatus), task
	}
	if run, ok := runStates[strings.ToUpper(string(w.Run))]; ok {
		return string(w.Run), run
	}
	return string(w.Run), vendors.Unknown
}

// status says where a document stands. It is the only place that maps a word of
// the platform's; what the word leaves open the row's progress and lines tell.
func (w document) status(g generation) vendors.Status {
	word, s := w.vendorStatus()
	switch {
	case g == preview && w.Status == "2" && (s.IsUnstarted() || s.Working()):
		return vendors.Cancelled // its stop leaves run as it was
	case s == vendors.Processing && !strings.EqualFold(word, "STOPPING") && w.Progress.Float < queuedBelow && w.ProgressMsg.waiting():
		return vendors.Queued
	case s == vendors.NotStarted && w.requested():
		return vendors.Queued
	}
	return s
}

// requested reports that the row of an unstarted document shows that its parsing
// was asked for.
func (w document) requested() bool {
	p := w.Progress.Float
	return p > 0 && p < queuedBelow || len(w.ProgressMsg) > 0 && w.ProgressMsg.waiting()
}

// doubtful reports a row of a Go back end without `ingestion_status`, which
// shows UNSTART until a worker begins, however long ago parsing was asked for.
// Only its lists leave source_type out and write dates with a space.
func (w document) doubtful() bool {
	return w.SourceType == nil && w.IngestionStatus == "" && len(w.CreateDate) == len(time.DateTime) && w.CreateDate[10] == ' '
}

// waiting reports that no line shows work: all are about the queue.
func (l lines) waiting() bool {
	for _, line := range l {
		if !rest.WordsOf(line).HaveAny("queued", "dispatched", "tasks are ahead in the queue") {
			return false
		}
	}
	return true
}

// started remembers the documents whose parsing this process has started and
// whose rows may not show it: the Go back end shows UNSTART until a worker
// begins. Without this memory an agent would be advised to start again what it
// has just started. Ids are unique in all of RAGFlow.
type started struct{ documents *recent.Map[struct{}] }

func newStarted() started { return started{recent.New[struct{}](4096, 24*time.Hour)} }

// begun remembers what a start has accepted.
func (s started) begun(outcomes []vendors.Outcome) {
	for _, o := range outcomes {
		if o.Result == vendors.Accepted {
			s.documents.Put(o.DocumentID, struct{}{})
		}
	}
}

// ended forgets what a stop has ended.
func (s started) ended(outcomes []vendors.Outcome) {
	for _, o := range outcomes {
		if o.Result == vendors.Done {
			s.documents.Forget(o.DocumentID)
		}
	}
}

// correct turns a doubtful UNSTART into queued where a start is remembered. Any
// other state of a document ends the memory of it.
func (s started) correct(docs []vendors.Document) {
	for i := range docs {
		switch d := &docs[i]; {
		case !doubtful(*d):
			s.documents.Forget(d.DocumentID)
		case s.documents.Has(d.DocumentID):
			d.Status, d.Warnings = vendors.Queued, nil
		}
	}
}

// doubtful reports a document whose row does not show whether it is queued.
func doubtful(d vendors.Document) bool {
	return d.Status == vendors.NotStarted && slices.Contains(d.Warnings, doubtNote)
}
