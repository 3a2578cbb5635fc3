package main

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"

	"kb-mcp/vendors"
	"kb-mcp/vendors/connection"
	"kb-mcp/vendors/visible"
)

// display shows the progress of several documents. Its methods may be called
// by several goroutines.
type display interface {
	// add makes room for a document, before its first show.
	add(id, label string)
	show(p connection.Progress)
	close()
}

// newDisplay draws live bars in a terminal and writes lines elsewhere.
func newDisplay(w io.Writer) display {
	if isTerminal(w) {
		return newBars(w)
	}
	return &lines{w: w, labels: map[string]string{}, last: map[string]string{}}
}

// isTerminal reports whether w is a terminal.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// lines writes a line for every change.
type lines struct {
	w      io.Writer
	mu     sync.Mutex
	labels map[string]string // by document
	last   map[string]string
}

func (l *lines) add(id, label string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.labels[id] = label
}

func (l *lines) show(p connection.Progress) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if text := words(p); text != l.last[p.DocumentID] {
		l.last[p.DocumentID] = text
		fmt.Fprintf(l.w, "  %s: %s\n", l.labels[p.DocumentID], text)
	}
}

func (l *lines) close() {}

// words tells a document's progress in one line.
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

// bars draws one bar per document.
type bars struct {
	pool *mpb.Progress
	mu   sync.Mutex
	bars map[string]*mpb.Bar // by document
	text map[string]string
}

func newBars(w io.Writer) *bars {
	return &bars{pool: mpb.New(mpb.WithOutput(w), mpb.WithWidth(30)), bars: map[string]*mpb.Bar{}, text: map[string]string{}}
}

func (b *bars) add(id, label string) {
	bar := b.pool.AddBar(100, mpb.PrependDecorators(decor.Name("  "+label+" ", decor.WCSyncSpaceR)),
		mpb.AppendDecorators(decor.Any(func(decor.Statistics) string { return " " + b.words(id) })))
	b.mu.Lock()
	defer b.mu.Unlock()
	b.bars[id] = bar
}

func (b *bars) words(id string) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text[id]
}

func (b *bars) show(p connection.Progress) {
	b.mu.Lock()
	b.text[p.DocumentID] = words(p)
	bar := b.bars[p.DocumentID]
	b.mu.Unlock()
	if p.ProgressPercent != nil {
		bar.SetCurrent(int64(*p.ProgressPercent))
	}
	if p.Status.Settled() && p.Status != vendors.Completed {
		bar.Abort(false)
	}
}

// close draws the last state; a bar that is not full stays as it is.
func (b *bars) close() {
	for _, bar := range b.bars {
		bar.Abort(false)
	}
	b.pool.Wait()
}
