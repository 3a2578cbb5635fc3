package ragflow

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"time"

	"kb-mcp/vendors"
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

// told is the platform's own word for where a document stands, and what it means.
// While a task is active its word wins: `run` still holds how the run before
// ended. A word that nobody knows could be an active one, so it wins too.
func (w document) told() (string, vendors.Status) {
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
	_, s := w.told()
	switch {
	case g == preview && w.Status == "2" && (s == vendors.NotStarted || s == vendors.Processing):
		return vendors.Cancelled // its stop leaves run as it was
	case s == vendors.Processing && w.Progress.Float < queuedBelow && w.ProgressMsg.waiting() && !strings.EqualFold(string(w.IngestionStatus), "STOPPING"):
		return vendors.Queued
	case s == vendors.NotStarted && w.asked():
		return vendors.Queued
	}
	return s
}

// asked reports that the row of an unstarted document shows that its parsing has
// been asked for.
func (w document) asked() bool {
	p := w.Progress.Float
	return p > 0 && p < queuedBelow || len(w.ProgressMsg) > 0 && w.ProgressMsg.waiting()
}

// doubtful reports a row of a Go back end without `ingestion_status`, which
// shows UNSTART until a worker begins, however long ago parsing was asked for.
// Only its lists leave source_type out and write dates with a space.
func (w document) doubtful() bool {
	return w.SourceType == nil && w.IngestionStatus == "" && len(w.CreateDate) == len(time.DateTime) && w.CreateDate[10] == ' '
}

// waiting reports that no line tells of work: all speak of the queue.
func (l lines) waiting() bool {
	for _, line := range l {
		if !rest.WordsOf(line).HaveAny("queued", "dispatched", "tasks are ahead in the queue") {
			return false
		}
	}
	return true
}

// lines is progress_msg: lines in one string, an array of lines, or null.
type lines []string

// UnmarshalJSON implements json.Unmarshaler and never fails on an odd type.
func (l *lines) UnmarshalJSON(b []byte) error {
	*l = nil
	var parts []rest.Str
	switch b[0] {
	case '"':
		parts = make([]rest.Str, 1)
		if err := json.Unmarshal(b, &parts[0]); err != nil {
			return err
		}
	case '[':
		if err := json.Unmarshal(b, &parts); err != nil {
			return err
		}
	}
	for _, p := range parts {
		for line := range strings.Lines(string(p)) {
			if line = strings.TrimSpace(line); line != "" {
				*l = append(*l, line)
			}
		}
	}
	return nil
}

// stamp is the local time before a line of a worker; Go writes a colon behind it.
var stamp = regexp.MustCompile(`^\d\d:\d\d:\d\d:?\s+`)

// errorLine reports a line that the platform marks as an error.
func errorLine(line string) bool { return strings.Contains(line, "[ERROR]") }

// spoken is a line of the platform's without its clock.
func spoken(line string) string { return rest.Text(stamp.ReplaceAllString(line, "")) }

// failure is the platform's reason: the last line that it marks as an error,
// else its last line.
func (w document) failure(s vendors.Status) *vendors.Failure {
	if s != vendors.Failed {
		return nil
	}
	f := &vendors.Failure{Message: "RAGFlow gives no reason."}
	if n := len(w.ProgressMsg); n > 0 {
		f.Message = w.ProgressMsg[n-1]
		for _, line := range w.ProgressMsg {
			if errorLine(line) {
				f.Message = line
			}
		}
		f.Message = spoken(f.Message)
	}
	f.Hint = cure(f.Message)
	return f
}

// Notes on documents, shown as their warnings.
const (
	noChunkNote = "RAGFlow built no chunk of it, so that no search can find it."
	doubtNote   = "This server shows UNSTART until a worker begins: parsing may have been asked for already."
	maxWarnings = 4
)

// warnings tell what the status does not: completed without a chunk or with
// errors on the way, and an UNSTART that may be a queue.
func (w document) warnings(s vendors.Status) []string {
	switch {
	case s == vendors.NotStarted && w.doubtful():
		return []string{doubtNote}
	case s != vendors.Completed:
		return nil
	}
	var notes []string
	built := false // the count may lag behind the lines
	for _, line := range w.ProgressMsg {
		built = built || rest.WordsOf(line).Have("generate*chunks")
		if text := spoken(line); errorLine(line) && !slices.Contains(notes, text) && len(notes) < maxWarnings-1 {
			notes = append(notes, text)
		}
	}
	if n := either(w.ChunkCount, w.ChunkNum); n.Valid && n.Int == 0 && !built {
		notes = append(notes, noChunkNote)
	}
	return notes
}
