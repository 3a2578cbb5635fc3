package tools

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"kb-mcp/vendors"
	"kb-mcp/vendors/connection"
)

// library is a platform with knowledge bases to search: each finds the texts
// that it holds, one document each, in their order.
type library struct {
	fake
	texts   map[string][]string // by knowledge base, in the order of bases
	bases   []string
	fail    map[string]error // by knowledge base; "" for the list of them
	ignores bool             // it knows no filter by document
	mu      sync.Mutex
	asked   []string
}

// note notes what was asked.
func (l *library) note(what string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asked = append(l.asked, what)
}

func (l *library) ListKnowledgeBases(context.Context, vendors.PageQuery) (vendors.Page[vendors.KnowledgeBase], error) {
	p := vendors.Page[vendors.KnowledgeBase]{}
	for _, id := range l.bases {
		n := int64(len(l.texts[id]))
		p.Items = append(p.Items, vendors.KnowledgeBase{KnowledgeBaseID: id, Name: "name of " + id, DocumentCount: &n})
	}
	return p, l.fail[""]
}

func (l *library) Search(_ context.Context, q vendors.SearchQuery) ([]vendors.Hit, error) {
	l.note(q.KnowledgeBaseID)
	var hits []vendors.Hit
	for i, text := range l.texts[q.KnowledgeBaseID] {
		id := fmt.Sprint(q.KnowledgeBaseID, i)
		if strings.Contains(text, q.Query) && (l.ignores || q.DocumentIDs == nil || slices.Contains(q.DocumentIDs, id)) && len(hits) < q.Limit {
			hits = append(hits, vendors.Hit{DocumentID: id, Content: text})
		}
	}
	return hits, l.fail[q.KnowledgeBaseID]
}

// broadLibrary is a library that searches several knowledge bases at once.
type broadLibrary struct{ *library }

func (l broadLibrary) SearchBroadly(ctx context.Context, ids []string, q vendors.SearchQuery) (all []vendors.Hit, err error) {
	l.note(strings.Join(ids, "+"))
	for _, id := range ids {
		if l.fail[id] != nil {
			return nil, l.fail[id]
		}
		q.KnowledgeBaseID = id
		hits, _ := l.Search(ctx, q)
		for _, h := range hits {
			h.KnowledgeBaseID = id
			all = append(all, h)
		}
	}
	return all, nil
}

// shelfOf makes a library of n knowledge bases with two texts each.
func shelfOf(name string, n int) *library {
	l := &library{texts: map[string][]string{}, fail: map[string]error{}}
	for i := range n {
		id := fmt.Sprintf("%s%d-", name, i)
		l.bases = append(l.bases, id)
		l.texts[id] = []string{"refund one of " + id, "refund two of " + id}
	}
	return l
}

// lookup calls the tool on connections of libraries, in the order of names.
func lookup(t *testing.T, drivers map[string]vendors.Driver, args string) (hitList, Answer) {
	t.Helper()
	var list []*connection.Connection
	for _, name := range []string{"a", "b", "c"} {
		if d, ok := drivers[name]; ok {
			list = append(list, connection.New(name, "dify", d))
		}
	}
	a, _ := New(list, Options{Clean: strings.Clone, Log: discard}).Call(t.Context(), "search_knowledge_base", json.RawMessage(args))
	var l hitList
	if err := json.Unmarshal(a.Text, &l); err != nil {
		t.Fatal(err)
	}
	return l, a
}

func documentsOf(hits []vendors.Hit) (ids []string) {
	for _, h := range hits {
		ids = append(ids, h.DocumentID)
	}
	return ids
}

func TestSearchOverEverything(t *testing.T) {
	a, b := shelfOf("a", 2), shelfOf("b", 1)
	l, _ := lookup(t, map[string]vendors.Driver{"a": a, "b": b}, `{"query":"refund","limit":4}`)
	if got := documentsOf(l.Hits); !slices.Equal(got, []string{"a0-0", "a1-0", "b0-0", "a0-1"}) {
		t.Errorf("by reciprocal rank: %v", got)
	}
	if l.Vendor != "" || l.Hits[2].Vendor != "b" || l.Hits[2].KnowledgeBaseID != "b0-" || len(l.KnowledgeBases) != 3 || l.KnowledgeBases[2].Name != "name of b0-" {
		t.Errorf("%+v", l)
	}
	l, _ = lookup(t, map[string]vendors.Driver{"a": a, "b": b}, `{"query":"refund","vendor":"b"}`)
	if l.Vendor != "b" || l.KnowledgeBaseID != "b0-" || l.Hits[0].Vendor != "" || l.Hits[0].KnowledgeBaseID != "" || len(l.Hits) != 2 {
		t.Errorf("what hits share stands on top: %+v", l)
	}
}

func TestSearchNamesWhatItLeavesOut(t *testing.T) {
	down, mixed, none := shelfOf("a", 1), shelfOf("b", 3), shelfOf("c", 1)
	down.fail[""] = vendors.Errorf(vendors.Unavailable, "It is down.")
	mixed.fail["b1-"] = vendors.Errorf(vendors.Conflict, "Its model is missing.")
	mixed.texts["b2-"] = nil // empty
	all := map[string]vendors.Driver{"a": down, "b": mixed, "c": struct{ vendors.Driver }{&none.fake}}
	l, _ := lookup(t, all, `{"query":"refund"}`)
	var gaps []string
	for _, g := range l.Incomplete {
		gaps = append(gaps, fmt.Sprint(g.Vendor, " ", g.KnowledgeBaseID, " ", g.Error.Kind))
	}
	if want := []string{"a  unavailable", "b b1- conflict", "c  unsupported"}; !slices.Equal(gaps, want) {
		t.Errorf("%q, want %q", gaps, want)
	}
	if got := documentsOf(l.Hits); !slices.Equal(got, []string{"b0-0", "b0-1"}) || slices.Contains(mixed.asked, "b2-") {
		t.Errorf("%v, asked %v", got, mixed.asked)
	}
	delete(all, "b")
	if _, a := lookup(t, all, `{"query":"refund"}`); !a.Failed || !strings.Contains(string(a.Text), `"unavailable"`) {
		t.Errorf("nothing could be searched: %s", a.Text)
	}
}

func TestSearchOfAtMostTwenty(t *testing.T) {
	a, b := shelfOf("a", 30), shelfOf("b", 4)
	l, _ := lookup(t, map[string]vendors.Driver{"a": a, "b": b}, `{"query":"refund","limit":50}`)
	if len(a.asked) != 16 || len(b.asked) != 4 || len(l.Incomplete) != 1 || l.Incomplete[0].Vendor != "a" ||
		!strings.HasPrefix(l.Incomplete[0].Error.Message, "14 of its 30 knowledge bases") {
		t.Errorf("asked %d and %d, %+v", len(a.asked), len(b.asked), l.Incomplete)
	}
}

func TestSearchInOneRequest(t *testing.T) {
	a := shelfOf("a", 3)
	l, _ := lookup(t, map[string]vendors.Driver{"a": broadLibrary{a}}, `{"query":"one","limit":9}`)
	if a.asked[0] != "a0-+a1-+a2-" || len(l.Hits) != 3 || l.Hits[2].KnowledgeBaseID != "a2-" || l.Vendor != "a" {
		t.Errorf("asked %v, %+v", a.asked, l)
	}
	a = shelfOf("a", 3)
	a.fail["a1-"] = vendors.Errorf(vendors.VendorError, "Datasets use different embedding models.")
	l, _ = lookup(t, map[string]vendors.Driver{"a": broadLibrary{a}}, `{"query":"one","limit":9}`)
	if len(a.asked) != 5 || len(l.Hits) != 2 || len(l.Incomplete) != 1 {
		t.Errorf("refused together: asked %v, %+v", a.asked, l)
	}
}

func TestSearchInDocuments(t *testing.T) {
	for _, ignores := range []bool{false, true} {
		a := shelfOf("a", 2)
		for i := range 60 {
			a.texts["a1-"] = append(a.texts["a1-"], fmt.Sprint("refund ", i))
		}
		a.ignores = ignores
		l, _ := lookup(t, map[string]vendors.Driver{"a": a}, `{"query":"refund","document_ids":["a1-1","a1-30","a0-1"]}`)
		got := documentsOf(l.Hits)
		slices.Sort(got)
		if !slices.Equal(got, []string{"a0-1", "a1-1", "a1-30"}) {
			t.Errorf("ignores %v: %v", ignores, got)
		}
		if l.Truncated != ignores { // 50 hits of 62 were looked through
			t.Errorf("ignores %v: %+v", ignores, l)
		}
	}
}

func TestFitOfHits(t *testing.T) {
	r := hitList{}
	for i := range 5 {
		r.Hits = append(r.Hits, vendors.Hit{ChunkID: fmt.Sprint(i), Content: strings.Repeat("长", 30_000)})
	}
	for n, want := range map[int]int{4: 4, 1: 1, 0: 1} {
		got := r.Fit(n).(hitList)
		if len(got.Hits) != want || !got.Truncated || got.Hint == "" || got.Hits[0].ChunkID != "0" {
			t.Errorf("Fit(%d): %d hits, %q", n, len(got.Hits), got.Hint)
		}
		if short := utf8.RuneCountInString(got.Hits[0].Content) <= 12_001; short != (n == 0) {
			t.Errorf("Fit(%d): shortened is %v", n, short)
		}
	}
	if len(r.Hits) != 5 || len(r.Hits[0].Content) != 90_000 {
		t.Error("Fit changed its receiver")
	}
}
