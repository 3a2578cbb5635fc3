package connection

import (
	"encoding/json"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"kb-mcp/vendors"
	"kb-mcp/vendors/internal/normal"
	"kb-mcp/vendors/visible"
)

func boolp(b bool) *bool { return &b }

func TestSearchable(t *testing.T) {
	yes, no := boolp(true), boolp(false)
	for _, tt := range []struct {
		name string
		doc  vendors.Document
		want *bool
	}{
		{"served", vendors.Document{Status: vendors.Completed, Enabled: yes, Archived: no}, nil},
		{"the platform does not say", vendors.Document{Status: vendors.Completed}, nil},
		{"disabled", vendors.Document{Status: vendors.Completed, Enabled: no}, no},
		{"archived", vendors.Document{Status: vendors.Completed, Enabled: yes, Archived: yes}, no},
		{"its knowledge base is disabled", vendors.Document{Status: vendors.Completed, Enabled: yes, Searchable: no}, no},
		{"the driver says yes", vendors.Document{Status: vendors.Completed, Searchable: yes}, nil},
		{"disabled, and the driver says yes", vendors.Document{Status: vendors.Completed, Enabled: no, Searchable: yes}, no},
		{"disabled at work", vendors.Document{Status: vendors.Processing, Enabled: no}, nil},
		{"failed", vendors.Document{Status: vendors.Failed, Enabled: no, Searchable: no}, nil},
		{"unknown", vendors.Document{Status: vendors.Unknown, Archived: yes}, nil},
	} {
		d := tt.doc
		normal.Document(&d, "v", "kb")
		if diff := cmp.Diff(tt.want, d.Searchable); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
		if p := progressOf(&d); cmp.Diff(tt.want, p.Searchable) != "" {
			t.Errorf("%s: the progress row says %v", tt.name, p.Searchable)
		}
	}
}

// TestProgressSaysWhatCompletedMeans: the row of an ingestion that has ended, but
// whose document no search returns, does not look like success.
func TestProgressSaysWhatCompletedMeans(t *testing.T) {
	b := &bench{progress: func(vendors.ProgressQuery) (vendors.Report, error) {
		return vendors.Report{Documents: []vendors.Document{{DocumentID: "a", Status: vendors.Completed, VendorStatus: "1", Enabled: boolp(false), Warnings: []string{"It has no chunks."}}}}, nil
	}}
	got, err := New("v", "p", b).Progress(t.Context(), ProgressRequest{KnowledgeBaseID: "kb", DocumentIDs: []string{"a"}})
	if err != nil {
		t.Fatal(err)
	}
	want := `[{"document_id":"a","status":"completed","vendor_status":"1","progress_percent":100,"searchable":false,"warnings":["It has no chunks."]}]`
	if text, _ := json.Marshal(got.Documents); string(text) != want {
		t.Errorf("got  %s\nwant %s", text, want)
	}
}

func TestTimesThatCannotBe(t *testing.T) {
	day := func(n int) time.Time { return time.Date(2026, 11, n, 0, 0, 0, 0, time.UTC) }
	odd := time.Unix(1795955, 0).UTC() // seconds divided by a thousand
	none := time.Time{}
	for _, tt := range []struct {
		name                                       string
		created, updated, wantCreated, wantUpdated time.Time
	}{
		{"good", day(1), day(2), day(1), day(2)},
		{"the same", day(1), day(1), day(1), day(1)},
		{"an update in 1970", day(1), odd, day(1), none},
		{"an update in 1970, no creation", none, odd, none, none},
		{"a creation in 1970", odd, day(2), none, day(2)},
		{"an update before the creation", day(2), day(1), day(2), none},
		{"none", none, none, none, none},
		{"the last second of 1999", time.Date(1999, 12, 31, 23, 59, 59, 0, time.UTC), day(1), none, day(1)},
		{"the first of 2000", time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC), day(1), time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC), day(1)},
	} {
		d := vendors.Document{CreatedAt: tt.created, UpdatedAt: tt.updated}
		normal.Document(&d, "v", "kb")
		k := vendors.KnowledgeBase{CreatedAt: tt.created, UpdatedAt: tt.updated}
		normal.KnowledgeBase(&k, "v")
		want := []time.Time{tt.wantCreated, tt.wantUpdated}
		if diff := cmp.Diff(want, []time.Time{d.CreatedAt, d.UpdatedAt}); diff != "" {
			t.Errorf("document, %s: %s", tt.name, diff)
		}
		if diff := cmp.Diff(want, []time.Time{k.CreatedAt, k.UpdatedAt}); diff != "" {
			t.Errorf("knowledge base, %s: %s", tt.name, diff)
		}
	}
}

func TestIngestionTimesBelongTogether(t *testing.T) {
	at := func(s int) time.Time { return time.Date(2026, 11, 1, 0, 0, s, 0, time.UTC) }
	odd := time.Unix(1795955, 0).UTC()
	num := func(f float64) *float64 { return &f }
	for _, tt := range []struct {
		name    string
		status  vendors.Status
		in      vendors.Ingestion
		start   time.Time
		end     time.Time
		elapsed *float64
	}{
		{"good", vendors.Completed, vendors.Ingestion{StartedAt: at(0), FinishedAt: at(9), ElapsedSeconds: num(9.25)}, at(0), at(9), num(9.25)},
		{"tiny", vendors.Completed, vendors.Ingestion{ElapsedSeconds: num(4.2e-05)}, time.Time{}, time.Time{}, num(0)},
		{"noise of floats", vendors.Completed, vendors.Ingestion{ElapsedSeconds: num(12.345678901)}, time.Time{}, time.Time{}, num(12.346)},
		{"negative", vendors.Completed, vendors.Ingestion{ElapsedSeconds: num(-1)}, time.Time{}, time.Time{}, nil},
		{"no number", vendors.Completed, vendors.Ingestion{ElapsedSeconds: num(math.NaN())}, time.Time{}, time.Time{}, nil},
		{"endless", vendors.Completed, vendors.Ingestion{ElapsedSeconds: num(math.Inf(1))}, time.Time{}, time.Time{}, nil},
		{"an end before the start", vendors.Failed, vendors.Ingestion{StartedAt: at(9), FinishedAt: at(0), ElapsedSeconds: num(3)}, at(9), time.Time{}, num(3)},
		{"a duration that the times deny", vendors.Completed, vendors.Ingestion{StartedAt: at(0), FinishedAt: at(9), ElapsedSeconds: num(3600)}, at(0), at(9), nil},
		{"an end in 1970", vendors.Completed, vendors.Ingestion{StartedAt: at(0), FinishedAt: odd}, at(0), time.Time{}, nil},
		{"nobody has asked for it", vendors.NotStarted, vendors.Ingestion{StartedAt: at(0), FinishedAt: at(9), ElapsedSeconds: num(9)}, time.Time{}, time.Time{}, nil},
		{"it goes on", vendors.Processing, vendors.Ingestion{StartedAt: at(0), FinishedAt: at(9), ElapsedSeconds: num(9)}, at(0), time.Time{}, nil},
	} {
		d := vendors.Document{Status: tt.status, Ingestion: tt.in}
		normal.Document(&d, "v", "kb")
		p := progressOf(&d)
		if diff := cmp.Diff([]any{tt.start, tt.end, tt.elapsed}, []any{p.StartedAt, p.FinishedAt, p.ElapsedSeconds}); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
	}
}

// TestNamesAndContentsAreData: what nobody sees is in no answer, whatever field
// of a platform it comes in.
func TestNamesAndContentsAreData(t *testing.T) {
	const bad = "\u202ea\u200b\u009b\U000e0041"
	d := vendors.Document{Name: bad, Status: vendors.Failed, VendorStatus: bad, Error: &vendors.Failure{Message: bad, Code: bad, Hint: bad}, Format: bad,
		Warnings: []string{"good", bad}, SourceURL: "https://a/" + bad, Metadata: map[string]any{bad: []any{map[string]any{bad: bad}}}}
	before := d
	normal.Document(&d, "v", "kb")
	k := vendors.KnowledgeBase{Name: bad, Description: bad}
	normal.KnowledgeBase(&k, "v")
	h, c := vendors.Hit{Content: bad, DocumentName: "x"}, vendors.Chunk{Content: bad}
	normal.Hit(&h)
	normal.Chunk(&c)
	err := New("v", "p", &bench{}).wrap(t.Context(), &vendors.Error{Kind: vendors.VendorError, Message: bad, Hint: bad, VendorMessage: bad, VendorCode: bad, RequestID: bad})
	for _, v := range []any{d, k, h, c, vendors.ReportOf(err)} {
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		var all any
		if json.Unmarshal(text, &all) != nil || !visible.Fits(all, 99) {
			t.Errorf("%T: %+q", v, text)
		}
	}
	if !h.ContentFiltered || !c.ContentFiltered {
		t.Error("content_filtered is not set")
	}
	h = vendors.Hit{Content: "a\r\nb\tc", DocumentName: "名"}
	if normal.Hit(&h); h.ContentFiltered || h.Content != "a\nb\tc" {
		t.Errorf("%+v", h)
	}
	if before.Error.Message != bad || before.Warnings[1] != bad {
		t.Error("the driver's own values were changed")
	}
}

func TestStallAtTheFirstLook(t *testing.T) {
	ago := func(d time.Duration) time.Time { return time.Now().Add(-d) }
	const days = 24 * time.Hour
	for _, tt := range []struct {
		name string
		set  func(d *vendors.Document)
		lies bool
		want bool
	}{
		{"handed in days ago", func(d *vendors.Document) { d.CreatedAt = ago(3 * days) }, false, true},
		{"handed in some hours ago", func(d *vendors.Document) { d.CreatedAt = ago(23 * time.Hour) }, false, false},
		{"started days ago", func(d *vendors.Document) { d.CreatedAt, d.Ingestion.StartedAt = ago(6*days), ago(2*days) }, false, true},
		{"handed in days ago, started now", func(d *vendors.Document) { d.CreatedAt, d.Ingestion.StartedAt = ago(3*days), ago(time.Minute) }, false, false},
		{"handed in days ago, updated now", func(d *vendors.Document) { d.CreatedAt, d.UpdatedAt = ago(3*days), ago(time.Minute) }, false, false},
		{"handed in days ago, moved now", func(d *vendors.Document) { d.CreatedAt, d.Ingestion.MovedAt = ago(3*days), ago(time.Minute) }, false, false},
		{"handed in again", func(d *vendors.Document) { d.CreatedAt, d.Ingestion.NewestAt = ago(3*days), ago(time.Minute) }, false, false},
		{"handed in again days ago", func(d *vendors.Document) { d.CreatedAt, d.Ingestion.NewestAt = ago(5*days), ago(2*days) }, false, true},
		{"updates that lie", func(d *vendors.Document) { d.CreatedAt, d.UpdatedAt = ago(3*days), ago(time.Minute) }, true, true},
		{"queued again in place", func(d *vendors.Document) {
			d.Status, d.CreatedAt, d.Ingestion.MovedAt = vendors.Queued, ago(3*days), ago(time.Minute)
		}, false, false},
		{"queued and updated", func(d *vendors.Document) {
			d.Status, d.CreatedAt, d.UpdatedAt = vendors.Queued, ago(3*days), ago(time.Minute)
		}, false, false},
		{"unknown", func(d *vendors.Document) { d.Status, d.CreatedAt = vendors.Unknown, ago(3*days) }, false, false},
		{"a time of 1970", func(d *vendors.Document) { d.CreatedAt = time.Unix(1795955, 0) }, false, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				time.Sleep(week)
				d := vendors.Document{DocumentID: "a", Status: vendors.Processing, VendorStatus: "0", ProgressPercent: intp(3)}
				tt.set(&d)
				b := &bench{progress: func(vendors.ProgressQuery) (vendors.Report, error) {
					return vendors.Report{Documents: []vendors.Document{d}}, nil
				}}
				v := New("v", "p", ruled{b, vendors.StallRule{Threshold: 10 * time.Minute, NextStep: "Look.", UpdatesLie: tt.lies}})
				p, first := peek(t, v)
				if (p.Stalled != nil) != tt.want {
					t.Fatalf("%+v", p.Stalled)
				}
				if _, again := peek(t, v); again != first {
					t.Errorf("two answers differ:\n%s\n%s", first, again)
				}
				if d.ProgressPercent = intp(7); !tt.want {
					return
				}
				if p, _ = peek(t, v); p.Stalled != nil {
					t.Errorf("suspected although it moves: %+v", p.Stalled)
				}
			})
		})
	}
}

// TestTimesOfAnotherAnswerAreEvidence: the progress call of some platforms gives
// no times, which their lists do.
func TestTimesOfAnotherAnswerAreEvidence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(week)
		b := &bench{thin: true}
		b.docs = []vendors.Document{{DocumentID: "a", Status: vendors.Processing, VendorStatus: "0", CreatedAt: time.Now().Add(-72 * time.Hour)}}
		b.progress = func(vendors.ProgressQuery) (vendors.Report, error) {
			return vendors.Report{Documents: []vendors.Document{{DocumentID: "a", Status: vendors.Processing, VendorStatus: "0", ProgressPercent: intp(0)}}}, nil
		}
		v := New("v", "p", b)
		got, err := v.Progress(t.Context(), ProgressRequest{KnowledgeBaseID: "kb"})
		if err != nil || len(got.Documents) != 1 || got.Documents[0].Stalled == nil {
			t.Errorf("whole knowledge base: %+v, %v", got.Documents, err)
		}
		u, err := v.Unfinished(t.Context(), "kb")
		if err != nil || len(u.Documents) != 1 || u.Documents[0].Stalled == nil {
			t.Errorf("unfinished: %+v, %v", u, err)
		}
		if p, _ := peek(t, v); p.Stalled == nil {
			t.Error("by its id: no suspicion")
		}
	})
}

// TestADriverHandsOverItsSuspicion: it needs no threshold, and goes with its
// evidence.
func TestADriverHandsOverItsSuspicion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(week)
		began := time.Now().UTC().Truncate(time.Second)
		d := vendors.Document{DocumentID: "a", Status: vendors.Processing, CreatedAt: time.Now(),
			Ingestion: vendors.Ingestion{Suspicion: &vendors.Suspicion{Why: "No stage runs, the pipeline is idle."}}}
		v := stallBed(&d)
		want := vendors.Stalled{Suspected: true, Since: began, ThresholdSeconds: 600, Why: "No stage runs, the pipeline is idle.", NextStep: "Look at the worker."}
		if p, _ := peek(t, v); p.Stalled == nil || *p.Stalled != want {
			t.Errorf("%+v", p.Stalled)
		}
		since := began.Add(-time.Hour)
		d.Ingestion.Suspicion = &vendors.Suspicion{Since: since, Why: "No worker.", NextStep: "Start one."}
		want = vendors.Stalled{Suspected: true, Since: since, ThresholdSeconds: 600, Why: "No worker.", NextStep: "Start one."}
		if p, _ := peek(t, v); p.Stalled == nil || *p.Stalled != want {
			t.Errorf("%+v", p.Stalled)
		}
		d.Status = vendors.Completed
		if p, _ := peek(t, v); p.Stalled != nil {
			t.Errorf("of a completed document: %+v", p.Stalled)
		}
	})
}
