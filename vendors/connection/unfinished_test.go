package connection

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"kb-mcp/vendors"
	"kb-mcp/vendors/rank"
)

// town is a platform with several knowledge bases; calls are counted by name.
type town struct {
	mu    sync.Mutex
	kbs   []vendors.KnowledgeBase
	docs  map[string][]vendors.Document
	calls map[string]int
	most  int // calls at once
	now   int

	fail   func(kb string, q vendors.PageQuery) error // of a listing
	listed error                                      // of the listing of knowledge bases
	takes  time.Duration
	thin   bool
	report vendors.Report
}

// add makes a knowledge base of documents with these statuses, newest first.
func (w *town) add(kb string, list ...vendors.Status) *vendors.KnowledgeBase {
	if w.docs == nil {
		w.docs, w.calls = map[string][]vendors.Document{}, map[string]int{}
	}
	for i, s := range list {
		d := vendors.Document{DocumentID: fmt.Sprintf("%s-%d", kb, i), Status: s, CreatedAt: time.Unix(1_700_000_000-int64(i), 0).UTC()}
		w.docs[kb] = append(w.docs[kb], d)
	}
	n := int64(len(list))
	w.kbs = append(w.kbs, vendors.KnowledgeBase{KnowledgeBaseID: kb, DocumentCount: &n})
	return &w.kbs[len(w.kbs)-1]
}

func (w *town) enter(ctx context.Context, call string) error {
	w.mu.Lock()
	w.calls[call]++
	w.now++
	w.most = max(w.most, w.now)
	w.mu.Unlock()
	defer func() { w.mu.Lock(); w.now--; w.mu.Unlock() }()
	if !sleep(ctx, w.takes) {
		return &vendors.Error{Kind: vendors.Timeout, Message: "late"}
	}
	return nil
}

func (w *town) ListKnowledgeBases(ctx context.Context, q vendors.PageQuery) (vendors.Page[vendors.KnowledgeBase], error) {
	if err := w.enter(ctx, "list"); err != nil {
		return vendors.Page[vendors.KnowledgeBase]{}, err
	}
	from := min((q.Page-1)*q.Size, len(w.kbs))
	to := min(from+q.Size, len(w.kbs))
	if q.Page > 1 && w.listed != nil || len(w.kbs) == 0 {
		return vendors.Page[vendors.KnowledgeBase]{}, w.listed
	}
	return vendors.Page[vendors.KnowledgeBase]{Items: slices.Clone(w.kbs[from:to]), More: to < len(w.kbs)}, nil
}

func (w *town) ListDocuments(ctx context.Context, q vendors.PageQuery) (vendors.Page[vendors.Document], error) {
	if err := w.enter(ctx, strings.TrimSpace(q.KnowledgeBaseID+" "+string(q.Status))); err != nil {
		return vendors.Page[vendors.Document]{}, err
	}
	if w.fail != nil {
		if err := w.fail(q.KnowledgeBaseID, q); err != nil {
			return vendors.Page[vendors.Document]{}, err
		}
	}
	rows := w.docs[q.KnowledgeBaseID]
	if q.Status != "" {
		rows = slices.DeleteFunc(slices.Clone(rows), func(d vendors.Document) bool { return d.Status != q.Status })
	}
	from := min((q.Page-1)*q.Size, len(rows))
	to := min(from+q.Size, len(rows))
	return vendors.Page[vendors.Document]{Items: slices.Clone(rows[from:to]), Total: intp(len(rows)), More: to < len(rows), NewestFirst: true, Thin: w.thin}, nil
}

func (w *town) GetDocument(context.Context, vendors.Ref) (vendors.Document, error) {
	return vendors.Document{}, nil
}

func (w *town) Progress(ctx context.Context, q vendors.ProgressQuery) (vendors.Report, error) {
	return w.report, w.enter(ctx, fmt.Sprintf("progress %s %d", q.KnowledgeBaseID, len(q.DocumentIDs)))
}

// filtering is a town that filters by status.
type filtering struct{ *town }

func (filtering) UnfinishedFilters() []vendors.Status {
	return []vendors.Status{vendors.Failed, vendors.Processing}
}

// counted is a town that keeps counters.
type counted struct{ *town }

func (w counted) Counts(ctx context.Context, kb string) (vendors.Counts, error) {
	c := vendors.Counts{Total: len(w.docs[kb])}
	for _, d := range w.docs[kb] {
		if d.Status == vendors.Completed {
			c.Completed++
		}
	}
	c.Finished = c.Completed
	return c, w.enter(ctx, "count "+kb)
}

func many(n int, s vendors.Status, others ...vendors.Status) []vendors.Status {
	return append(slices.Repeat([]vendors.Status{s}, n), others...)
}

func found(t *testing.T, d vendors.Driver, kb string) Unfinished {
	t.Helper()
	u, err := New("v", "p", d).Unfinished(t.Context(), kb)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestUnfinishedComeWorstFirst(t *testing.T) {
	old := time.Date(2000, 1, 1, 1, 0, 0, 0, time.UTC)
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(week)
		w := &town{}
		w.add("a", vendors.Unknown, vendors.Processing, vendors.Completed, vendors.Cancelled, vendors.Paused, vendors.Failed)
		w.add("b", vendors.Deleting, vendors.Queued, vendors.NotStarted, vendors.Failed, vendors.Completed, vendors.Queued)
		for kb := range w.docs {
			for i := range w.docs[kb] {
				w.docs[kb][i].CreatedAt = time.Now().Add(-time.Duration(i) * time.Second)
			}
		}
		w.docs["b"][5].CreatedAt = old // queued for a week: stalled
		u := found(t, w, "")
		want := []string{"b-3", "a-5", "b-5", "b-2", "a-4", "a-0", "b-1", "a-1", "b-0", "a-3"}
		if d := cmp.Diff(want, ids(u.Documents)); d != "" {
			t.Error(d)
		}
		if s := u.Documents[2].Stalled; s == nil || !s.Since.Equal(old) || u.Documents[2].Vendor != "v" || u.Documents[2].KnowledgeBaseID != "b" {
			t.Errorf("%+v", u.Documents[2])
		}
		if u.Summary.Total != 12 || u.Summary.ByStatus[vendors.Completed] != 2 || u.Summary.Failed != 2 || u.Summary.NeedsAction != 2 || u.Summary.Done || u.Incomplete != nil {
			t.Errorf("%+v", u)
		}
	})
}

func TestPlacesAreATotalOrder(t *testing.T) {
	var docs []vendors.Document
	for i, s := range slices.Repeat(vendors.Statuses(), 3) {
		docs = append(docs, vendors.Document{Vendor: fmt.Sprint("v", i%2), KnowledgeBaseID: fmt.Sprint("k", i%3), DocumentID: fmt.Sprint("d", i), Status: s, CreatedAt: time.Unix(int64(i%4)*1000, 0)})
	}
	docs[0].CreatedAt, docs[1].Stalled = time.Time{}, &vendors.Stalled{}
	slices.SortFunc(docs, rank.WorstFirst)
	want := ids(docs)
	for range 20 {
		rand.Shuffle(len(docs), func(i, j int) { docs[i], docs[j] = docs[j], docs[i] })
		slices.SortFunc(docs, rank.WorstFirst)
		if !slices.Equal(ids(docs), want) {
			t.Fatalf("%v\n%v", ids(docs), want)
		}
	}
}

func TestUnfinishedByTheCheapestWay(t *testing.T) {
	tests := []struct {
		name  string
		build func(w *town) vendors.Driver
		calls map[string]int
		total int
		docs  []string
	}{
		{"an empty knowledge base", func(w *town) vendors.Driver { w.add("a"); return w }, map[string]int{"list": 1}, 0, nil},
		{"the platform counts none pending", func(w *town) vendors.Driver { w.add("a", many(300, vendors.Completed)...).Pending = intp(0); return w },
			map[string]int{"list": 1}, 0, nil},
		{"the platform names what is pending", func(w *town) vendors.Driver {
			kb := w.add("a", many(300, vendors.Completed, vendors.Processing)...)
			kb.Pending, kb.Busy, w.report = intp(1), []string{"a-300"}, vendors.Report{Documents: []vendors.Document{{DocumentID: "a-300", Status: vendors.Processing}}}
			return w
		}, map[string]int{"list": 1, "progress a 1": 1}, 1, []string{"a-300"}},
		{"it does not name the failed ones", func(w *town) vendors.Driver {
			kb := w.add("a", many(300, vendors.Completed, vendors.Processing, vendors.Failed)...)
			kb.Pending, kb.Busy = intp(2), []string{"a-300"}
			return w
		}, map[string]int{"list": 1, "a": 4}, 302, []string{"a-301", "a-300"}},
		{"the counters say all completed", func(w *town) vendors.Driver { w.add("a", many(300, vendors.Completed)...); return counted{w} },
			map[string]int{"list": 1, "count a": 1, "a": 1}, 300, nil},
		{"the counters say all completed, the rows do not", func(w *town) vendors.Driver {
			w.add("a", append(many(40, vendors.Processing), many(260, vendors.Completed)...)...)
			return boasting{w}
		}, map[string]int{"list": 1, "count a": 1, "a": 4}, 300, processing(40)},
		{"counted by status", func(w *town) vendors.Driver {
			w.add("a", many(300, vendors.Completed)...)
			return sorting{filtering{w}}
		},
			map[string]int{"list": 1, "by status a": 1, "a": 1}, 300, nil},
		{"counted by status, not all completed", func(w *town) vendors.Driver {
			w.add("a", many(300, vendors.Completed, vendors.Failed)...)
			return sorting{filtering{w}}
		}, map[string]int{"list": 1, "by status a": 1, "a failed": 1, "a processing": 1}, 1, []string{"a-300"}},
		{"the counters say otherwise", func(w *town) vendors.Driver {
			w.add("a", many(300, vendors.Completed, vendors.Failed)...)
			return counted{w}
		},
			map[string]int{"list": 1, "count a": 1, "a": 4}, 301, []string{"a-300"}},
		{"few rows are read without asking for counters", func(w *town) vendors.Driver { w.add("a", many(90, vendors.Completed)...); return counted{w} },
			map[string]int{"list": 1, "a": 1}, 90, nil},
		{"a large one by status", func(w *town) vendors.Driver {
			w.add("a", many(300, vendors.Completed, vendors.Processing, vendors.Failed)...)
			return filtering{w}
		},
			map[string]int{"list": 1, "a failed": 1, "a processing": 1}, 2, []string{"a-301", "a-300"}},
		{"a small one by its rows", func(w *town) vendors.Driver {
			w.add("a", many(100, vendors.Completed, vendors.Processing)...)
			return filtering{w}
		},
			map[string]int{"list": 1, "a": 2}, 101, []string{"a-100"}},
		{"of unknown size by status", func(w *town) vendors.Driver {
			w.add("a", vendors.Completed, vendors.Failed).DocumentCount = nil
			return filtering{w}
		},
			map[string]int{"list": 1, "a failed": 1, "a processing": 1}, 1, []string{"a-1"}},
		{"thin rows get their reasons", func(w *town) vendors.Driver {
			w.add("a", vendors.Completed, vendors.Failed)
			w.thin, w.report = true, vendors.Report{Documents: []vendors.Document{{DocumentID: "a-1", Status: vendors.Failed, Error: &vendors.Failure{Message: "no text"}}}}
			return w
		}, map[string]int{"list": 1, "a": 1, "progress a 1": 1}, 2, []string{"a-1"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := &town{}
			u := found(t, tt.build(w), "")
			if d := cmp.Diff(tt.calls, w.calls); d != "" {
				t.Error(d)
			}
			if !slices.Equal(ids(u.Documents), tt.docs) || u.Summary.Total != tt.total || u.Incomplete != nil {
				t.Errorf("%v, %+v, %+v", ids(u.Documents), u.Summary, u.Incomplete)
			}
			if w.thin && (u.Documents[0].Error == nil || u.Documents[0].Error.Message != "no text") {
				t.Errorf("%+v", u.Documents[0])
			}
		})
	}
}

func TestUnfinishedInOneKnowledgeBase(t *testing.T) {
	w := &town{}
	w.add("a", vendors.Failed)
	w.add("b", vendors.Completed, vendors.Paused)
	if u := found(t, w, "b"); !slices.Equal(ids(u.Documents), []string{"b-1"}) || w.calls["list"] != 1 || w.calls["a"] != 0 { // the list has its name
		t.Errorf("%+v, %v", u, w.calls)
	}
	if _, err := New("v", "p", w).Unfinished(t.Context(), ".."); vendors.KindOf(err) != vendors.InvalidArgument {
		t.Errorf("%v", err)
	}
	if u := found(t, &shelf{}, ""); len(u.Incomplete) != 1 || u.Incomplete[0].Error.Kind != vendors.Unsupported || u.Incomplete[0].Vendor != "v" {
		t.Errorf("a platform that cannot list knowledge bases: %+v", u)
	}
}

func TestWhatFailsIsNamed(t *testing.T) {
	t.Run("a knowledge base", func(t *testing.T) {
		w := &town{}
		for _, kb := range []string{"a", "b", "c"} {
			w.add(kb, vendors.Failed)
		}
		w.fail = func(kb string, _ vendors.PageQuery) error {
			if kb == "b" {
				return &vendors.Error{Kind: vendors.PermissionDenied, Message: "no", VendorCode: "403", VendorMessage: "nope", HTTPStatus: 403, RequestID: "r"}
			}
			return nil
		}
		u := found(t, w, "")
		if !slices.Equal(slices.Sorted(slices.Values(ids(u.Documents))), []string{"a-0", "c-0"}) || len(u.Incomplete) != 1 ||
			u.Incomplete[0].KnowledgeBaseID != "b" || u.Incomplete[0].Vendor != "v" ||
			u.Incomplete[0].Error != (vendors.ErrorReport{Kind: vendors.PermissionDenied, Message: "no", Hint: vendors.PermissionDenied.Hint()}) {
			t.Errorf("%+v", u)
		}
	})
	t.Run("the listing", func(t *testing.T) {
		w := &town{listed: &vendors.Error{Kind: vendors.Unavailable}}
		for i := range 150 { // its second page fails
			w.add(fmt.Sprintf("k%03d", i), vendors.Failed)
		}
		u := found(t, w, "")
		if len(u.Incomplete) != 1 || u.Incomplete[0].KnowledgeBaseID != "" || u.Incomplete[0].Error.Kind != vendors.Unavailable || len(u.Documents) != 100 {
			t.Errorf("%d documents, %+v", len(u.Documents), u.Incomplete)
		}
	})
	t.Run("very many", func(t *testing.T) {
		w := &town{fail: func(string, vendors.PageQuery) error {
			return &vendors.Error{Kind: vendors.Unavailable, Message: "down"}
		}}
		for i := range 60 {
			w.add(fmt.Sprintf("k%02d", i), vendors.Failed)
		}
		u := found(t, w, "")
		if len(u.Incomplete) != gapsTold+1 {
			t.Fatalf("%d gaps", len(u.Incomplete))
		}
		last := u.Incomplete[gapsTold]
		if last.KnowledgeBaseID != "" || !strings.Contains(last.Error.Message, "55 more") || last.Error.Kind != vendors.Unavailable ||
			!strings.Contains(last.Error.Hint, "k05") || !strings.Contains(last.Error.Hint, "k24 and 35 more") {
			t.Errorf("%+v", last)
		}
	})
}

// A reading that ends early is named with a cursor, and the cursor goes on.
func TestAPartialReadingGoesOn(t *testing.T) {
	w := &town{}
	w.add("a", append(many(250, vendors.Completed, vendors.Processing), many(49, vendors.Completed, vendors.Failed)...)...)
	w.docs["a"][10].Status = vendors.Queued
	w.fail = func(_ string, q vendors.PageQuery) error {
		if q.Page == 3 {
			return &vendors.Error{Kind: vendors.RateLimited, After: time.Minute}
		}
		return nil
	}
	v := New("v", "p", w)
	u, err := v.Unfinished(t.Context(), "")
	if err != nil || !slices.Equal(ids(u.Documents), []string{"a-10"}) || u.Summary.Total != 200 || len(u.Incomplete) != 1 {
		t.Fatalf("%+v, %v", u, err)
	}
	gap := u.Incomplete[0]
	_, quoted, ok := strings.Cut(gap.Error.Hint, `cursor "`)
	cursor, _, closed := strings.Cut(quoted, `"`)
	if !ok || !closed || gap.KnowledgeBaseID != "a" || !strings.Contains(gap.Error.Hint, "get_ingestion_progress") {
		t.Fatalf("%+v", gap)
	}
	w.fail, w.docs["a"][250].Status = nil, vendors.Completed
	r, err := v.Progress(t.Context(), ProgressRequest{KnowledgeBaseID: "a", Cursor: cursor})
	if err != nil || *r.Summary.Scanned != 101 || len(r.Documents) != 1 || r.Documents[0].DocumentID != "a-300" {
		t.Fatalf("%+v, %v", r, err)
	}
	if r.Summary.Done {
		t.Error("done, although a document before the cursor is queued")
	}
}

func TestAPartialListingByStatusIsNamed(t *testing.T) {
	w := &town{}
	w.add("a", append(many(300, vendors.Failed), many(300, vendors.Completed, vendors.Processing)...)...)
	w.fail = func(_ string, q vendors.PageQuery) error {
		if q.Page == 2 {
			return &vendors.Error{Kind: vendors.RateLimited}
		}
		return nil
	}
	u := found(t, filtering{w}, "")
	if len(u.Documents) != 100 || len(u.Incomplete) != 1 || !strings.Contains(u.Incomplete[0].Error.Hint, "failed and then processing") {
		t.Errorf("%d documents, %+v", len(u.Documents), u.Incomplete)
	}
}

func TestUnfinishedIsCapped(t *testing.T) {
	for n, gaps := range map[int]int{unfinishedKeep: 0, unfinishedKeep + 1: 1} {
		w := &town{}
		w.add("a", many(n, vendors.Failed)...)
		u := found(t, w, "")
		if len(u.Documents) != unfinishedKeep || len(u.Incomplete) != gaps {
			t.Errorf("%d failed: %d documents, %+v", n, len(u.Documents), u.Incomplete)
		}
	}
	w := &town{}
	w.add("a", many(unfinishedKeep, vendors.Failed)...)
	for i := range 8 {
		w.add(fmt.Sprint("done", i), many(50, vendors.Completed)...)
	}
	if u := found(t, w, ""); len(u.Incomplete) != 0 || u.Summary.Total != unfinishedKeep+400 {
		t.Errorf("nothing was left out: %+v", u.Incomplete)
	}
}

func TestUnfinishedTakesItsTimeAndNoMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &town{takes: time.Second}
		for i := range 400 {
			w.add(fmt.Sprintf("k%03d", i), vendors.Failed)
		}
		began := time.Now()
		u := found(t, w, "")
		if took := time.Since(began); took > unfinishedTime || w.most != unfinishedAtOnce {
			t.Errorf("took %s, %d at once", took, w.most)
		}
		last := u.Incomplete[len(u.Incomplete)-1].Error.Message
		if missing := 400 - len(u.Documents) - gapsTold; len(u.Documents) < 100 || !strings.Contains(last, fmt.Sprintf("%d more", missing)) {
			t.Errorf("%d found, %q", len(u.Documents), last)
		}
	})
}
