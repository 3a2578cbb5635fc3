package ragflow

import (
	"cmp"
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	"kb-mcp/vendors"
	"kb-mcp/vendors/rest"
)

// lines is progress_msg: lines in one string, an array of lines, or null.
type lines []string

// UnmarshalJSON implements json.Unmarshaler and never fails on an unexpected
// type.
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

// untimed returns a line of the platform without its time.
func untimed(line string) string { return rest.Text(stamp.ReplaceAllString(line, "")) }

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
		f.Message = untimed(f.Message)
	}
	f.Hint = failureHint(f.Message)
	return f
}

// Notes on documents, shown as their warnings.
const (
	noChunkNote = "RAGFlow made no chunks of it, so that searches cannot find it."
	doubtNote   = "This server shows UNSTART until a worker begins: parsing may have been asked for already."
	maxWarnings = 4
)

// warnings returns what the status does not say: completed without a chunk or
// with errors on the way, and an UNSTART that may be a queue.
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
		if text := untimed(line); errorLine(line) && !slices.Contains(notes, text) && len(notes) < maxWarnings-1 {
			notes = append(notes, text)
		}
	}
	if n := cmp.Or(w.ChunkCount, w.ChunkNum); n.Valid && n.Int == 0 && !built {
		notes = append(notes, noChunkNote)
	}
	return notes
}

// failureHints are what to do about a failed document: the first row with a
// matching text. RAGFlow has no failure codes; the texts are those of its
// worker (rag/svr/task_executor.py) and of the libraries and model services
// whose words it passes on.
var failureHints = []rest.Rule{
	{Texts: []string{"encrypted", "password"},
		Hint: "The file is protected by a password: upload a copy without one."},
	{Texts: []string{"in this build", "requires cgo"},
		Hint: "This RAGFlow server was built without a parser for this type: upload the file as txt or md, or have the server's operator use a build that has it."},
	{Texts: []string{"file size exceeds", "too large"},
		Hint: "The file is larger than RAGFlow's worker accepts: split it and upload the parts."},
	{Texts: []string{"fail to bind embedding model", "embedding error", "lookuperror*model", "model*not authorized", "model*not found"},
		Hint: "The embedding model did not do its work: its owner should check it in RAGFlow's web app under model providers; then call start_ingestion again."},
	{Texts: []string{"insert chunk error", "elasticsearch", "infinity", "opensearch"},
		Hint: "RAGFlow's search engine did not store the chunks: its operator should check that it runs and has room; then call start_ingestion again."},
	{Texts: []string{"can not find file", "minio", "nosuchkey"},
		Hint: "RAGFlow's file store did not give the file: call start_ingestion again; if that does not help, delete the document and upload it again."},
	{Texts: []string{"no chunk", "no text", "empty data"},
		Hint: "RAGFlow found nothing to read in the file: check that it holds text (a scan needs OCR), then upload it again."},
	{Texts: []string{"rate limit", "too many requests", "quota", "insufficient balance"},
		Hint: "A model service refused because of its limits: wait or have its quota raised, then call start_ingestion again."},
	{Texts: []string{"out of memory", "memoryerror"},
		Hint: "RAGFlow's worker ran out of memory: split the file and upload the parts, or have the worker given more."},
	{Texts: []string{"gives no reason"},
		Hint: "Call start_ingestion again; if it fails again, RAGFlow's own log says more."},
	{Texts: []string{"timeout", "timed out", "connection", "unavailable"},
		Hint: "A service that RAGFlow uses did not answer: call start_ingestion again later."},
	{Texts: []string{"while chunking", "damaged", "corrupt", "not a zip file", "codec can't decode"},
		Hint: "RAGFlow could not read the file: open it yourself to see that it is whole and of the type its name says, then upload it again."},
	{Hint: "Correct what the message names, then call start_ingestion again; RAGFlow's own log says more."},
}

func failureHint(message string) string {
	return failureHints[rest.Find(failureHints, 0, "", message)].Hint
}
