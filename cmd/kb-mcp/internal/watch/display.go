package watch

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"

	"kb-mcp/vendors/connection"
	"kb-mcp/vendors/visible"
)

// Display shows the progress of several documents. Its methods may be called
// by several goroutines.
type Display interface {
	// Add makes room for a document, before its first Show.
	Add(id, label string)
	Show(p connection.Progress)
	// Close writes the last state.
	Close()
}

// NewDisplay draws live bars in a terminal and writes lines elsewhere.
func NewDisplay(w io.Writer) Display {
	if isTerminal(w) {
		return newBars(w)
	}
	return newChanges(w, func(label string, p connection.Progress) string {
		return fmt.Sprintf("  %s: %s\n", label, words(p))
	})
}

// NewJSONLines writes a JSON line for every change.
func NewJSONLines(w io.Writer) Display {
	return newChanges(w, func(_ string, p connection.Progress) string {
		var b strings.Builder
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(false)
		if enc.Encode(p) != nil {
			return ""
		}
		return b.String()
	})
}

// isTerminal reports whether w is a terminal.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// changes writes a text for every change of a document.
type changes struct {
	w    io.Writer
	text func(label string, p connection.Progress) string

	mu     sync.Mutex
	labels map[string]string // by document
	last   map[string]string
}

func newChanges(w io.Writer, text func(string, connection.Progress) string) *changes {
	return &changes{w: w, text: text, labels: map[string]string{}, last: map[string]string{}}
}

// Add implements Display.
func (c *changes) Add(id, label string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.labels[id] = label
}

// Show implements Display.
func (c *changes) Show(p connection.Progress) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if text := c.text(c.labels[p.DocumentID], p); text != c.last[p.DocumentID] {
		c.last[p.DocumentID] = text
		io.WriteString(c.w, text)
	}
}

// Close implements Display.
func (c *changes) Close() {}

// label is how a document is named on the screen: short, and without what a
// terminal would obey.
func label(p connection.Progress) string {
	const most = 32 // characters
	name := visible.Line(cmp.Or(p.Name, p.DocumentID))
	if r := []rune(name); len(r) > most {
		name = string(slices.Concat(r[:most-1], []rune("…")))
	}
	return name
}

// words describes a document's progress on one line.
func words(p connection.Progress) string {
	s := string(p.Status)
	if p.Stage != "" {
		s += ", " + p.Stage
	}
	if p.ProgressPercent != nil {
		s += fmt.Sprintf(", %d%%", *p.ProgressPercent)
	}
	if p.ChunksDone != nil && p.ChunksTotal != nil {
		s += fmt.Sprintf(", %d of %d chunks", *p.ChunksDone, *p.ChunksTotal)
	}
	if p.Stalled != nil {
		s += fmt.Sprintf(", perhaps stalled since %s (%s)", p.Stalled.Since.Format(time.TimeOnly+" MST"), p.Stalled.NextStep)
	}
	if p.Error != nil {
		s += ": " + p.Error.Message
		if p.Error.Hint != "" {
			s += " (" + p.Error.Hint + ")"
		}
	}
	return visible.Line(s)
}
