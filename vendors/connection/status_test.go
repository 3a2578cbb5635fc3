package connection

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"kb-mcp/vendors"
	"kb-mcp/vendors/internal/normal"
	"kb-mcp/vendors/rank"
	"kb-mcp/vendors/tally"
)

// judged is what every judgement of this package says of a status.
type judged struct {
	working  bool // the platform has it in its hands
	settled  bool // nothing more happens without a person; waits end
	needs    bool // waits for a person; a wait ends when one comes to
	listed   bool // in the answer for a whole knowledge base
	percent  bool // shows a percentage
	failure  bool // shows an error
	unserved bool // can be searchable:false
	urgency  int  // among unfinished documents
}

// judgements is the whole table: a status that is not in it fails the test.
func judgements() map[vendors.Status]judged {
	return map[vendors.Status]judged{
		vendors.NotStarted: {settled: true, needs: true, listed: true, urgency: 2},
		vendors.Queued:     {working: true, listed: true, percent: true, urgency: 3},
		vendors.Processing: {working: true, listed: true, percent: true, urgency: 3},
		vendors.Paused:     {settled: true, needs: true, listed: true, urgency: 2},
		vendors.Completed:  {settled: true, percent: true, unserved: true, urgency: 4},
		vendors.Failed:     {settled: true, listed: true, failure: true},
		vendors.Cancelled:  {settled: true, urgency: 4},
		vendors.Deleting:   {settled: true, urgency: 4},
		vendors.NotFound:   {settled: true, urgency: 4},
		vendors.Unknown:    {listed: true, urgency: 3}, // never settled, never at work, never guessed
	}
}

// TestEveryStatusThroughEveryJudgement: a new status, or a new judgement, shows
// here first.
func TestEveryStatusThroughEveryJudgement(t *testing.T) {
	if len(judgements()) != len(vendors.Statuses()) {
		t.Fatalf("%d statuses are judged, there are %d", len(judgements()), len(vendors.Statuses()))
	}
	for _, s := range vendors.Statuses() {
		want := judgements()[s]
		no := false
		d := vendors.Document{DocumentID: "a", Status: s, VendorStatus: "raw", ProgressPercent: intp(40), Enabled: &no, Error: &vendors.Failure{Message: "why"}}
		normal.Document(&d, "v", "kb")
		got := judged{
			working: s.Working(), settled: s.Settled(), needs: s.NeedsAction(), listed: s.NeedsAttention(),
			percent: d.ProgressPercent != nil, failure: d.Error != nil, unserved: d.Searchable != nil, urgency: rank.Of(d).Urgency,
		}
		if got != want {
			t.Errorf("%s:\ngot  %+v\nwant %+v", s, got, want)
		}
		if got.working && got.settled {
			t.Errorf("%s is at work and settled", s)
		}
	}
}

// TestEveryStatusThroughEveryTool: summaries, waits, searches for unfinished
// documents, suspicions and filters treat a status as the table says.
func TestEveryStatusThroughEveryTool(t *testing.T) {
	for s, want := range judgements() {
		synctest.Test(t, func(t *testing.T) {
			time.Sleep(week)
			d := vendors.Document{DocumentID: "a", Status: s, VendorStatus: "raw", CreatedAt: time.Now().Add(-3 * 24 * time.Hour)}
			b := &bench{progress: func(vendors.ProgressQuery) (vendors.Report, error) {
				return vendors.Report{Documents: []vendors.Document{d}}, nil
			}}
			b.docs = []vendors.Document{d}
			v, ctx := New("v", "p", b), t.Context()

			byID, err := v.Progress(ctx, ProgressRequest{KnowledgeBaseID: "kb", DocumentIDs: []string{"a"}})
			if err != nil || byID.Summary.Done != want.settled || (byID.Summary.NeedsAction == 1) != want.needs || byID.Summary.ByStatus[s] != 1 {
				t.Errorf("%s, progress: %+v, %v", s, byID.Summary, err)
			}
			if stalled := byID.Documents[0].Stalled != nil; stalled != want.working {
				t.Errorf("%s, days old: suspected %v", s, stalled)
			}
			whole, err := v.Progress(ctx, ProgressRequest{KnowledgeBaseID: "kb"})
			if err != nil || whole.Summary.Done != want.settled || (len(whole.Documents) == 1) != want.listed {
				t.Errorf("%s, whole knowledge base: %+v, %v", s, whole, err)
			}
			began := time.Now()
			_, err = v.Wait(ctx, ProgressRequest{KnowledgeBaseID: "kb", DocumentIDs: []string{"a"}}, 30*time.Second, func(tally.Summary) {})
			took := time.Since(began)
			over := want.settled && (took == 0 || s == vendors.NotFound && took < 30*time.Second)
			if err != nil || over != want.settled || !want.settled && took != 30*time.Second-lookTime {
				t.Errorf("%s, a wait took %s, %v", s, took, err)
			}
			u, err := v.Unfinished(ctx, "kb")
			if err != nil || (len(u.Documents) == 1) != (s != vendors.Completed) || u.Summary.Done != want.settled {
				t.Errorf("%s, unfinished: %+v, %v", s, u, err)
			}
			for _, filter := range vendors.Statuses() {
				list, err := v.ListDocuments(ctx, ListQuery{KnowledgeBaseID: "kb", Status: filter, Limit: 20})
				if err != nil || (len(list.Documents) == 1) != (filter == s) {
					t.Errorf("%s, filtered by %s: %+v, %v", s, filter, list.Documents, err)
				}
			}
		})
	}
	if !slices.Contains(vendors.Statuses(), vendors.Unknown) {
		t.Error("no status for what this version does not know")
	}
}
