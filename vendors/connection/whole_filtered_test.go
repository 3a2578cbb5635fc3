package connection

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"kb-mcp/vendors"
	"kb-mcp/vendors/tally"
)

// sieve is a platform whose filters are true, with totals.
type sieve struct {
	bench
	none      bool // it ignores filters
	inexact   bool // its filters let others through: no true totals
	completed func() (int, error)
	asks      []vendors.PageQuery
}

func (s *sieve) ListDocuments(ctx context.Context, q vendors.PageQuery) (vendors.Page[vendors.Document], error) {
	s.asks = append(s.asks, q)
	if s.none {
		q.Status = ""
	}
	all := s.docs
	if q.Status != "" {
		all = slices.DeleteFunc(slices.Clone(all), func(d vendors.Document) bool { return d.Status != q.Status })
	}
	total := len(all)
	return vendors.Page[vendors.Document]{Items: slice(all, q), Total: &total, More: q.Page*q.Size < total, NewestFirst: true,
		Filtered: q.Status == "" || !s.none && !s.inexact}, nil
}

func (s *sieve) UnfinishedFilters() []vendors.Status {
	return []vendors.Status{vendors.Failed, vendors.Paused, vendors.Processing, vendors.Queued}
}

func (s *sieve) CountCompleted(context.Context, string) (int, error) {
	if s.completed != nil {
		return s.completed()
	}
	n := 0
	for _, d := range s.docs {
		if d.Status == vendors.Completed {
			n++
		}
	}
	return n, nil
}

// sifted is a sieve of n documents with statuses.
func sifted(n int, of func(i int) vendors.Status) *sieve {
	s := &sieve{}
	s.put(n)
	statuses(&s.shelf, of)
	return s
}

// whole asks for the progress of a whole knowledge base.
func whole(t *testing.T, v *Connection, cursor string) ProgressResult {
	t.Helper()
	got, err := v.Progress(t.Context(), ProgressRequest{KnowledgeBaseID: "kb", Cursor: cursor})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func some(i int) vendors.Status {
	switch {
	case i%500 == 1:
		return vendors.Failed
	case i%1000 == 2:
		return vendors.Paused
	case i%600 == 3:
		return vendors.Processing
	}
	return vendors.Completed
}

// TestWholeKnowledgeBaseByFilters: filters and totals tell as much as all rows do,
// in a few requests.
func TestWholeKnowledgeBaseByFilters(t *testing.T) {
	s := sifted(3000, some)
	got := whole(t, New("v", "p", s), "")
	plain := sifted(3000, some)
	want := whole(t, New("v", "p", &plain.bench), "")
	if d := cmp.Diff(want.Summary, got.Summary); d != "" {
		t.Error(d)
	}
	names := func(r ProgressResult) (list []string) {
		for _, d := range r.Documents {
			list = append(list, d.DocumentID)
		}
		slices.Sort(list)
		return list
	}
	if d := cmp.Diff(names(want), names(got)); d != "" || got.NextCursor != "" {
		t.Errorf("%s%+v", d, got)
	}
	if len(s.asks) != 5 {
		t.Errorf("%d requests, want 5: %+v", len(s.asks), s.asks)
	}
	for i, ask := range s.asks[1:] {
		if ask.Status != s.UnfinishedFilters()[i] {
			t.Errorf("request %d: %+v", i, ask)
		}
	}
}

// TestFiltersThatDoNotTellEverything: then all rows are read, and none twice.
func TestFiltersThatDoNotTellEverything(t *testing.T) {
	for name, change := range map[string]func(s *sieve){
		"ignored":                    func(s *sieve) { s.none = true },
		"a status that none selects": func(s *sieve) { s.docs[700].Status = vendors.Unknown },
		"no counter": func(s *sieve) {
			s.completed = func() (int, error) { return 0, vendors.Errorf(vendors.Unsupported, "old") }
		},
		"a counter that fails": func(s *sieve) {
			s.completed = func() (int, error) { return 0, vendors.Errorf(vendors.Unavailable, "down") }
		},
		"a counter that counts too few": func(s *sieve) { s.completed = func() (int, error) { return 5, nil } },
	} {
		t.Run(name, func(t *testing.T) {
			s, plain := sifted(1000, some), sifted(1000, some)
			change(s)
			change(plain)
			got, want := whole(t, New("v", "p", s), ""), whole(t, New("v", "p", &plain.bench), "")
			if d := cmp.Diff(want.Summary, got.Summary); d != "" || got.Summary.Total != 1000 {
				t.Errorf("%s", d)
			}
			pages := map[int]int{}
			for _, q := range s.asks {
				if q.Status == "" {
					pages[q.Page]++
				}
			}
			for page, n := range pages {
				if n != 1 {
					t.Errorf("page %d was read %d times", page, n)
				}
			}
		})
	}
}

// TestFiltersThatLetOthersThrough: their totals are not believed, their rows are.
func TestFiltersThatLetOthersThrough(t *testing.T) {
	s := sifted(1000, func(i int) vendors.Status {
		if i < 350 {
			return vendors.Processing
		}
		return vendors.Completed
	})
	s.inexact = true
	got := whole(t, New("v", "p", s), "")
	if got.Summary.ByStatus[vendors.Processing] != 350 || got.Summary.ByStatus[vendors.Completed] != 650 {
		t.Errorf("%+v", got.Summary)
	}
}

// TestMoreThanCanBeListed: totals count what is not read, and the cursor lists
// the rest.
func TestMoreThanCanBeListed(t *testing.T) {
	s := sifted(3000, func(i int) vendors.Status {
		switch {
		case i%4 == 0:
			return vendors.Queued
		case i%10 == 3:
			return vendors.Failed
		}
		return vendors.Completed
	})
	v := New("v", "p", s)
	got := whole(t, v, "")
	if sum := got.Summary; sum.Total != 3000 || sum.ByStatus[vendors.Queued] != 750 || sum.Failed != 300 || sum.ByStatus[vendors.Completed] != 1950 || sum.Done || sum.Scanned != nil {
		t.Errorf("%+v", sum)
	}
	if len(s.asks) > 9 {
		t.Errorf("%d requests", len(s.asks))
	}
	var listed []string
	scanned := 0
	for n := 0; ; n++ {
		got = got.Fit(90).(ProgressResult)
		for _, d := range got.Documents {
			listed = append(listed, d.DocumentID)
		}
		if got.NextCursor == "" || n > 30 {
			break
		}
		got = whole(t, v, got.NextCursor)
		scanned = *got.Summary.Scanned
		if got.Summary.Done || got.Summary.Total != 3000 {
			t.Errorf("%+v", got.Summary)
		}
	}
	var want []string
	for _, d := range s.docs {
		if d.Status != vendors.Completed {
			want = append(want, d.DocumentID)
		}
	}
	once(t, listed, want)
	if len(listed) != 1050 || scanned == 0 {
		t.Errorf("%d listed", len(listed))
	}
}

// TestWaitByFilters: a wait sees the end of what is not listed.
func TestWaitByFilters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		s := sifted(1500, func(i int) vendors.Status {
			if i < 700 {
				return vendors.Queued
			}
			return vendors.Completed
		})
		k := &setting{sieve: s, at: began.Add(20 * time.Second)}
		got, err := New("v", "p", k).Wait(t.Context(), ProgressRequest{KnowledgeBaseID: "kb"}, 50*time.Second, func(tally.Summary) {})
		if took := time.Since(began); err != nil || !got.Summary.Done || got.Summary.ByStatus[vendors.Completed] != 1500 || took > 40*time.Second {
			t.Errorf("%+v after %s, %v", got.Summary, took, err)
		}
		if len(k.asks) > 45 {
			t.Errorf("%d requests", len(k.asks))
		}
	})
}

// setting is a sieve whose documents are all completed at a time.
type setting struct {
	*sieve
	at time.Time
}

func (s *setting) ListDocuments(ctx context.Context, q vendors.PageQuery) (vendors.Page[vendors.Document], error) {
	if time.Now().After(s.at) {
		statuses(&s.shelf, func(int) vendors.Status { return vendors.Completed })
	}
	return s.sieve.ListDocuments(ctx, q)
}

// TestCountersAreNotBelievedAgainstRows: what the rows of an answer show, its
// summary does not deny.
func TestCountersAreNotBelievedAgainstRows(t *testing.T) {
	forty := func(i int) vendors.Status {
		if i < 40 {
			return vendors.Processing
		}
		return vendors.Completed
	}
	for name, tt := range map[string]struct {
		counts vendors.Counts
		stop   int // page that the limit keeps back
		want   tally.Summary
	}{
		"all done, beside rows at work": {vendors.Counts{Total: 5000, Finished: 5000, Completed: 5000}, 3,
			tally.Summary{Total: 5000, Scanned: intp(200), ByStatus: map[vendors.Status]int{vendors.Processing: 40, vendors.Completed: 160}}},
		"all done, all rows read": {vendors.Counts{Total: 300, Finished: 300, Completed: 300}, 0,
			tally.Summary{Total: 300, ByStatus: map[vendors.Status]int{vendors.Processing: 40, vendors.Completed: 260}}},
		"they agree": {vendors.Counts{Total: 5000, Finished: 4900, Completed: 4850}, 3,
			tally.Summary{Total: 5000, ByStatus: map[vendors.Status]int{vendors.Processing: 100, vendors.Completed: 4850, vendors.Failed: 50}, Failed: 50}},
		"fewer than were read": {vendors.Counts{Total: 150, Finished: 110, Completed: 110}, 3,
			tally.Summary{Total: 5000, Scanned: intp(200), ByStatus: map[vendors.Status]int{vendors.Processing: 40, vendors.Completed: 160}}},
		"nonsense": {vendors.Counts{Total: 5000, Finished: 6000, Completed: 7000}, 3,
			tally.Summary{Total: 5000, Scanned: intp(200), ByStatus: map[vendors.Status]int{vendors.Processing: 40, vendors.Completed: 160}}},
	} {
		t.Run(name, func(t *testing.T) {
			b := &bench{shelf: shelf{sorted: true}, counts: &tt.counts}
			if b.put(5000); tt.stop == 0 {
				b.docs = b.docs[:300]
			}
			statuses(&b.shelf, forty)
			b.fail = func(page int) error {
				if page == tt.stop {
					return &vendors.Error{Kind: vendors.RateLimited}
				}
				return nil
			}
			got := whole(t, New("v", "p", counting{b}), "").Summary
			got.ProgressPercent = nil
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

// TestPercentBesideWhatIsNotCompleted: 100 is all completed, nothing else.
func TestPercentBesideWhatIsNotCompleted(t *testing.T) {
	for _, s := range vendors.Statuses() {
		b := &bench{progress: func(q vendors.ProgressQuery) (vendors.Report, error) {
			return vendors.Report{Documents: []vendors.Document{{DocumentID: "a", Status: vendors.Completed}, {DocumentID: "b", Status: s}}}, nil
		}}
		got, err := New("v", "p", b).Progress(t.Context(), ProgressRequest{KnowledgeBaseID: "kb", DocumentIDs: []string{"a", "b"}})
		gone := s == vendors.Deleting || s == vendors.NotFound // nothing is left to do
		if p := got.Summary.ProgressPercent; err != nil || (p != nil && *p == 100) != (s == vendors.Completed || gone) {
			t.Errorf("%s: %+v, %v", s, got.Summary, err)
		}
	}
	b := &bench{shelf: shelf{sorted: true}, counts: &vendors.Counts{Total: 50, Finished: 50, Completed: 49}}
	b.put(50)
	b.docs[3].Status = vendors.Failed
	if got := whole(t, New("v", "p", counting{b}), ""); got.Summary.ProgressPercent != nil || !got.Summary.Done {
		t.Errorf("counters: %+v", got.Summary)
	}
}

// TestTheTrueBoundIsSaid: what stopped a scan is named as what it was.
func TestTheTrueBoundIsSaid(t *testing.T) {
	endless := func(wait time.Duration) *scripted {
		return &scripted{list: func(q vendors.PageQuery) (vendors.Page[vendors.Document], error) {
			time.Sleep(wait)
			return vendors.Page[vendors.Document]{Items: []vendors.Document{{DocumentID: fmt.Sprint(q.Page), Status: vendors.Completed}}, Total: intp(100_000), More: true}, nil
		}}
	}
	limited := endless(0)
	list := limited.list
	limited.list = func(q vendors.PageQuery) (vendors.Page[vendors.Document], error) {
		if q.Page > 3 {
			return vendors.Page[vendors.Document]{}, &vendors.Error{Kind: vendors.RateLimited, After: 7 * time.Second}
		}
		return list(q)
	}
	for name, tt := range map[string]struct {
		o    *scripted
		kind vendors.Kind
		text string
	}{
		"pages": {endless(0), vendors.Unsupported, "There are more documents of this knowledge base than one call reads (200 pages or 20000 rows)."},
		"time":  {endless(time.Second), vendors.Timeout, "There was no time left in this call for more of the documents of this knowledge base."},
		"limit": {limited, vendors.RateLimited, "The rate limit left no room for more of the documents of this knowledge base in this call."},
	} {
		synctest.Test(t, func(t *testing.T) {
			u, err := New("v", "p", tt.o).Unfinished(t.Context(), "kb")
			if err != nil || len(u.Incomplete) != 1 || u.Incomplete[0].Error.Kind != tt.kind || u.Incomplete[0].Error.Message != tt.text {
				t.Errorf("%s: %+v, %v", name, u.Incomplete, err)
			}
			sum := whole(t, New("v", "p", tt.o), "")
			if sum.Hint == "" || sum.NextCursor == "" || sum.Summary.Scanned == nil {
				t.Errorf("%s: %+v", name, sum)
			}
		})
	}
}

// TestAPanicCostsOneKnowledgeBase: the others are still reported.
func TestAPanicCostsOneKnowledgeBase(t *testing.T) {
	w := &town{}
	w.add("a", vendors.Failed)
	w.add("b", vendors.Failed)
	w.fail = func(kb string, _ vendors.PageQuery) error {
		if kb == "a" {
			panic("a platform's answer")
		}
		return nil
	}
	u := found(t, w, "")
	if len(u.Documents) != 1 || len(u.Incomplete) != 1 || u.Incomplete[0].Error.Kind != vendors.Internal || u.Incomplete[0].KnowledgeBaseID != "a" {
		t.Errorf("%+v", u)
	}
}

// TestANewerStatusWins: where a list and the progress call disagree, the answer
// that came last is right.
func TestANewerStatusWins(t *testing.T) {
	w := &town{thin: true}
	w.add("a", vendors.Processing, vendors.Processing, vendors.Failed)
	w.report = vendors.Report{Documents: []vendors.Document{
		{DocumentID: "a-0", Status: vendors.Completed, VendorStatus: "1"},
		{DocumentID: "a-1", Status: vendors.Failed, VendorStatus: "9", Error: &vendors.Failure{Message: "no text"}},
		{DocumentID: "a-2", Status: vendors.Failed, VendorStatus: "9", Error: &vendors.Failure{Message: "no words"}},
	}}
	u := found(t, w, "")
	if !slices.Equal(ids(u.Documents), []string{"a-1", "a-2"}) || u.Summary.ByStatus[vendors.Completed] != 1 || u.Summary.Failed != 2 || u.Summary.Total != 3 || !u.Summary.Done {
		t.Errorf("%+v", u)
	}
	if d := u.Documents[0]; d.Status != vendors.Failed || d.VendorStatus != "9" || d.Error == nil || d.Error.Message != "no text" {
		t.Errorf("%+v", d)
	}
}
