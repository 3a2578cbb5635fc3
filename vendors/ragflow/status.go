package ragflow

import (
	"strings"

	"kb-mcp/vendors"
)

// queuedBelow is the progress that only a document without a worker has: the
// server gives every waiting one a random share below it.
const queuedBelow = 0.01

// raw is the platform's own value; an empty one is the word that the server
// itself shows for it.
func (w document) raw() string {
	if w.Run == "" {
		return "UNSTART"
	}
	return string(w.Run)
}

// status says where a document stands (sheet section 3.1; rag/utils and
// TaskStatus in api/db/__init__.py). The first match wins.
func (w document) status(g generation) vendors.Status {
	switch run := w.raw(); {
	case run == "DONE" || run == "3":
		return vendors.Completed
	case run == "FAIL" || run == "4":
		return vendors.Failed
	case run == "CANCEL" || run == "2":
		return vendors.Cancelled
	case g == preview && w.Status == "2": // its stop leaves run as it was
		return vendors.Cancelled
	case run == "RUNNING" || run == "1":
		if w.Progress.Float < queuedBelow && w.ProgressMsg.waiting() {
			return vendors.Queued
		}
		return vendors.Processing
	case run == "SCHEDULE" || run == "5":
		return vendors.Queued
	case run == "UNSTART" || run == "0":
		if w.asked() {
			return vendors.Queued
		}
		return vendors.NotStarted
	}
	return vendors.Unknown
}

// asked reports that parsing of an unstarted document has been asked for: the
// Go back end changes the state only when a worker begins.
func (w document) asked() bool {
	p := w.Progress.Float
	return w.IngestionStatus != "" || p > 0 && p < queuedBelow || len(w.ProgressMsg) > 0 && w.ProgressMsg.waiting()
}

// waiting reports that no line tells of work: all speak of the queue.
func (l lines) waiting() bool {
	for _, line := range l {
		line = strings.ToLower(line)
		if !strings.Contains(line, "queued") && !strings.Contains(line, "dispatched") &&
			!strings.Contains(line, "tasks are ahead in the queue") {
			return false
		}
	}
	return true
}
