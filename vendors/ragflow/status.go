package ragflow

import (
	"encoding/json"
	"regexp"
	"strings"

	"kb-mcp/vendors"
	"kb-mcp/vendors/rest"
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

// stamp is the local time before a line of a worker.
var stamp = regexp.MustCompile(`^\d\d:\d\d:\d\d\s+`)

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
			if strings.Contains(line, "[ERROR]") {
				f.Message = line
			}
		}
		f.Message = rest.Text(stamp.ReplaceAllString(f.Message, ""))
	}
	f.Hint = cure(f.Message)
	return f
}
