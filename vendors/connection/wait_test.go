package connection

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"kb-mcp/vendors"
	"kb-mcp/vendors/tally"
)

// kiln is a platform whose documents ingest with the time.
type kiln struct {
	shelf
	began time.Time
	state func(id string, age time.Duration) vendors.Document // status and what goes with it
	fail  func(age time.Duration) error
	slow  time.Duration // what a request takes from the second second on
	batch int           // ids in one vendor request

	looks    []time.Duration // when progress was asked
	asked    [][]string
	requests int
}

func newKiln(state func(id string, age time.Duration) vendors.Document) *kiln {
	return &kiln{began: time.Now(), state: state, batch: 100}
}

func (k *kiln) Progress(ctx context.Context, q vendors.ProgressQuery) (vendors.Report, error) {
	age := time.Since(k.began)
	k.looks, k.asked = append(k.looks, age), append(k.asked, q.DocumentIDs)
	k.requests += (len(q.DocumentIDs) + k.batch - 1) / k.batch
	if age > 2*time.Second && !sleep(ctx, k.slow) {
		return vendors.Report{}, &vendors.Error{Kind: vendors.Timeout, Message: "late", Err: ctx.Err()}
	}
	if k.fail != nil {
		if err := k.fail(age); err != nil {
			return vendors.Report{}, err
		}
	}
	var r vendors.Report
	for _, id := range q.DocumentIDs {
		d := k.state(id, age)
		if d.DocumentID = id; d.Status == vendors.NotFound {
			r.Missing = append(r.Missing, id)
			continue
		}
		r.Documents = append(r.Documents, d)
	}
	return r, nil
}

// until is processing before d and then s.
func until(d time.Duration, s vendors.Status) func(string, time.Duration) vendors.Document {
	return func(_ string, age time.Duration) vendors.Document {
		if age < d {
			return vendors.Document{Status: vendors.Processing}
		}
		return vendors.Document{Status: s}
	}
}

// wait waits in a bubble and says how long that took.
func (k *kiln) wait(ctx context.Context, q ProgressRequest, timeout time.Duration) (got ProgressResult, reports int, took time.Duration, err error) {
	q.KnowledgeBaseID = "kb"
	began := time.Now()
	got, err = New("v", "p", k).Wait(ctx, q, timeout, func(tally.Summary) { reports++ })
	return got, reports, time.Since(began), err
}

func TestWaitEnds(t *testing.T) {
	const s = time.Second
	away := func(k vendors.Kind, from, to time.Duration) func(time.Duration) error {
		return func(age time.Duration) error {
			if age >= from && age < to {
				return &vendors.Error{Kind: k}
			}
			return nil
		}
	}
	paused := func(id string, age time.Duration) vendors.Document {
		if id == "a" {
			return vendors.Document{Status: vendors.Paused}
		}
		return until(20*s, vendors.Completed)(id, age)
	}
	needs := func(id string, age time.Duration) vendors.Document {
		if id == "a" {
			return until(5*s, vendors.Paused)(id, age)
		}
		return vendors.Document{Status: vendors.Processing}
	}
	late := func(from time.Duration) func(string, time.Duration) vendors.Document {
		return func(id string, age time.Duration) vendors.Document {
			if id == "a" && age < from {
				return vendors.Document{Status: vendors.NotFound}
			}
			return vendors.Document{Status: vendors.Completed}
		}
	}
	tests := []struct {
		name     string
		state    func(string, time.Duration) vendors.Document
		fail     func(time.Duration) error
		timeout  time.Duration
		min, max time.Duration // of the call
		done     bool
		kind     vendors.Kind // "" for no error
	}{
		{name: "everything had settled", state: until(0, vendors.Failed), timeout: 30 * s, max: 0, done: true},
		{name: "everything settles", state: until(10*s, vendors.Completed), timeout: 50 * s, min: 10 * s, max: 18 * s, done: true},
		{name: "the time passes", state: until(time.Hour, vendors.Completed), timeout: 30 * s, min: 30*s - lookTime, max: 30 * s},
		{name: "one comes to need a person", state: needs, timeout: 50 * s, min: 5 * s, max: 10 * s},
		{name: "one needed a person from the start", state: paused, timeout: 50 * s, min: 20 * s, max: 35 * s, done: true},
		{name: "a new document is unknown at first", state: late(6 * s), timeout: 30 * s, min: 6 * s, max: 12 * s, done: true},
		{name: "a document stays unknown", state: late(time.Hour), timeout: 30 * s, min: 10 * s, max: 18 * s, done: true},
		{name: "the credential fails at first", state: until(0, vendors.Completed), fail: away(vendors.Unauthenticated, 0, s), timeout: 30 * s, kind: vendors.Unauthenticated},
		{name: "the platform is away at first", state: until(0, vendors.Completed), fail: away(vendors.Unavailable, 0, s), timeout: 30 * s, kind: vendors.Unavailable},
		{name: "the credential fails midway", state: until(time.Hour, vendors.Completed), fail: away(vendors.Unauthenticated, 2*s, time.Hour), timeout: 30 * s, min: 3 * s, max: 3 * s, kind: vendors.Unauthenticated},
		{name: "the quota fails midway", state: until(time.Hour, vendors.Completed), fail: away(vendors.QuotaExhausted, 2*s, time.Hour), timeout: 30 * s, min: 3 * s, max: 3 * s, kind: vendors.QuotaExhausted},
		{name: "the platform is away midway", state: until(10*s, vendors.Completed), fail: away(vendors.Unavailable, 2*s, 12*s), timeout: 50 * s, min: 12 * s, max: 25 * s, done: true},
		{name: "the platform stays away", state: until(10*s, vendors.Completed), fail: away(vendors.Unavailable, 2*s, time.Hour), timeout: 40 * s, min: 40*s - lookTime, max: 40 * s},
		{name: "the limit is met midway", state: until(10*s, vendors.Completed), fail: away(vendors.RateLimited, 2*s, 12*s), timeout: 50 * s, min: 12 * s, max: 25 * s, done: true},
		{name: "a strange answer midway", state: until(10*s, vendors.Completed), fail: away(vendors.BadResponse, 2*s, 12*s), timeout: 50 * s, min: 12 * s, max: 25 * s, done: true},
		{name: "too short for a second look", state: until(time.Hour, vendors.Completed), timeout: 2 * s, max: 2 * s},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := newKiln(tt.state)
				k.fail = tt.fail
				got, reports, took, err := k.wait(t.Context(), ProgressRequest{DocumentIDs: []string{"a", "b"}}, tt.timeout)
				if took < tt.min || took > tt.max {
					t.Errorf("took %s, want %s to %s", took, tt.min, tt.max)
				}
				if tt.kind != "" {
					if vendors.KindOf(err) != tt.kind {
						t.Errorf("%v, want %s", err, tt.kind)
					}
					return
				}
				if err != nil || got.Summary.Done != tt.done || len(got.Documents) != 2 {
					t.Fatalf("%+v, %v", got, err)
				}
				if !got.Summary.Done && got.RetryAfterSeconds == 0 {
					t.Error("not done, and no word when to ask again")
				}
				if reports != len(k.looks) {
					t.Errorf("%d reports of %d looks", reports, len(k.looks))
				}
			})
		})
	}
}

// pauses between looks.
func pauses(looks []time.Duration) []time.Duration {
	var out []time.Duration
	for i := 1; i < len(looks); i++ {
		out = append(out, looks[i]-looks[i-1])
	}
	return out
}

func TestWaitPauses(t *testing.T) {
	eta := func(seconds int64) func(string, time.Duration) vendors.Document {
		return func(string, time.Duration) vendors.Document {
			return vendors.Document{Status: vendors.Processing, Ingestion: vendors.Ingestion{ETASeconds: &seconds}}
		}
	}
	s := func(list ...float64) (out []time.Duration) {
		for _, f := range list {
			out = append(out, time.Duration(f*float64(time.Second)))
		}
		return out
	}
	busy := func(after time.Duration) func(time.Duration) error {
		return func(age time.Duration) error {
			if age == 3*time.Second {
				return &vendors.Error{Kind: vendors.RateLimited, After: after}
			}
			return nil
		}
	}
	tests := []struct {
		name    string
		state   func(string, time.Duration) vendors.Document
		fail    func(time.Duration) error
		timeout time.Duration
		want    []time.Duration
	}{
		{"they grow to 15 s", until(time.Hour, vendors.Completed), nil, 50 * time.Second, s(3, 4.5, 6.75, 10.125, 15, 10.375)},
		{"they follow the estimate", eta(32), nil, 50 * time.Second, s(8, 8, 8, 8, 8, 9.75)},
		{"never under 3 s", eta(1), nil, 10 * time.Second, s(3, 3, 3.75)},
		{"nor over 15 s", eta(3600), nil, 50 * time.Second, s(15, 15, 15, 4.75)},
		{"an estimate of nothing is none", eta(0), nil, 8 * time.Second, s(3, 4.75)},
		{"the platform asks for time", until(time.Hour, vendors.Completed), busy(20 * time.Second), 40 * time.Second, s(3, 20, 6.75, 10)},
		{"the platform asks for more time than there is", until(time.Hour, vendors.Completed), busy(38 * time.Second), 40 * time.Second, s(3)},
		{"no second look in two seconds", until(time.Hour, vendors.Completed), nil, 2 * time.Second, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := newKiln(tt.state)
				k.fail = tt.fail
				got, _, _, err := k.wait(t.Context(), ProgressRequest{DocumentIDs: []string{"a"}}, tt.timeout)
				if err != nil {
					t.Fatal(err)
				}
				if p := pauses(k.looks); !slices.Equal(p, tt.want) {
					t.Errorf("pauses %s, want %s", p, tt.want)
				}
				if tt.want != nil && slices.Min(pauses(k.looks)) < 3*time.Second {
					t.Error("a pause under 3 s")
				}
				if tt.fail != nil && len(tt.want) == 1 && got.RetryAfterSeconds != 38 {
					t.Errorf("retry after %d s, the platform said 38", got.RetryAfterSeconds)
				}
			})
		})
	}
}

func TestWaitAsksOnlyForTheUnsettled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKiln(func(id string, age time.Duration) vendors.Document {
			var n int
			fmt.Sscanf(id, "d%d", &n)
			return until(time.Duration(n)*120*time.Millisecond, vendors.Completed)(id, age) // the last after a minute
		})
		all := make([]string, 500)
		for i := range all {
			all[i] = fmt.Sprintf("d%d", i)
		}
		var got ProgressResult
		var err error
		const calls = 3
		for range calls {
			if got, _, _, err = k.wait(t.Context(), ProgressRequest{DocumentIDs: all}, 30*time.Second); err != nil || got.Summary.Total != 500 {
				t.Fatalf("%+v, %v", got.Summary, err)
			}
		}
		if !got.Summary.Done {
			t.Errorf("%+v", got.Summary)
		}
		if ticks := calls * 30 / 3; k.requests > 5*ticks || len(k.looks) > ticks {
			t.Errorf("%d requests in %d looks", k.requests, len(k.looks))
		}
		first := k.asked[:slices.IndexFunc(k.asked[1:], func(ids []string) bool { return len(ids) == 500 })+1]
		for i := 1; i < len(first); i++ {
			for _, id := range first[i] {
				if k.state(id, k.looks[i-1]).Status.Settled() {
					t.Fatalf("look %d asks for %s, which had settled", i, id)
				}
			}
		}
		if len(first) < 4 || len(first[len(first)-1]) >= 400 {
			t.Errorf("%d looks, %d ids at the last", len(first), len(first[len(first)-1]))
		}
	})
}

func TestWaitForAWholeKnowledgeBase(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKiln(nil)
		k.sorted = true
		k.put(450)
		statuses(&k.shelf, func(i int) vendors.Status {
			switch i % 100 {
			case 7:
				return vendors.Processing
			case 8:
				return vendors.Failed
			}
			return vendors.Completed
		})
		gone := k.docs[107].DocumentID
		k.state = func(id string, age time.Duration) vendors.Document {
			if id == gone && age > 5*time.Second {
				return vendors.Document{Status: vendors.NotFound} // deleted while one waits
			}
			return until(12*time.Second, vendors.Completed)(id, age)
		}
		got, _, took, err := k.wait(t.Context(), ProgressRequest{}, 50*time.Second)
		if err != nil || !got.Summary.Done || took > 25*time.Second {
			t.Fatalf("after %s: %+v, %v", took, got.Summary, err)
		}
		if k.shelf.requests != 5 {
			t.Errorf("%d pages read, 5 are enough", k.shelf.requests)
		}
		for i, ids := range k.asked {
			if len(ids) > 5 || i == 0 && len(ids) != 5 {
				t.Errorf("look %d asked for %v", i, ids)
			}
		}
		if len(got.Documents) != 5 || got.Summary.Failed != 5 || got.Summary.ByStatus[vendors.NotFound] != 1 || got.Summary.Total != 450 {
			t.Errorf("%+v", got)
		}
	})
}

// tallying is a kiln whose platform keeps counters, which move on.
type tallying struct{ *kiln }

func (k tallying) Counts(context.Context, string) (vendors.Counts, error) {
	if time.Since(k.began) < 10*time.Second {
		return vendors.Counts{Total: 10, Finished: 9, Completed: 9}, nil
	}
	return vendors.Counts{Total: 10, Finished: 10, Completed: 10}, nil
}

func TestWaitReadsTheCountersAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKiln(until(10*time.Second, vendors.Completed))
		k.put(10)
		k.docs[3].Status = vendors.Processing
		got, err := New("v", "p", tallying{k}).Wait(t.Context(), ProgressRequest{KnowledgeBaseID: "kb"}, 50*time.Second, func(tally.Summary) {})
		if err != nil || !got.Summary.Done || got.Summary.ProgressPercent == nil || *got.Summary.ProgressPercent != 100 {
			t.Errorf("%+v, %v", got.Summary, err)
		}
	})
}

func TestWaitIsCancelled(t *testing.T) {
	for _, slow := range []time.Duration{0, 20 * time.Second} { // in a pause, in a request
		synctest.Test(t, func(t *testing.T) {
			k := newKiln(until(time.Hour, vendors.Completed))
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(4*time.Second, func() { cancel() })
			k.slow = slow
			if _, _, took, _ := k.wait(ctx, ProgressRequest{DocumentIDs: []string{"a"}}, 50*time.Second); took != 4*time.Second {
				t.Errorf("ended after %s, cancelled after 4 s", took)
			}
		})
	}
}

func TestWaitIsNeverLonger(t *testing.T) {
	for _, timeout := range []time.Duration{time.Second, 5 * time.Second, 20 * time.Second, 50 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			k := newKiln(until(time.Hour, vendors.Completed))
			k.slow = time.Hour
			got, _, took, err := k.wait(t.Context(), ProgressRequest{DocumentIDs: []string{"a"}}, timeout)
			if err != nil || len(got.Documents) != 1 || took > timeout {
				t.Errorf("timeout %s, took %s: %+v, %v", timeout, took, got, err)
			}
		})
	}
}

func TestWaitRefusesWhatProgressRefuses(t *testing.T) {
	k := newKiln(until(0, vendors.Completed))
	_, _, _, err := k.wait(t.Context(), ProgressRequest{DocumentIDs: []string{"a"}, BatchID: "b"}, time.Second)
	if vendors.KindOf(err) != vendors.InvalidArgument || k.looks != nil {
		t.Errorf("%v after %d looks", err, len(k.looks))
	}
}
