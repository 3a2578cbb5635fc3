package world

import (
	"fmt"
	"math"
	"regexp"
	"strings"
	"testing"
	"time"
)

// start is the moment at which the clock of every test begins.
var start = time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)

var uuid = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$`)

func TestState(t *testing.T) {
	long := Plan{Stages: []Stage{
		{Phase: Queued, For: 10 * time.Second}, {Phase: Parsing, For: 20 * time.Second},
		{Phase: Splitting, For: 10 * time.Second}, {Phase: Indexing, For: 70 * time.Second},
	}}
	failing := long
	failing.Outcome, failing.Code, failing.Message, failing.Raw = Failed, "35002", "broken", "1000"
	curved := long
	curved.Curve = []float64{0, 0.5, 0.5}
	stuck := Plan{Stages: []Stage{{Phase: Indexing, For: time.Hour}}, Curve: []float64{0.35, 0.35}}
	odd := Plan{Stages: []Stage{{Phase: Parsing, For: time.Minute, Raw: "5"}}, Outcome: Other, Raw: "7"}

	tests := []struct {
		name     string
		plan     Plan
		after    time.Duration
		phase    Phase
		stage    Phase
		fraction float64
		done     int
		total    int
		left     time.Duration
		raw      string
		ended    bool
	}{
		{"at the start", long, 0, Queued, "", 0, 0, 0, 110 * time.Second, "", false},
		{"before the start", long, -time.Minute, Queued, "", 0, 0, 0, 110 * time.Second, "", false},
		{"parsing", long, 20 * time.Second, Parsing, Parsing, 0.1, 0, 0, 90 * time.Second, "", false},
		{"on the edge", long, 30 * time.Second, Splitting, Splitting, 0.2, 0, 0, 80 * time.Second, "", false},
		{"indexing", long, 75 * time.Second, Indexing, Indexing, 0.65, 5, 10, 35 * time.Second, "", false},
		{"the last moment", long, 110*time.Second - 1, Indexing, Indexing, 1, 9, 10, 1, "", false},
		{"done", long, 110 * time.Second, Completed, Indexing, 1, 10, 10, 0, "", true},
		{"long done", long, time.Hour, Completed, Indexing, 1, 10, 10, 0, "", true},
		{"failed", failing, time.Hour, Failed, Indexing, 1, 10, 10, 0, "1000", true},
		{"along a curve", curved, 60 * time.Second, Indexing, Indexing, 0.5, 5, 10, 50 * time.Second, "", false},
		{"stuck", stuck, time.Minute, Indexing, Indexing, 0.35, 3, 10, 59 * time.Minute, "", false},
		{"raw of a stage", odd, time.Second, Parsing, Parsing, 1.0 / 60, 0, 0, 59 * time.Second, "5", false},
		{"raw of the outcome", odd, time.Minute, Other, Parsing, 1, 0, 0, 0, "7", true},
		{"paused on the way", long.Stopped(20*time.Second, Paused), time.Hour, Paused, Parsing, 0.1, 0, 0, 0, "", true},
		{"cancelled in the queue", long.Stopped(time.Second, Cancelled), time.Hour, Cancelled, "", 0, 0, 0, 0, "", true},
		{"at once", Immediate(Completed), 0, Completed, "", 1, 10, 10, 0, "", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := &Document{Text: "a", Pieces: 10, Started: start, Plan: tt.plan}
			s := d.State(start.Add(tt.after))
			if s.Phase != tt.phase || s.Stage != tt.stage || s.Raw != tt.raw || s.ChunksDone != tt.done ||
				s.ChunksTotal != tt.total || s.Remaining != tt.left || !s.Ended.IsZero() != tt.ended ||
				math.Abs(s.Fraction-tt.fraction) > 1e-6 {
				t.Errorf("State = %+v", s)
			}
			if (s.Message != "") != (tt.phase == Failed) {
				t.Errorf("Message = %q in phase %s", s.Message, s.Phase)
			}
		})
	}
	if s := (&Document{Plan: long}).State(start); s.Phase != Unstarted {
		t.Errorf("a document that nobody started is %s", s.Phase)
	}
}

func TestBegan(t *testing.T) {
	d := &Document{Started: start, Plan: Normal()}
	at := func(secs int) time.Time { return start.Add(time.Duration(secs) * time.Second) }
	tests := []struct {
		phase Phase
		now   int
		want  time.Time
	}{
		{Parsing, 0, time.Time{}}, {Parsing, 1, at(1)}, {Splitting, 2, time.Time{}},
		{Splitting, 3, at(3)}, {Completed, 9, time.Time{}}, {Completed, 10, at(10)}, {Failed, 99, time.Time{}},
	}
	for _, tt := range tests {
		if got := d.Began(tt.phase, at(tt.now)); !got.Equal(tt.want) {
			t.Errorf("Began(%s) after %d s = %v, want %v", tt.phase, tt.now, got, tt.want)
		}
	}
}

func TestListOrderAndSnapshots(t *testing.T) {
	st := newStore(Dify)
	kb := st.AddKB(KnowledgeBase{Name: "x"}).ID
	add := func(name string, age int) *Document {
		return st.Add(Document{KB: kb, Name: name, Created: start.Add(-time.Duration(age) * time.Second)})
	}
	add("c", 30)
	add("e", 10)
	add("d", 10) // as old as e, added later: newer
	add("a", 50)
	middle := add("b", 40)
	before := st.Documents(kb)
	names := func(l List) (out string) {
		for _, d := range l.Window(0, -1) {
			out += d.Name
		}
		return out
	}
	if got := names(before); got != "decba" {
		t.Errorf("newest first = %q, want decba", got)
	}
	st.Update(middle.ID, func(d *Document) { d.Name, d.ID = "B", "other" })
	add("f", 0)
	st.Remove(st.Documents(kb).At(1).ID)
	if got := names(before); got != "decba" {
		t.Errorf("a list that was taken changed to %q", got)
	}
	if got := names(st.Documents(kb)); got != "fecBa" {
		t.Errorf("afterwards = %q, want fecBa", got)
	}
	if st.Document(middle.ID).Name != "B" || middle.Name != "b" {
		t.Error("Update changes the document that was handed out, or its id")
	}
	if !st.RemoveKB(kb) || st.Document(middle.ID) != nil || st.KB(kb) != nil {
		t.Error("RemoveKB leaves something")
	}
}

func TestWindow(t *testing.T) {
	st := newStore(Dify)
	for i := range 5 {
		st.Add(Document{KB: "x", Name: fmt.Sprint(i), Created: start})
	}
	l := st.Documents("x")
	for _, tt := range []struct{ offset, limit, want int }{
		{0, 2, 2}, {4, 2, 1}, {5, 2, 0}, {9, 2, 0}, {-1, 2, 0}, {0, -1, 5}, {3, 100, 2}, {0, 0, 0},
	} {
		if got := len(l.Window(tt.offset, tt.limit)); got != tt.want {
			t.Errorf("Window(%d, %d) has %d, want %d", tt.offset, tt.limit, got, tt.want)
		}
	}
}

func TestIDs(t *testing.T) {
	for _, platform := range []string{Coze, Dify, RAGFlow, Volcengine} {
		seen := map[string]bool{}
		for n := 1; n <= 20000; n++ {
			seen[documentID(platform, n)] = true
		}
		if len(seen) != 20000 {
			t.Errorf("%s: %d different ids of 20000", platform, len(seen))
		}
	}
	if id := documentID(Coze, 1); len(id) != 19 || strings.Trim(id, "0123456789") != "" {
		t.Errorf("Coze id %q", id)
	}
	if id := documentID(Dify, 1); !uuid.MatchString(id) {
		t.Errorf("Dify id %q", id)
	}
	if id := BatchID(start, 1); len(id) != 20 || strings.Trim(id, "0123456789") != "" {
		t.Errorf("batch %q", id)
	}
}

func TestTerms(t *testing.T) {
	got := fmt.Sprint(Terms("How about 退款政策, v2?"))
	if want := "[how about 退款 款政 政策 v2]"; got != want {
		t.Errorf("terms = %s, want %s", got, want)
	}
}
