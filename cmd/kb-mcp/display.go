package main

import (
	"fmt"
	"io"
	"sync"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"kb-mcp/vendors"
)

// display shows the progress of several documents. Its methods may be called
// by several goroutines.
type display interface {
	show(i int, p vendors.Progress)
	close()
}

// newDisplay draws live bars in a terminal and writes lines elsewhere.
func newDisplay(w io.Writer, uploads []upload) display {
	if isTerminal(w) {
		return newBars(w, uploads)
	}
	return &lines{w: w, uploads: uploads, last: make([]string, len(uploads))}
}

// lines writes a line for every change.
type lines struct {
	w       io.Writer
	uploads []upload
	mu      sync.Mutex
	last    []string
}

func (l *lines) show(i int, p vendors.Progress) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if text := words(p); text != l.last[i] {
		l.last[i] = text
		fmt.Fprintf(l.w, "  %-11s %s: %s\n", l.uploads[i].vendor.Name(), p.Name, text)
	}
}

func (l *lines) close() {}

// words tells a document's progress in one line.
func words(p vendors.Progress) string {
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
	if p.Error != nil {
		s += ": " + p.Error.Message
		if p.Error.Hint != "" {
			s += " (" + p.Error.Hint + ")"
		}
	}
	return s
}

// bars draws one bar per document.
type bars struct {
	pool *mpb.Progress
	bars []*mpb.Bar
	mu   sync.Mutex
	text []string
}

func newBars(w io.Writer, uploads []upload) *bars {
	b := &bars{pool: mpb.New(mpb.WithOutput(w), mpb.WithWidth(30)), text: make([]string, len(uploads))}
	for i, u := range uploads {
		b.bars = append(b.bars, b.pool.AddBar(100,
			mpb.PrependDecorators(decor.Name(fmt.Sprintf("  %-11s", u.vendor.Name()))),
			mpb.AppendDecorators(decor.Any(func(decor.Statistics) string { return " " + b.words(i) }))))
	}
	return b
}

func (b *bars) words(i int) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text[i]
}

func (b *bars) show(i int, p vendors.Progress) {
	b.mu.Lock()
	b.text[i] = words(p)
	b.mu.Unlock()
	if p.ProgressPercent != nil {
		b.bars[i].SetCurrent(int64(*p.ProgressPercent))
	}
	if p.Status.Settled() && p.Status != vendors.Completed {
		b.bars[i].Abort(false)
	}
}

// close draws the last state; a bar that is not full stays as it is.
func (b *bars) close() {
	for _, bar := range b.bars {
		bar.Abort(false)
	}
	b.pool.Wait()
}
