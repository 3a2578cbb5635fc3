package connection

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"kb-mcp/vendors"
)

func TestSearch(t *testing.T) {
	w := &writer{hits: []vendors.Hit{{ChunkID: "1"}, {ChunkID: "2"}, {ChunkID: "3"}}}
	v := New("v", "p", w)
	for limit, want := range map[int]int{1: 1, 3: 3, 50: 3} {
		got, err := v.Search(t.Context(), vendors.SearchQuery{KnowledgeBaseID: "kb", Query: "q", Limit: limit})
		if err != nil || len(got.Hits) != want || got.Hits[0].ChunkID != "1" || got.Vendor != "v" || got.KnowledgeBaseID != "kb" {
			t.Errorf("limit %d: %+v, %v", limit, got, err)
		}
	}
	w.hits = nil
	got, err := v.Search(t.Context(), vendors.SearchQuery{KnowledgeBaseID: "kb", Query: "q", Limit: 1})
	if text, _ := json.Marshal(got); err != nil || string(text) != `{"vendor":"v","knowledge_base_id":"kb","hits":[]}` {
		t.Errorf("%s, %v", text, err)
	}
	w.calls = nil
	for _, q := range []vendors.SearchQuery{{KnowledgeBaseID: "kb"}, {KnowledgeBaseID: "kb", Query: " \t\n　"}, {Query: "q"}, {KnowledgeBaseID: "..", Query: "q"}} {
		q.Limit = 1
		if _, err := v.Search(t.Context(), q); vendors.KindOf(err) != vendors.InvalidArgument || len(w.calls) != 0 {
			t.Errorf("%+v: %v, calls %v", q, err, w.calls)
		}
	}
}

func TestHeadFitsAsJSON(t *testing.T) {
	for _, s := range []string{"a", "长", `"`, `\`, "\n", "\x00", "\u2028", "\xff", "a\"长\n"} {
		long := Head(strings.Repeat(s, 30_000))
		text, err := json.Marshal(long)
		if n := utf8.RuneCount(text); err != nil || n > maxContent+10 || n < maxContent/2 || !strings.HasSuffix(long, "…") {
			t.Errorf("%q: %d characters of JSON, %v", s, n, err)
		}
		if short := strings.Repeat(s, 100); Head(short) != short {
			t.Errorf("%q is cut without need", s)
		}
	}
}

// readChunks pages to the end, cutting every page to at most fit.
func readChunks(t *testing.T, v *Connection, limit, fit int) []string {
	t.Helper()
	var got []string
	for cursor, n := "", 0; n < 100; n++ {
		l, err := v.ListChunks(t.Context(), vendors.Ref{KnowledgeBaseID: "kb", DocumentID: "d"}, limit, cursor)
		if err != nil {
			t.Fatal(err)
		}
		if len(l.Chunks) > fit {
			l = l.Fit(fit).(ChunkList)
		}
		if len(l.Chunks) > limit || len(l.Chunks) > fit {
			t.Fatalf("%d chunks, limit %d, Fit(%d)", len(l.Chunks), limit, fit)
		}
		for _, c := range l.Chunks {
			got = append(got, c.ChunkID)
		}
		if cursor = l.NextCursor; cursor == "" {
			return got
		}
	}
	t.Fatal("the listing does not end")
	return nil
}

func TestListChunks(t *testing.T) {
	w := &writer{}
	var want []string
	for i := range 45 {
		id := fmt.Sprintf("c%d", i)
		w.chunks, want = append(w.chunks, vendors.Chunk{ChunkID: id, Content: id}), append(want, id)
	}
	v := New("v", "p", w)
	for _, tt := range []struct{ limit, fit int }{{20, 20}, {45, 45}, {7, 7}, {20, 13}, {100, 1}} {
		if got := readChunks(t, v, tt.limit, tt.fit); !slices.Equal(got, want) {
			t.Errorf("limit %d, Fit(%d): %v", tt.limit, tt.fit, got)
		}
	}
	l, err := v.ListChunks(t.Context(), vendors.Ref{KnowledgeBaseID: "kb", DocumentID: "d"}, 20, "")
	if err != nil || *l.Total != 45 {
		t.Fatalf("%v, %v", l.Total, err)
	}
	for _, ref := range []vendors.Ref{{KnowledgeBaseID: "kb", DocumentID: "other"}, {KnowledgeBaseID: "other", DocumentID: "d"}} {
		if _, err := v.ListChunks(t.Context(), ref, 20, l.NextCursor); vendors.KindOf(err) != vendors.InvalidArgument {
			t.Errorf("a cursor of another document: %v", err)
		}
	}
	w.calls = nil
	for _, ref := range []vendors.Ref{{}, {KnowledgeBaseID: "kb"}, {DocumentID: "d"}, {KnowledgeBaseID: "kb", DocumentID: ".."}} {
		if _, err := v.ListChunks(t.Context(), ref, 20, ""); vendors.KindOf(err) != vendors.InvalidArgument || len(w.calls) != 0 {
			t.Errorf("%+v: %v, calls %v", ref, err, w.calls)
		}
	}
}

func TestFitOfAHugeChunk(t *testing.T) {
	w := &writer{chunks: []vendors.Chunk{{ChunkID: "a", Content: strings.Repeat("x", 50_000)}, {ChunkID: "b", Content: "b"}}}
	v := New("v", "p", w)
	l, err := v.ListChunks(t.Context(), vendors.Ref{KnowledgeBaseID: "kb", DocumentID: "d"}, 20, "")
	if err != nil {
		t.Fatal(err)
	}
	cut := l.Fit(0).(ChunkList)
	if len(cut.Chunks) != 1 || !cut.Truncated || cut.Hint == "" || len(cut.Chunks[0].Content) > maxContent+3 || cut.NextCursor == "" {
		t.Errorf("%d chunks, %+v", len(cut.Chunks), cut.Hint)
	}
	if next, err := v.ListChunks(t.Context(), vendors.Ref{KnowledgeBaseID: "kb", DocumentID: "d"}, 20, cut.NextCursor); err != nil || len(next.Chunks) != 1 || next.Chunks[0].ChunkID != "b" {
		t.Errorf("%+v, %v", next, err)
	}
	if len(l.Chunks) != 2 || len(l.Chunks[0].Content) != 50_000 || l.Truncated {
		t.Error("Fit changed its receiver")
	}
}
