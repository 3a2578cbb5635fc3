package connection

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"kb-mcp/vendors"
	"kb-mcp/vendors/internal/paging"
)

// shelf is a platform that sorts newest first and numbers its pages.
type shelf struct {
	docs     []vendors.Document // newest first
	sorted   bool
	moment   int // documents of one second; 0 is 7
	requests int
	fail     func(page int) error
	ignores  bool // it ignores the page number, as RAGFlow v0.13 does
	filtered bool // it says that it applied every filter it knows
}

func (s *shelf) ListDocuments(_ context.Context, q vendors.PageQuery) (vendors.Page[vendors.Document], error) {
	s.requests++
	if s.fail != nil {
		if err := s.fail(q.Page); err != nil {
			return vendors.Page[vendors.Document]{}, err
		}
	}
	n := q.Page
	if s.ignores {
		n = 1
	}
	from := min((n-1)*q.Size, len(s.docs))
	to := min(from+q.Size, len(s.docs))
	total := len(s.docs)
	return vendors.Page[vendors.Document]{
		Items: slices.Clone(s.docs[from:to]), Total: &total, More: to < total || s.ignores, NewestFirst: s.sorted, Filtered: s.filtered,
	}, nil
}

func (s *shelf) GetDocument(context.Context, vendors.Ref) (vendors.Document, error) {
	return vendors.Document{}, nil
}

func (s *shelf) Progress(context.Context, vendors.ProgressQuery) (vendors.Report, error) {
	return vendors.Report{}, nil
}

// put adds documents on top; several get the same second.
func (s *shelf) put(n int) {
	list := make([]vendors.Document, n, n+len(s.docs))
	for k := range n {
		i := len(s.docs) + k
		created := time.Unix(1_700_000_000+int64(i/cmp.Or(s.moment, 7)), 0).UTC()
		list[n-1-k] = vendors.Document{DocumentID: fmt.Sprintf("new-%d-%d", s.requests, i), Name: "doc", Status: vendors.Completed, CreatedAt: created}
	}
	s.docs = append(list, s.docs...)
}

// page reads a listing to its end, calling between after every page.
func page(t *testing.T, v *Connection, q ListQuery, between func(n int)) []string {
	t.Helper()
	var ids []string
	for n := range 1000 {
		out, err := v.ListDocuments(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		if len(out.Documents) > q.Limit {
			t.Fatalf("%d rows, limit %d", len(out.Documents), q.Limit)
		}
		for _, d := range out.Documents {
			ids = append(ids, d.DocumentID)
		}
		if out.NextCursor == "" {
			return ids
		}
		q.Cursor = out.NextCursor
		between(n)
	}
	t.Fatal("the listing does not end")
	return nil
}

// once fails unless every one of want is in got exactly once.
func once(t *testing.T, got, want []string) {
	t.Helper()
	count := map[string]int{}
	for _, id := range got {
		count[id]++
	}
	for _, id := range want {
		if count[id] != 1 {
			t.Errorf("%s came %d times", id, count[id])
		}
	}
}

func ids(docs []vendors.Document) []string {
	var out []string
	for _, d := range docs {
		out = append(out, d.DocumentID)
	}
	return out
}

func TestPagingWhileDocumentsChange(t *testing.T) {
	tests := []struct {
		name   string
		sorted bool
		query  ListQuery
		change func(s *shelf, n int)
	}{
		{name: "nothing changes", sorted: true},
		{name: "nothing changes, no order", sorted: false},
		{name: "a few are added", sorted: true, change: func(s *shelf, n int) { s.put(3) }},
		{name: "a page is added", sorted: true, change: func(s *shelf, n int) { s.put(20) }},
		{name: "more than a page is added once", sorted: true, change: func(s *shelf, n int) {
			if n == 1 {
				s.put(55)
			}
		}},
		{name: "a few are added, no order", sorted: false, change: func(s *shelf, n int) { s.put(3) }},
		{name: "filtered, added", sorted: true, query: ListQuery{NameContains: "DOC"}, change: func(s *shelf, n int) { s.put(5) }},
		{name: "read ones are deleted", sorted: true, change: func(s *shelf, n int) { s.docs = s.docs[5:] }},
		{name: "pages of read ones are deleted", sorted: true, change: func(s *shelf, n int) {
			if n == 3 {
				s.docs = s.docs[50:]
			}
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := &shelf{sorted: tt.sorted}
			s.put(205)
			q := tt.query
			q.KnowledgeBaseID, q.Limit = "kb", 20
			before := ids(s.docs)
			got := page(t, New("v", "p", s), q, func(n int) {
				if tt.change != nil && n < 6 {
					tt.change(s, n)
				}
			})
			once(t, got, slices.DeleteFunc(before, func(id string) bool { return !slices.Contains(ids(s.docs), id) }))
		})
	}
}

func TestUnfilteredPageIsOneRequest(t *testing.T) {
	s := &shelf{sorted: true}
	s.put(50)
	v := New("v", "p", s)
	out, err := v.ListDocuments(t.Context(), ListQuery{KnowledgeBaseID: "kb", Limit: 20})
	if err != nil || len(out.Documents) != 20 || *out.Total != 50 || s.requests != 1 {
		t.Fatalf("%d rows, total %v, %d requests, %v", len(out.Documents), out.Total, s.requests, err)
	}
}

func TestLimitMayChangeWhilePaging(t *testing.T) {
	s := &shelf{sorted: true}
	s.put(50)
	v := New("v", "p", s)
	q := ListQuery{KnowledgeBaseID: "kb", Limit: 20}
	var got []string
	for _, limit := range []int{20, 7, 100, 1, 50, 50} {
		q.Limit = limit
		out, err := v.ListDocuments(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, ids(out.Documents)...)
		if q.Cursor = out.NextCursor; q.Cursor == "" {
			break
		}
	}
	once(t, got, ids(s.docs))
}

func TestServerThatIgnoresThePageNumberEnds(t *testing.T) {
	s := &shelf{sorted: true, ignores: true}
	s.put(20)
	if got := page(t, New("v", "p", s), ListQuery{KnowledgeBaseID: "kb", Limit: 20}, func(int) {}); len(got) != 20 {
		t.Errorf("%d rows, want 20", len(got))
	}
}

func TestScanStopsWhenTheLimitRunsOut(t *testing.T) {
	s := &shelf{sorted: true}
	s.put(1000)
	s.docs[350].Name = "needle"
	busy := &vendors.Error{Kind: vendors.RateLimited, After: time.Minute}
	s.fail = func(page int) error {
		if page == 3 {
			return busy
		}
		return nil
	}
	v := New("v", "p", s)
	q := ListQuery{KnowledgeBaseID: "kb", Limit: 20, NameContains: "needle"}
	out, err := v.ListDocuments(t.Context(), q)
	if err != nil || len(out.Documents) != 0 || out.NextCursor == "" || out.Total != nil {
		t.Fatalf("%+v, %v", out, err)
	}
	q.Cursor = out.NextCursor
	if _, err = v.ListDocuments(t.Context(), q); vendors.KindOf(err) != vendors.RateLimited {
		t.Errorf("nothing could be read: %v", err)
	}
	s.fail = nil
	if out, err = v.ListDocuments(t.Context(), q); err != nil || len(out.Documents) != 1 {
		t.Errorf("%+v, %v", out, err)
	}
}

func TestScanStopsAfterItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{sorted: true, fail: func(int) error { time.Sleep(3 * time.Second); return nil }}
		s.put(2000)
		began := time.Now()
		out, err := New("v", "p", s).ListDocuments(t.Context(), ListQuery{KnowledgeBaseID: "kb", Limit: 20, NameContains: "needle"})
		if err != nil || out.NextCursor == "" || time.Since(began) > paging.ListTime+5*time.Second {
			t.Errorf("after %s: %+v, %v", time.Since(began), out, err)
		}
	})
}

func TestCursorBelongsToItsQuery(t *testing.T) {
	s := &shelf{sorted: true}
	s.put(50)
	v := New("v", "p", s)
	q := ListQuery{KnowledgeBaseID: "kb", Limit: 20}
	out, err := v.ListDocuments(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	good := out.NextCursor
	for name, q := range map[string]ListQuery{
		"other knowledge base": {KnowledgeBaseID: "kb2", Limit: 20, Cursor: good},
		"other status":         {KnowledgeBaseID: "kb", Status: vendors.Failed, Limit: 20, Cursor: good},
		"other filter":         {KnowledgeBaseID: "kb", NameContains: "x", Limit: 20, Cursor: good},
		"broken":               {KnowledgeBaseID: "kb", Limit: 20, Cursor: good[:len(good)-3]},
		"no base64":            {KnowledgeBaseID: "kb", Limit: 20, Cursor: "%%%"},
	} {
		requests := s.requests
		if _, err := v.ListDocuments(t.Context(), q); vendors.KindOf(err) != vendors.InvalidArgument || s.requests != requests {
			t.Errorf("%s: %v after %d requests", name, err, s.requests-requests)
		}
	}
	if _, err := New("w", "p", s).ListDocuments(t.Context(), ListQuery{KnowledgeBaseID: "kb", Limit: 20, Cursor: good}); vendors.KindOf(err) != vendors.InvalidArgument {
		t.Errorf("another connection: %v", err)
	}
}

func FuzzCursor(f *testing.F) {
	p := paging.Start(7, 20).See(3, "id", time.Unix(1, 0), true)
	f.Add(p.Cursor())
	f.Add("")
	f.Fuzz(func(t *testing.T, s string) {
		p, err := paging.ParseCursor(s, 7)
		if err != nil {
			if vendors.KindOf(err) != vendors.InvalidArgument {
				t.Fatalf("%v", err)
			}
			return
		}
		again, err := paging.ParseCursor(p.Cursor(), 7)
		if err != nil || again.Cursor() != p.Cursor() {
			t.Fatalf("%+v became %+v, %v", p, again, err)
		}
		// A forged cursor gives rows, or none.
		for _, sorted := range []bool{false, true} {
			s := &shelf{sorted: sorted}
			s.put(50)
			v, q := New("v", "p", s), ListQuery{KnowledgeBaseID: "kb", Limit: 20}
			p.Query = v.hash("documents", q)
			q.Cursor = p.Cursor()
			if out, err := v.ListDocuments(t.Context(), q); err != nil || len(out.Documents) > q.Limit || s.requests > paging.MaxPages {
				t.Fatalf("from %+v: %d rows in %d requests, %v", p, len(out.Documents), s.requests, err)
			}
		}
	})
}

// BenchmarkListDocuments is what a list costs a row: one of 100 is to be no dearer
// than one of 20.
func BenchmarkListDocuments(b *testing.B) {
	for _, limit := range []int{20, 100} {
		b.Run(fmt.Sprint(limit), func(b *testing.B) {
			s := &shelf{sorted: true}
			s.put(200)
			v := New("v", "p", s)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := v.ListDocuments(context.Background(), ListQuery{KnowledgeBaseID: "kb", Limit: limit}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*limit), "ns/row")
		})
	}
}

func TestIDsThatCanBeNone(t *testing.T) {
	v := New("v", "p", &shelf{})
	for i, id := range []string{"", " ", ".", "..", "a b", "a\nb", "a\x00", string(make([]byte, 300))} {
		_, err := v.GetDocument(t.Context(), vendors.Ref{KnowledgeBaseID: "kb", DocumentID: id})
		var e *vendors.Error
		if !errors.As(err, &e) || e.Kind != vendors.InvalidArgument || e.Vendor != "v" {
			t.Errorf("%s: %v", strconv.Quote(id), err)
		}
		if _, err := v.ListDocuments(t.Context(), ListQuery{KnowledgeBaseID: id, Limit: 1}); vendors.KindOf(err) != vendors.InvalidArgument {
			t.Errorf("%d: %v", i, err)
		}
	}
}

// TestListsByEnabled: a document of which the platform does not say is enabled,
// and a total that counts others is not told.
func TestListsByEnabled(t *testing.T) {
	yes, no := true, false
	s := &shelf{sorted: true, filtered: true}
	s.put(30)
	for i := range s.docs {
		s.docs[i].Enabled = []*bool{&yes, &no, nil}[i%3]
	}
	for want, n := range map[*bool]int{nil: 30, &yes: 20, &no: 10} {
		got := page(t, New("v", "p", s), ListQuery{KnowledgeBaseID: "kb", Limit: 7, Enabled: want}, func(int) {})
		if len(got) != n {
			t.Errorf("enabled %v: %d rows, want %d", want, len(got), n)
		}
	}
	out, err := New("v", "p", s).ListDocuments(t.Context(), ListQuery{KnowledgeBaseID: "kb", Limit: 1, Enabled: &yes})
	if err != nil || out.Total != nil {
		t.Errorf("total %v, %v", out.Total, err)
	}
	other := ListQuery{KnowledgeBaseID: "kb", Limit: 1, Enabled: &no, Cursor: out.NextCursor}
	if _, err := New("v", "p", s).ListDocuments(t.Context(), other); vendors.KindOf(err) != vendors.InvalidArgument {
		t.Errorf("the cursor of another filter: %v", err)
	}
}
