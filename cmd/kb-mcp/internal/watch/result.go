package watch

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"strings"

	"kb-mcp/vendors"
	"kb-mcp/vendors/tally"
)

// Result is how a watch ended.
type Result struct {
	Summary  tally.Summary
	TimedOut bool

	reasons []string // a line for each document that settled without completing
}

// Result returns what was seen so far; timedOut says that the time ran out.
func (w *Watcher) Result(timedOut bool) Result {
	r := Result{Summary: w.summary(), TimedOut: timedOut}
	for _, id := range w.order {
		if p := w.known[id]; p.Status.Settled() && !p.Status.IsCompleted() {
			r.reasons = append(r.reasons, fmt.Sprintf("  %s: %s", label(p), words(p)))
		}
	}
	return r
}

// Completed reports whether every document is completed.
func (r Result) Completed() bool { return r.Summary.ByStatus[vendors.Completed] >= r.Summary.Total }

// WriteJSON writes one object.
func (r Result) WriteJSON(w io.Writer) error {
	return json.NewEncoder(w).Encode(struct {
		Summary  tally.Summary `json:"summary"`
		TimedOut bool          `json:"timed_out,omitempty"`
		Hint     string        `json:"hint,omitempty"`
	}{r.Summary, r.TimedOut, strings.Join(r.advice(), " ")})
}

// WriteLines writes a line for the summary and one for each advice, in a
// terminal after the reasons, for which the bars had no room.
func (r Result) WriteLines(w io.Writer) {
	var lines []string
	if isTerminal(w) {
		lines = r.reasons
	}
	lines = append(append(lines, count(r.Summary)), r.advice()...)
	fmt.Fprintln(w, strings.Join(lines, "\n"))
}

// count describes a summary on one line.
func count(s tally.Summary) string {
	if s.Total == 0 {
		return "No documents."
	}
	var parts []string
	for _, status := range vendors.Statuses() {
		if n := s.ByStatus[status]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, status))
		}
	}
	return fmt.Sprintf("%d documents: %s.", s.Total, strings.Join(parts, ", "))
}

// advice is what to do about what is not completed.
func (r Result) advice() (list []string) {
	s := r.Summary
	for _, a := range []struct {
		n    int
		text string
	}{
		{s.ByStatus[vendors.NotStarted], "Start the ingestion of what is not_started: in the platform's console, or with the tool start_ingestion."},
		{s.ByStatus[vendors.Paused], "Resume what is paused in the platform's console."},
		{s.ByStatus[vendors.Failed], "Look at the reasons of what failed, then start it again, or upload it again."},
		{s.ByStatus[vendors.NotFound], "Check the ids of what was not_found: kb-mcp call list_documents shows them."},
	} {
		if a.n > 0 {
			list = append(list, a.text)
		}
	}
	if r.TimedOut {
		list = append(list, "The time ran out before everything had settled: watch again, or longer with --timeout.")
	}
	return list
}

// summary counts the given documents, or those of the knowledge base with what
// became of them since it was looked over.
func (w *Watcher) summary() tally.Summary {
	s := tally.Summary{ByStatus: map[vendors.Status]int{}}
	if len(w.given) > 0 {
		s.Total = len(unique(w.given))
		for _, p := range w.known {
			s.ByStatus[p.Status]++
		}
	} else {
		s.Total = w.whole.Total
		maps.Copy(s.ByStatus, w.whole.ByStatus)
		for id, status := range w.listed {
			s.ByStatus[status]--
			s.ByStatus[w.known[id].Status]++
		}
		maps.DeleteFunc(s.ByStatus, func(_ vendors.Status, n int) bool { return n <= 0 })
	}
	settled := 0
	for status, n := range s.ByStatus {
		if status.Settled() {
			settled += n
		}
		if status.NeedsAction() {
			s.NeedsAction += n
		}
	}
	s.Failed, s.Done = s.ByStatus[vendors.Failed], settled >= s.Total
	return s
}
