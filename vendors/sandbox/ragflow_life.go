package sandbox

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// The values of the platform's run column.
const (
	ragUnstart = "0"
	ragRunning = "1"
	ragCancel  = "2"
	ragDone    = "3"
	ragFail    = "4"
)

// ragflowRuns is the words of the current generation for those values.
func ragflowRuns() map[string]string {
	return map[string]string{
		ragUnstart: "UNSTART", ragRunning: "RUNNING", ragCancel: "CANCEL", ragDone: "DONE", ragFail: "FAIL",
		"5": "SCHEDULE",
	}
}

// ragflowRefresh is how often the server writes the state of running documents
// anew, which moves their update_time even when nothing else does.
const ragflowRefresh = 6 * time.Second

// ragflowLong is a wait after which nobody is ahead any more, and still nothing
// happens.
const ragflowLong = time.Minute

// ragflowLife is one document's columns at one moment, the same in both
// generations.
type ragflowLife struct {
	run      string // one of the values, or what the plan puts in its place
	progress float64
	duration float64 // seconds
	chunks   int
	tokens   int
	updated  time.Time
}

// ragflowZone is the server's local time, in which it writes its dates while
// telling no zone or a wrong one.
func ragflowZone() *time.Location { return time.FixedZone("", 8*60*60) }

// ragflowLife says what RAGFlow's tables hold about d now.
func (s *Sandbox) ragflowLife(d *Document) ragflowLife {
	st := s.state(d)
	l := ragflowLife{run: ragUnstart, duration: st.Elapsed.Round(time.Millisecond).Seconds(), updated: d.Updated}
	switch {
	case st.Phase == Queued:
		l.run = ragRunning
		// A number of its own below 0.01 for every document.
		l.progress = 0.001 + float64(scatter(d.Seq)%8900)/1e6
	case st.Phase.Working():
		l.run, l.progress = ragRunning, 0.1+0.8*st.Fraction
	case st.Phase == Completed:
		l.run, l.progress, l.chunks = ragDone, 1, st.ChunksDone
		l.tokens = utf8.RuneCountInString(d.Text)/2 + l.chunks
	case st.Phase == Failed:
		l.run, l.progress = ragFail, -1
	case st.Phase == Cancelled || st.Phase == Paused:
		l.run = ragCancel
	}
	if st.Raw != "" {
		l.run, l.progress = st.Raw, 0
	}
	if st.Stage == "" {
		l.duration = 0 // no worker has had it
	}
	if moved := ragflowTouched(d, st); moved.After(l.updated) {
		l.updated = moved
	}
	return l
}

// ragflowTouched is when the server last wrote the document's row by itself.
func ragflowTouched(d *Document, st State) time.Time {
	if d.Started.IsZero() || !st.Ended.IsZero() {
		return st.Ended
	}
	return d.Started.Add(st.Elapsed.Truncate(ragflowRefresh))
}

// stuck reports a document that a start has left half done: it shows RUNNING for
// ever, and nothing else.
func stuck(st State) bool { return st.Phase == Other && st.Raw == ragRunning }

// ragflowStuck is the life of such a document.
func ragflowStuck() Plan { return Plan{Outcome: Other, Raw: ragRunning} }

// lines is progress_msg as a server writes it: Go's lines have a colon behind the
// clock, newer Python servers begin with an empty one.
func (f *ragflowFace) lines(d *Document, st State) string {
	return ragflowMessage(d, st, f.server)
}

// ragflowMessage is progress_msg: a queue line until a worker takes the
// document, from then on the worker's lines. A stop keeps what was there.
func ragflowMessage(d *Document, st State, server ragflowServer) string {
	if d.Started.IsZero() || st.Phase == Other {
		return ""
	}
	lines := ragflowWork(d, st, server)
	if len(lines) == 0 {
		switch {
		case st.Phase == Queued && st.Raw != "":
			return "" // scheduled for later, not yet in the queue
		case st.Phase == Queued && st.Elapsed >= ragflowLong:
			return "0 tasks are ahead in the queue..." // which can stand for hours
		case st.Phase == Queued && st.Within >= 0.5:
			return fmt.Sprintf("%d tasks are ahead in the queue...", int((1-st.Within)*6))
		case st.Phase == Queued || st.Phase == Cancelled:
			return "Task is queued..."
		}
	}
	switch st.Phase {
	case Completed:
		if d.Size == 0 {
			lines = append(lines, stamped(st.Ended, server, "Page(1~100000000): No chunk built from "+d.Name))
		}
		lines = append(lines, stamped(st.Ended, server, fmt.Sprintf("Task done (%.2fs)", st.Elapsed.Seconds())))
	case Failed:
		lines = append(lines, stamped(st.Ended, server, "[ERROR]"+st.Message))
	}
	text := strings.Join(lines, "\n")
	if server == ragPython && text != "" {
		text = "\n" + text
	}
	return text
}

// stamped is a worker's line with its local clock.
func stamped(at time.Time, server ragflowServer, text string) string {
	clock := at.In(ragflowZone()).Format("15:04:05")
	if server == ragGo {
		clock += ":"
	}
	return clock + " " + text
}

// ragflowWork is the worker's lines so far, one for each stage begun.
func ragflowWork(d *Document, st State, server ragflowServer) []string {
	var lines []string
	at, left := d.Started, st.Elapsed
	first := at
	for _, stage := range d.Plan.Stages {
		if left < 0 || left == 0 && !st.Ended.IsZero() {
			break
		}
		if text := ragflowLine(d, stage.Phase); text != "" {
			if len(lines) == 0 {
				first = at
			}
			lines = append(lines, stamped(at, server, text))
		}
		at, left = at.Add(stage.For), left-stage.For
	}
	// A worker that tries again leaves its first failure in a running document.
	if len(lines) > 0 && d.Plan.Message != "" && d.Plan.Outcome != Failed {
		lines = append(lines, stamped(first, server, "[ERROR]"+d.Plan.Message))
	}
	return lines
}

func ragflowLine(d *Document, p Phase) string {
	switch p {
	case Parsing:
		if d.Format == "pdf" {
			return "Page(1~13): OCR started"
		}
		return "Start to parse."
	case Cleaning:
		return "Page(1~13): Layout analysis"
	case Splitting:
		return fmt.Sprintf("Generate %d chunks", d.ChunkCount())
	case Indexing:
		return "Start to embed"
	}
	return ""
}
