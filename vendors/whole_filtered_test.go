package vendors

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// sieve is a platform whose filters are true, with totals.
type sieve struct {
	bench
	none      bool // it ignores filters
	inexact   bool // its filters let others through: no true totals
	completed func() (int, error)
	asks      []PageQuery
}

func (s *sieve) ListDocuments(ctx context.Context, q PageQuery) (Page[Document], error) {
	s.asks = append(s.asks, q)
	if s.none {
		q.Status = ""
	}
	all := s.docs
	if q.Status != "" {
		all = slices.DeleteFunc(slices.Clone(all), func(d Document) bool { return d.Status != q.Status })
	}
	total := len(all)
	return Page[Document]{Items: slice(all, q), Total: &total, More: q.Page*q.Size < total, NewestFirst: true,
		Filtered: q.Status == "" || !s.none && !s.inexact}, nil
}

func (s *sieve) UnfinishedFilters() []Status { return []Status{Failed, Paused, Processing, Queued} }

func (s *sieve) CountCompleted(context.Context, string) (int, error) {
	if s.completed != nil {
		return s.completed()
	}
	n := 0
	for _, d := range s.docs {
		if d.Status == Completed {
			n++
		}
	}
	return n, nil
}

// sifted is a sieve of n documents with statuses.
func sifted(n int, of func(i int) Status) *sieve {
	s := &sieve{}
	s.put(n)
	statuses(&s.shelf, of)
	return s
}

// whole asks for the progress of a whole knowledge base.
func whole(t *testing.T, v *Vendor, cursor string) ProgressResult {
	t.Helper()
	got, err := v.Progress(t.Context(), ProgressRequest{KnowledgeBaseID: "kb", Cursor: cursor})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func some(i int) Status {
	switch {
	case i%500 == 1:
		return Failed
	case i%1000 == 2:
		return Paused
	case i%600 == 3:
		return Processing
	}
	return Completed
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
		"ignored":                       func(s *sieve) { s.none = true },
		"a status that none selects":    func(s *sieve) { s.docs[700].Status = Unknown },
		"no counter":                    func(s *sieve) { s.completed = func() (int, error) { return 0, Errorf(Unsupported, "old") } },
		"a counter that fails":          func(s *sieve) { s.completed = func() (int, error) { return 0, Errorf(Unavailable, "down") } },
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
	s := sifted(1000, func(i int) Status {
		if i < 350 {
			return Processing
		}
		return Completed
	})
	s.inexact = true
	got := whole(t, New("v", "p", s), "")
	if got.Summary.ByStatus[Processing] != 350 || got.Summary.ByStatus[Completed] != 650 {
		t.Errorf("%+v", got.Summary)
	}
}

// TestMoreThanCanBeListed: totals count what is not read, and the cursor lists
// the rest.
func TestMoreThanCanBeListed(t *testing.T) {
	s := sifted(3000, func(i int) Status {
		switch {
		case i%4 == 0:
			return Queued
		case i%10 == 3:
			return Failed
		}
		return Completed
	})
	v := New("v", "p", s)
	got := whole(t, v, "")
	if sum := got.Summary; sum.Total != 3000 || sum.ByStatus[Queued] != 750 || sum.Failed != 300 || sum.ByStatus[Completed] != 1950 || sum.Done || sum.Scanned != nil {
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
		if d.Status != Completed {
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
		s := sifted(1500, func(i int) Status {
			if i < 700 {
				return Queued
			}
			return Completed
		})
		k := &setting{sieve: s, at: began.Add(20 * time.Second)}
		got, err := New("v", "p", k).Wait(t.Context(), ProgressRequest{KnowledgeBaseID: "kb"}, 50*time.Second, func(Summary) {})
		if took := time.Since(began); err != nil || !got.Summary.Done || got.Summary.ByStatus[Completed] != 1500 || took > 40*time.Second {
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

func (s *setting) ListDocuments(ctx context.Context, q PageQuery) (Page[Document], error) {
	if time.Now().After(s.at) {
		statuses(&s.shelf, func(int) Status { return Completed })
	}
	return s.sieve.ListDocuments(ctx, q)
}

// TestCountersAreNotBelievedAgainstRows: what the rows of an answer show, its
// summary does not deny.
func TestCountersAreNotBelievedAgainstRows(t *testing.T) {
	forty := func(i int) Status {
		if i < 40 {
			return Processing
		}
		return Completed
	}
	for name, tt := range map[string]struct {
		counts Counts
		stop   int // page that the limit keeps back
		want   Summary
	}{
		"all done, beside rows at work": {Counts{Total: 5000, Finished: 5000, Completed: 5000}, 3,
			Summary{Total: 5000, Scanned: intp(200), ByStatus: map[Status]int{Processing: 40, Completed: 160}}},
		"all done, all rows read": {Counts{Total: 300, Finished: 300, Completed: 300}, 0,
			Summary{Total: 300, ByStatus: map[Status]int{Processing: 40, Completed: 260}}},
		"they agree": {Counts{Total: 5000, Finished: 4900, Completed: 4850}, 3,
			Summary{Total: 5000, ByStatus: map[Status]int{Processing: 100, Completed: 4850, Failed: 50}, Failed: 50}},
		"fewer than were read": {Counts{Total: 150, Finished: 110, Completed: 110}, 3,
			Summary{Total: 5000, Scanned: intp(200), ByStatus: map[Status]int{Processing: 40, Completed: 160}}},
		"nonsense": {Counts{Total: 5000, Finished: 6000, Completed: 7000}, 3,
			Summary{Total: 5000, Scanned: intp(200), ByStatus: map[Status]int{Processing: 40, Completed: 160}}},
	} {
		t.Run(name, func(t *testing.T) {
			b := &bench{shelf: shelf{sorted: true}, counts: &tt.counts}
			if b.put(5000); tt.stop == 0 {
				b.docs = b.docs[:300]
			}
			statuses(&b.shelf, forty)
			b.fail = func(page int) error {
				if page == tt.stop {
					return &Error{Kind: RateLimited}
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
	for _, s := range Statuses() {
		b := &bench{progress: func(q ProgressQuery) (Report, error) {
			return Report{Documents: []Document{{DocumentID: "a", Status: Completed}, {DocumentID: "b", Status: s}}}, nil
		}}
		got, err := New("v", "p", b).Progress(t.Context(), ProgressRequest{KnowledgeBaseID: "kb", DocumentIDs: []string{"a", "b"}})
		gone := s == Deleting || s == NotFound // nothing is left to do
		if p := got.Summary.ProgressPercent; err != nil || (p != nil && *p == 100) != (s == Completed || gone) {
			t.Errorf("%s: %+v, %v", s, got.Summary, err)
		}
	}
	b := &bench{shelf: shelf{sorted: true}, counts: &Counts{Total: 50, Finished: 50, Completed: 49}}
	b.put(50)
	b.docs[3].Status = Failed
	if got := whole(t, New("v", "p", counting{b}), ""); got.Summary.ProgressPercent != nil || !got.Summary.Done {
		t.Errorf("counters: %+v", got.Summary)
	}
}

// TestTheTrueBoundIsSaid: what stopped a scan is named as what it was.
func TestTheTrueBoundIsSaid(t *testing.T) {
	endless := func(wait time.Duration) *oddity {
		return &oddity{list: func(q PageQuery) (Page[Document], error) {
			time.Sleep(wait)
			return Page[Document]{Items: []Document{{DocumentID: fmt.Sprint(q.Page), Status: Completed}}, Total: intp(100_000), More: true}, nil
		}}
	}
	limited := endless(0)
	list := limited.list
	limited.list = func(q PageQuery) (Page[Document], error) {
		if q.Page > 3 {
			return Page[Document]{}, &Error{Kind: RateLimited, After: 7 * time.Second}
		}
		return list(q)
	}
	for name, tt := range map[string]struct {
		o    *oddity
		kind Kind
		text string
	}{
		"pages": {endless(0), Unsupported, "There are more documents of this knowledge base than one call reads (200 pages or 20000 rows)."},
		"time":  {endless(time.Second), Timeout, "There was no time left in this call for more of the documents of this knowledge base."},
		"limit": {limited, RateLimited, "The rate limit let no more of the documents of this knowledge base be read in this call."},
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

// TestAPanicCostsOneKnowledgeBase: the others are still told.
func TestAPanicCostsOneKnowledgeBase(t *testing.T) {
	w := &town{}
	w.add("a", Failed)
	w.add("b", Failed)
	w.fail = func(kb string, _ PageQuery) error {
		if kb == "a" {
			panic("a platform's answer")
		}
		return nil
	}
	u := found(t, w, "")
	if len(u.Documents) != 1 || len(u.Incomplete) != 1 || u.Incomplete[0].Error.Kind != Internal || u.Incomplete[0].KnowledgeBaseID != "a" {
		t.Errorf("%+v", u)
	}
}

// TestANewerStatusWins: where a list and the progress call disagree, the answer
// that came last is right.
func TestANewerStatusWins(t *testing.T) {
	w := &town{thin: true}
	w.add("a", Processing, Processing, Failed)
	w.report = Report{Documents: []Document{
		{DocumentID: "a-0", Status: Completed, VendorStatus: "1"},
		{DocumentID: "a-1", Status: Failed, VendorStatus: "9", Error: &Failure{Message: "no text"}},
		{DocumentID: "a-2", Status: Failed, VendorStatus: "9", Error: &Failure{Message: "no words"}},
	}}
	u := found(t, w, "")
	if !slices.Equal(ids(u.Documents), []string{"a-1", "a-2"}) || u.Summary.ByStatus[Completed] != 1 || u.Summary.Failed != 2 || u.Summary.Total != 3 || !u.Summary.Done {
		t.Errorf("%+v", u)
	}
	if d := u.Documents[0]; d.Status != Failed || d.VendorStatus != "9" || d.Error == nil || d.Error.Message != "no text" {
		t.Errorf("%+v", d)
	}
}
