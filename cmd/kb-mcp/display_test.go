package main

import (
	"io"
	"strings"
	"testing"
	"time"

	"kb-mcp/vendors"
	"kb-mcp/vendors/connection"
)

// TestBarsEnd shows every kind of document and ends, whatever has become of it.
func TestBarsEnd(t *testing.T) {
	b := newBars(io.Discard)
	half, whole := 50, 100
	for id, p := range map[string]connection.Progress{
		"a": {Status: vendors.Completed, ProgressPercent: &whole}, "b": {Status: vendors.Failed, Error: &vendors.Failure{Message: "no text"}},
		"c": {Status: vendors.Processing, ProgressPercent: &half}, "d": {Status: vendors.Queued}, "e": {Status: vendors.NotFound},
	} {
		p.DocumentID = id
		b.add(id, label(p))
		b.show(p)
		b.show(p)
	}
	done := make(chan bool)
	go func() {
		b.close()
		close(done)
	}()
	wait(t, done, "the bars end")
}

func TestWords(t *testing.T) {
	half, n := 50, int64(3)
	p := connection.Progress{
		Name: strings.Repeat("长", 40), Status: vendors.Processing, Stage: "indexing", ProgressPercent: &half, ChunksDone: &n, ChunksTotal: &n,
		Stalled: &vendors.Stalled{Suspected: true, Since: time.Unix(0, 0).UTC(), NextStep: "Look."},
	}
	if got, want := words(p), "processing, indexing, 50%, 3 of 3 chunks, perhaps stalled since 00:00:00 UTC (Look.)"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := label(p); len([]rune(got)) != 32 {
		t.Errorf("%q", got)
	}
	if got := label(connection.Progress{Name: "\x1b[2Ja\nb"}); got != "[2Ja b" {
		t.Errorf("%q", got)
	}
	if got := label(connection.Progress{DocumentID: "d-1"}); got != "d-1" {
		t.Errorf("%q", got)
	}
}
