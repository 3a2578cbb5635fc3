package watch

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
		b.Add(id, label(p))
		b.Show(p)
		b.Show(p)
	}
	done := make(chan bool)
	go func() {
		b.Close()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		t.Fatal("the bars do not end")
	}
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

// TestNothingMovesTheCursor: what a platform calls its things reaches no
// terminal as an order.
func TestNothingMovesTheCursor(t *testing.T) {
	const evil = "a\x1b[2J\u009b1A\u202eb\r\nc\u200b"
	p := connection.Progress{Name: evil, Status: vendors.Failed, Stage: evil, Error: &vendors.Failure{Message: evil, Hint: evil}}
	for name, text := range map[string]string{"label": label(p), "words": words(p)} {
		if strings.ContainsAny(text, "\x1b\u009b\u202e\u200b\r\n") || !strings.Contains(text, "a") {
			t.Errorf("%s: %q", name, text)
		}
	}
}
