package tables

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"kb-mcp/vendors/sandbox/world"
)

// The values of the platform's run column.
const (
	unstart = "0"
	Running = "1"
	Cancel  = "2"
	done    = "3"
	fail    = "4"
)

// Runs is the words of the current generation for those values.
func Runs() map[string]string {
	return map[string]string{
		unstart: "UNSTART", Running: "RUNNING", Cancel: "CANCEL", done: "DONE", fail: "FAIL",
		"5": "SCHEDULE",
	}
}

// refresh is how often the server writes the state of running documents
// again, which moves their update_time even when nothing else does.
const refresh = 6 * time.Second

// Long is a wait after which nobody is ahead any more, and still nothing
// happens.
const Long = time.Minute

// Life is one document's columns at one moment, the same in both
// generations.
type life struct {
	Run      string // one of the values, or what the plan puts in its place
	Progress float64
	Duration float64 // seconds
	Chunks   int
	Tokens   int
	Updated  time.Time
}

// Zone is the server's local time, in which it writes its dates while
// telling no zone or a wrong one.
func Zone() *time.Location { return time.FixedZone("", 8*60*60) }

// Life says what RAGFlow's tables hold about d now.
func (s *Tables) Life(d *world.Document) life {
	st := s.State(d)
	l := life{Run: unstart, Duration: st.Elapsed.Round(time.Millisecond).Seconds(), Updated: d.Updated}
	switch {
	case st.Phase == world.Queued:
		l.Run = Running
		// A number of its own below 0.01 for every document.
		l.Progress = 0.001 + float64(world.Scatter(d.Seq)%8900)/1e6
	case st.Phase.Working():
		l.Run, l.Progress = Running, 0.1+0.8*st.Fraction
	case st.Phase == world.Completed:
		l.Run, l.Progress, l.Chunks = done, 1, st.ChunksDone
		l.Tokens = utf8.RuneCountInString(d.Text)/2 + l.Chunks
	case st.Phase == world.Failed:
		l.Run, l.Progress = fail, -1
	case st.Phase == world.Cancelled || st.Phase == world.Paused:
		l.Run = Cancel
	}
	if st.Raw != "" {
		l.Run, l.Progress = st.Raw, 0
	}
	if st.Stage == "" {
		l.Duration = 0 // no worker has had it
	}
	if moved := touched(d, st); moved.After(l.Updated) {
		l.Updated = moved
	}
	return l
}

// touched is when the server last wrote the document's row by itself.
func touched(d *world.Document, st world.State) time.Time {
	if d.Started.IsZero() || !st.Ended.IsZero() {
		return st.Ended
	}
	return d.Started.Add(st.Elapsed.Truncate(refresh))
}

// IsStuck reports a document that a start has left half done: it shows RUNNING for
// ever, and nothing else.
func IsStuck(st world.State) bool { return st.Phase == world.Other && st.Raw == Running }

// Stuck is the life of such a document.
func Stuck() world.Plan { return world.Plan{Outcome: world.Other, Raw: Running} }

// Message is progress_msg: a queue line until a worker takes the
// document, from then on the worker's lines. A stop keeps what was there.
func Message(d *world.Document, st world.State, server Server) string {
	if d.Started.IsZero() || st.Phase == world.Other {
		return ""
	}
	lines := work(d, st, server)
	if len(lines) == 0 {
		switch {
		case st.Phase == world.Queued && st.Raw != "":
			return "" // scheduled for later, not yet in the queue
		case st.Phase == world.Queued && st.Elapsed >= Long:
			return "0 tasks are ahead in the queue..." // which can stand for hours
		case st.Phase == world.Queued && st.Within >= 0.5:
			return fmt.Sprintf("%d tasks are ahead in the queue...", int((1-st.Within)*6))
		case st.Phase == world.Queued || st.Phase == world.Cancelled:
			return "Task is queued..."
		}
	}
	switch st.Phase {
	case world.Completed:
		if d.Size == 0 {
			lines = append(lines, stamped(st.Ended, server, "Page(1~100000000): No chunk built from "+d.Name))
		}
		lines = append(lines, stamped(st.Ended, server, fmt.Sprintf("Task done (%.2fs)", st.Elapsed.Seconds())))
	case world.Failed:
		lines = append(lines, stamped(st.Ended, server, "[ERROR]"+st.Message))
	}
	text := strings.Join(lines, "\n")
	if server == Python && text != "" {
		text = "\n" + text
	}
	return text
}

// stamped is a worker's line with its local clock.
func stamped(at time.Time, server Server, text string) string {
	clock := at.In(Zone()).Format("15:04:05")
	if server == Go {
		clock += ":"
	}
	return clock + " " + text
}

// work is the worker's lines so far, one for each stage begun.
func work(d *world.Document, st world.State, server Server) []string {
	var lines []string
	at, left := d.Started, st.Elapsed
	first := at
	for _, stage := range d.Plan.Stages {
		if left < 0 || left == 0 && !st.Ended.IsZero() {
			break
		}
		if text := line(d, stage.Phase); text != "" {
			if len(lines) == 0 {
				first = at
			}
			lines = append(lines, stamped(at, server, text))
		}
		at, left = at.Add(stage.For), left-stage.For
	}
	// A worker that tries again leaves its first failure in a running document.
	if len(lines) > 0 && d.Plan.Message != "" && d.Plan.Outcome != world.Failed {
		lines = append(lines, stamped(first, server, "[ERROR]"+d.Plan.Message))
	}
	return lines
}

func line(d *world.Document, p world.Phase) string {
	switch p {
	case world.Parsing:
		if d.Format == "pdf" {
			return "Page(1~13): OCR started"
		}
		return "Start to parse."
	case world.Cleaning:
		return "Page(1~13): Layout analysis"
	case world.Splitting:
		return fmt.Sprintf("Generate %d chunks", d.ChunkCount())
	case world.Indexing:
		return "Start to embed"
	}
	return ""
}
