package connection

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kb-mcp/vendors"
)

// bench is a platform whose answers a test scripts.
type bench struct {
	shelf
	progress func(q vendors.ProgressQuery) (vendors.Report, error)
	counts   *vendors.Counts
	thin     bool
	asked    []vendors.ProgressQuery
}

func (b *bench) ListDocuments(ctx context.Context, q vendors.PageQuery) (vendors.Page[vendors.Document], error) {
	p, err := b.shelf.ListDocuments(ctx, q)
	p.Thin = b.thin
	return p, err
}

func (b *bench) Progress(_ context.Context, q vendors.ProgressQuery) (vendors.Report, error) {
	b.asked = append(b.asked, q)
	return b.progress(q)
}

// counting is a bench whose platform keeps counters.
type counting struct{ *bench }

func (c counting) Counts(context.Context, string) (vendors.Counts, error) { return *c.counts, nil }

func intp(n int) *int { return &n }

func TestProgressOfIDs(t *testing.T) {
	eta := int64(40)
	b := &bench{progress: func(q vendors.ProgressQuery) (vendors.Report, error) {
		return vendors.Report{
			Documents: []vendors.Document{ // in another order than asked, with what a platform may claim
				{DocumentID: "c", Status: vendors.Failed, VendorStatus: "9", ProgressPercent: intp(100), Error: &vendors.Failure{Message: "no text"}},
				{DocumentID: "a", Status: vendors.Completed, VendorStatus: "1", ProgressPercent: intp(57), Error: &vendors.Failure{Message: "stale"}},
				{DocumentID: "b", Status: vendors.Processing, VendorStatus: "0", ProgressPercent: intp(100), Ingestion: vendors.Ingestion{ETASeconds: &eta}},
			},
			Missing: []string{"x"},
		}, nil
	}}
	got, err := New("v", "p", b).Progress(t.Context(), ProgressRequest{KnowledgeBaseID: "kb", DocumentIDs: []string{"a", "x", "b", "c", "a", "y"}})
	if err != nil {
		t.Fatal(err)
	}
	want := `{"vendor":"v","knowledge_base_id":"kb","documents":[` +
		`{"document_id":"a","status":"completed","vendor_status":"1","progress_percent":100},` +
		`{"document_id":"x","status":"not_found","vendor_status":""},` +
		`{"document_id":"b","status":"processing","vendor_status":"0","progress_percent":99,"eta_seconds":40},` +
		`{"document_id":"c","status":"failed","vendor_status":"9","error":{"message":"no text"}},` +
		`{"document_id":"y","status":"not_found","vendor_status":""}],` +
		`"summary":{"total":5,"by_status":{"completed":1,"failed":1,"not_found":2,"processing":1},"progress_percent":99.5,"done":false,"failed":1,"needs_action":0},` +
		`"retry_after_seconds":10}`
	if text, _ := json.Marshal(got); string(text) != want {
		t.Errorf("%s", cmp.Diff(want, string(text)))
	}
	if q := b.asked[0]; len(b.asked) != 1 || !slices.Equal(q.DocumentIDs, []string{"a", "x", "b", "c", "y"}) {
		t.Errorf("asked %v", b.asked)
	}
}

func TestProgressDegradesWhenTheLimitRunsOut(t *testing.T) {
	var failure error
	b := &bench{progress: func(q vendors.ProgressQuery) (vendors.Report, error) {
		return vendors.Report{Documents: []vendors.Document{{DocumentID: q.DocumentIDs[0], Status: vendors.Completed}}}, failure
	}}
	v := New("v", "p", b)
	ask := ProgressRequest{KnowledgeBaseID: "kb", DocumentIDs: []string{"a", "b", "c"}}

	failure = &vendors.Error{Kind: vendors.RateLimited, After: 7 * time.Second}
	got, err := v.Progress(t.Context(), ask)
	if err != nil || !got.Truncated || got.Hint == "" || got.Summary.Done || got.Summary.Total != 1 ||
		!slices.Equal(got.Remaining, []string{"b", "c"}) || got.RetryAfterSeconds != 7 {
		t.Errorf("%+v, %v", got, err)
	}
	failure = &vendors.Error{Kind: vendors.Unauthenticated}
	if _, err := v.Progress(t.Context(), ask); vendors.KindOf(err) != vendors.Unauthenticated {
		t.Errorf("a credential failure midway is hidden: %v", err)
	}
	failure = nil
	v = New("v", "p", b) // the other one remembers
	if got, err := v.Progress(t.Context(), ask); err != nil || got.Summary.ByStatus[vendors.NotFound] != 2 || got.Truncated {
		t.Errorf("%+v, %v", got, err)
	}
}

// statuses returns shelf documents a status by their number.
func statuses(s *shelf, of func(i int) vendors.Status) {
	for i := range s.docs {
		s.docs[i].Status = of(i)
	}
}

func TestWholeKnowledgeBase(t *testing.T) {
	b := &bench{shelf: shelf{sorted: true}}
	b.put(1050)
	statuses(&b.shelf, func(i int) vendors.Status {
		switch {
		case i%100 == 3:
			return vendors.Failed
		case i%200 == 7:
			return vendors.Processing
		case i == 1000:
			return vendors.Paused
		case i == 1001:
			return vendors.Cancelled
		}
		return vendors.Completed
	})
	got, err := New("v", "p", b).Progress(t.Context(), ProgressRequest{KnowledgeBaseID: "kb"})
	if err != nil {
		t.Fatal(err)
	}
	want := map[vendors.Status]int{vendors.Failed: 11, vendors.Processing: 6, vendors.Paused: 1, vendors.Cancelled: 1, vendors.Completed: 1031}
	if d := cmp.Diff(want, got.Summary.ByStatus); d != "" {
		t.Error(d)
	}
	if got.Summary.Total != 1050 || got.Summary.Done || got.Summary.NeedsAction != 1 || got.Summary.Scanned != nil || got.NextCursor != "" {
		t.Errorf("%+v", got.Summary)
	}
	if len(got.Documents) != 18 || b.requests != 11 {
		t.Errorf("%d documents listed, %d requests", len(got.Documents), b.requests)
	}
}

func TestWholeKnowledgeBaseInParts(t *testing.T) {
	b := &bench{shelf: shelf{sorted: true}}
	b.put(500)
	statuses(&b.shelf, func(i int) vendors.Status {
		if i == 150 {
			return vendors.Processing
		}
		return vendors.Completed
	})
	b.fail = func(page int) error {
		if b.requests%3 == 0 {
			return &vendors.Error{Kind: vendors.RateLimited, After: time.Minute}
		}
		return nil
	}
	v := New("v", "p", b)
	q := ProgressRequest{KnowledgeBaseID: "kb"}
	scanned, listed := 0, 0
	for {
		got, err := v.Progress(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		if got.Summary.Scanned == nil || got.Summary.Done || got.Summary.Total != 500 {
			t.Errorf("%+v", got.Summary) // a document seen before is not settled
		}
		scanned += *got.Summary.Scanned
		listed += len(got.Documents)
		if q.Cursor = got.NextCursor; q.Cursor == "" {
			break
		}
	}
	if scanned != 500 || listed != 1 {
		t.Errorf("scanned %d, listed %d", scanned, listed)
	}
}

func TestWholeKnowledgeBaseListsNoMoreThanFits(t *testing.T) {
	b := &bench{shelf: shelf{sorted: true}}
	b.put(700)
	statuses(&b.shelf, func(int) vendors.Status { return vendors.Failed })
	v := New("v", "p", b)
	q := ProgressRequest{KnowledgeBaseID: "kb"}
	var got []string
	for n := 0; ; n++ {
		r, err := v.Progress(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 && (r.Summary.Total != 700 || r.Summary.Failed != 700 || r.Summary.Scanned != nil || !r.Summary.Done) {
			t.Errorf("the first summary does not cover everything: %+v", r.Summary)
		}
		r = r.Fit(60).(ProgressResult)
		if len(r.Documents) > 60 {
			t.Fatalf("%d documents after Fit(60)", len(r.Documents))
		}
		for _, d := range r.Documents {
			got = append(got, d.DocumentID)
		}
		if q.Cursor = r.NextCursor; q.Cursor == "" {
			break
		}
	}
	once(t, got, ids(b.docs))
}

func TestThinRowsAreRefined(t *testing.T) {
	b := &bench{shelf: shelf{sorted: true}, thin: true}
	b.put(250)
	statuses(&b.shelf, func(i int) vendors.Status {
		if i%50 == 0 {
			return vendors.Processing
		}
		return vendors.Completed
	})
	b.progress = func(q vendors.ProgressQuery) (vendors.Report, error) {
		var r vendors.Report
		for i, id := range q.DocumentIDs {
			d := vendors.Document{DocumentID: id, Status: vendors.Processing, VendorStatus: "0", ProgressPercent: intp(40)}
			if i == 0 {
				d.Status = vendors.Completed
			}
			r.Documents = append(r.Documents, d)
		}
		return r, nil
	}
	got, err := New("v", "p", b).Progress(t.Context(), ProgressRequest{KnowledgeBaseID: "kb"})
	if err != nil || len(b.asked) != 1 || len(b.asked[0].DocumentIDs) != 5 {
		t.Fatalf("%v, asked %v", err, b.asked)
	}
	if len(got.Documents) != 4 || got.Documents[0].Name != "doc" || *got.Documents[0].ProgressPercent != 40 || got.Summary.ByStatus[vendors.Completed] != 246 {
		t.Errorf("%+v", got)
	}
}

func TestCountersWhereTheWalkStops(t *testing.T) {
	b := &bench{shelf: shelf{sorted: true}, counts: &vendors.Counts{Total: 5000, Finished: 4990, Completed: 4900}}
	b.put(5000)
	b.fail = func(page int) error {
		if page == 4 {
			return &vendors.Error{Kind: vendors.RateLimited}
		}
		return nil
	}
	got, err := New("v", "p", counting{b}).Progress(t.Context(), ProgressRequest{KnowledgeBaseID: "kb"})
	if err != nil {
		t.Fatal(err)
	}
	want := map[vendors.Status]int{vendors.Completed: 4900, vendors.Failed: 90, vendors.Processing: 10}
	if d := cmp.Diff(want, got.Summary.ByStatus); d != "" || !got.Truncated || got.NextCursor == "" || got.Summary.Done ||
		got.Summary.Scanned != nil || *got.Summary.ProgressPercent != 99.8 {
		t.Errorf("%s%+v", d, got)
	}
}

func TestFitOfGivenIDs(t *testing.T) {
	many := make([]string, 1000)
	b := &bench{progress: func(q vendors.ProgressQuery) (vendors.Report, error) {
		var r vendors.Report
		for i, id := range q.DocumentIDs {
			d := vendors.Document{DocumentID: id, Status: vendors.Completed}
			if i%100 == 99 {
				d.Status = vendors.Failed
			}
			r.Documents = append(r.Documents, d)
		}
		return r, nil
	}}
	for i := range many {
		many[i] = fmt.Sprintf("74466708052190%05d", i)
	}
	got, err := New("v", "p", b).Progress(t.Context(), ProgressRequest{KnowledgeBaseID: "kb", DocumentIDs: many})
	if err != nil {
		t.Fatal(err)
	}
	few := got.Fit(900).(ProgressResult)
	if len(few.Documents) != 900 || len(few.Remaining) != 100 || !few.Truncated || few.Summary.Total != 1000 {
		t.Errorf("%d documents, %d remaining, %+v", len(few.Documents), len(few.Remaining), few.Summary)
	}
	cut := got.Fit(100).(ProgressResult)
	if len(cut.Documents) != 100 || cut.Remaining != nil || !strings.Contains(cut.Hint, "900 left out here are all completed") || !cut.Truncated {
		t.Errorf("%d documents, %d remaining, %q", len(cut.Documents), len(cut.Remaining), cut.Hint)
	}
	for i, d := range cut.Documents {
		if failed := i < 10; failed != (d.Status == vendors.Failed) {
			t.Errorf("document %d is %s: what is not completed comes first", i, d.Status)
		}
	}
	if cut = got.Fit(5).(ProgressResult); strings.Contains(cut.Hint, "completed") {
		t.Errorf("%q, but failed ones are left out", cut.Hint)
	}
	if len(got.Documents) != 1000 || got.Truncated || got.Documents[99].Status != vendors.Failed {
		t.Error("Fit changed its receiver")
	}
}

func TestProgressArgumentsExclude(t *testing.T) {
	v := New("v", "p", &bench{})
	for _, q := range []ProgressRequest{
		{KnowledgeBaseID: "kb", DocumentIDs: []string{"a"}, BatchID: "b"},
		{KnowledgeBaseID: "kb", DocumentIDs: []string{"a"}, Cursor: "c"},
		{KnowledgeBaseID: "kb", BatchID: "b", Cursor: "c"},
		{KnowledgeBaseID: "kb", DocumentIDs: []string{"a", ""}},
		{KnowledgeBaseID: "kb", BatchID: ".."},
		{},
	} {
		if _, err := v.Progress(t.Context(), q); vendors.KindOf(err) != vendors.InvalidArgument {
			t.Errorf("%+v: %v", q, err)
		}
	}
}

func TestReportOf(t *testing.T) {
	tests := []struct {
		err  error
		want string
	}{
		{fmt.Errorf("secret details"), `{"kind":"internal","message":"kb-mcp could not do this because of a fault of its own.","hint":"Report this with the time of the call; the server's log has the details.","retryable":false}`},
		{&vendors.Error{Kind: vendors.RateLimited, Message: "m"}, `{"kind":"rate_limited","message":"m","hint":"Wait retry_after_seconds, then call again.","retryable":true,"retry_after_seconds":1}`},
		{&vendors.Error{Kind: vendors.RateLimited, Message: "m", Hint: "h", After: 60500 * time.Millisecond}, `{"kind":"rate_limited","message":"m","hint":"h","retryable":true,"retry_after_seconds":61}`},
		{&vendors.Error{Kind: vendors.Conflict, Message: "m", Hint: "h", Retry: vendors.Later}, `{"kind":"conflict","message":"m","hint":"h","retryable":true}`},
		{&vendors.Error{Kind: vendors.Unavailable, Message: "m", Hint: "h", Retry: vendors.Never, VendorCode: "7", RequestID: "r", HTTPStatus: 500}, `{"kind":"unavailable","message":"m","hint":"h","vendor_code":"7","http_status":500,"request_id":"r","retryable":false}`},
	}
	for _, tt := range tests {
		got, err := json.Marshal(vendors.ReportOf(tt.err))
		if err != nil || string(got) != tt.want {
			t.Errorf("got  %s\nwant %s", got, tt.want)
		}
	}
	for _, k := range []vendors.Kind{vendors.InvalidArgument, vendors.Unauthenticated, vendors.PermissionDenied, vendors.ErrNotFound, vendors.Conflict, vendors.RateLimited, vendors.QuotaExhausted,
		vendors.Unsupported, vendors.Unavailable, vendors.VendorError, vendors.BadResponse, vendors.Timeout, vendors.Internal} {
		if k.Hint() == "" {
			t.Errorf("no hint for %s", k)
		}
	}
}
