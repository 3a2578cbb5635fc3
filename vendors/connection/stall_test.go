package connection

import (
	"encoding/json"
	"testing"
	"testing/synctest"
	"time"

	"kb-mcp/vendors"
)

// week is how far a test goes into its bubble, which begins in 2000, before its
// documents can be a few days old.
const week = 7 * 24 * time.Hour

// ruled is a bench whose platform has its own stall rule.
type ruled struct {
	*bench
	rule vendors.StallRule
}

func (r ruled) StallRule() vendors.StallRule { return r.rule }

// stallBed returns documents by what a test sets, with a threshold of 10
// minutes.
func stallBed(now *vendors.Document) *Connection {
	b := &bench{progress: func(vendors.ProgressQuery) (vendors.Report, error) {
		return vendors.Report{Documents: []vendors.Document{*now}}, nil
	}}
	return New("v", "p", ruled{b, vendors.StallRule{Threshold: 10 * time.Minute, NextStep: "Look at the worker."}})
}

// peek asks for the one document.
func peek(t *testing.T, v *Connection) (Progress, string) {
	t.Helper()
	got, err := v.Progress(t.Context(), ProgressRequest{KnowledgeBaseID: "kb", DocumentIDs: []string{"a"}})
	if err != nil || len(got.Documents) != 1 {
		t.Fatalf("%+v, %v", got, err)
	}
	text, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	return got.Documents[0], string(text)
}

func TestMovementResetsSuspicion(t *testing.T) {
	n := func(i int64) *int64 { return &i }
	moves := map[string]func(d *vendors.Document){
		"percent":       func(d *vendors.Document) { d.ProgressPercent = intp(41) },
		"stage":         func(d *vendors.Document) { d.Ingestion.Stage = "indexing" },
		"chunks":        func(d *vendors.Document) { d.Ingestion.ChunksDone = n(8) },
		"a log line":    func(d *vendors.Document) { d.Ingestion.Movement = "embedding" },
		"vendor status": func(d *vendors.Document) { d.VendorStatus = "5" },
		"status":        func(d *vendors.Document) { d.Status = vendors.Queued },
		"its own time":  func(d *vendors.Document) { d.Ingestion.MovedAt = time.Now() },
	}
	still := map[string]func(d *vendors.Document){
		"nothing":                     func(*vendors.Document) {},
		"updated_at, which lies":      func(d *vendors.Document) { d.UpdatedAt = time.Now() },
		"an estimate":                 func(d *vendors.Document) { d.Ingestion.ETASeconds = n(77) },
		"a name":                      func(d *vendors.Document) { d.Name = "renamed" },
		"an answer that does not say": func(d *vendors.Document) { d.ProgressPercent, d.Ingestion = nil, vendors.Ingestion{} },
		"an old time of the platform": func(d *vendors.Document) {
			d.CreatedAt, d.Ingestion.StartedAt = time.Now().Add(-time.Hour), time.Now().Add(-time.Hour)
		},
		"the time of the last movement": func(d *vendors.Document) { d.Ingestion.MovedAt = time.Now().Add(-30 * time.Minute) },
	}
	run := func(name string, change func(*vendors.Document), moved bool) {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				time.Sleep(week) // a bubble begins in 2000
				d := vendors.Document{DocumentID: "a", Status: vendors.Processing, VendorStatus: "0", ProgressPercent: intp(40),
					Ingestion: vendors.Ingestion{Stage: "parsing", ChunksDone: n(7), Movement: "ocr"}}
				v := stallBed(&d)
				peek(t, v)
				time.Sleep(9 * time.Minute)
				change(&d)
				peek(t, v)
				time.Sleep(2 * time.Minute)
				p, _ := peek(t, v)
				if moved == (p.Stalled != nil) {
					t.Errorf("after 11 minutes, changed %v at 9: %+v", moved, p.Stalled)
				}
				if p.Status != d.Status {
					t.Errorf("suspicion changed the status to %s", p.Status)
				}
				time.Sleep(9 * time.Minute)
				if p, _ = peek(t, v); p.Stalled == nil {
					t.Error("not suspected 11 minutes after the last movement")
				}
			})
		})
	}
	for name, change := range moves {
		run(name, change, true)
	}
	for name, change := range still {
		run(name, change, false)
	}
}

func TestStallSaysItsEvidence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := vendors.Document{DocumentID: "a", Status: vendors.Processing, VendorStatus: "running"}
		v := stallBed(&d)
		time.Sleep(400 * time.Millisecond)
		began := time.Now().UTC()
		peek(t, v)
		time.Sleep(10*time.Minute - 1)
		if p, _ := peek(t, v); p.Stalled != nil {
			t.Errorf("suspected before the threshold: %+v", p.Stalled)
		}
		time.Sleep(time.Nanosecond)
		p, first := peek(t, v)
		want := vendors.Stalled{
			Suspected: true, Since: began.Truncate(time.Second), ThresholdSeconds: 600, NextStep: "Look at the worker.",
			Why: "Status running, percentage and counts have not changed in any answer that this server saw since then.",
		}
		if p.Stalled == nil || *p.Stalled != want {
			t.Fatalf("got  %+v\nwant %+v", p.Stalled, want)
		}
		for range 3 {
			time.Sleep(17*time.Minute + 3*time.Millisecond)
			if _, again := peek(t, v); again != first {
				t.Fatalf("the state is the same, the bytes are not:\n%s\n%s", first, again)
			}
		}
	})
}

func TestEvidenceOfThePlatform(t *testing.T) {
	const old = 20 * time.Minute
	tests := []struct {
		name      string
		set       func(d *vendors.Document, old time.Time)
		suspected bool
	}{
		{"queued since it was started", func(d *vendors.Document, old time.Time) { d.Status, d.Ingestion.StartedAt = vendors.Queued, old }, true},
		{"queued since it was created", func(d *vendors.Document, old time.Time) { d.Status, d.CreatedAt = vendors.Queued, old }, true},
		{"created long ago, started now", func(d *vendors.Document, old time.Time) {
			d.Status, d.CreatedAt, d.Ingestion.StartedAt = vendors.Queued, old, time.Now()
		}, false},
		{"queued, no times", func(d *vendors.Document, old time.Time) { d.Status = vendors.Queued }, false},
		{"processing, started long ago", func(d *vendors.Document, old time.Time) {
			d.Status, d.CreatedAt, d.Ingestion.StartedAt = vendors.Processing, old, old
		}, false},
		{"processing, moved long ago", func(d *vendors.Document, old time.Time) { d.Status, d.Ingestion.MovedAt = vendors.Processing, old }, true},
		{"processing, moved now", func(d *vendors.Document, old time.Time) {
			d.Status, d.Ingestion.MovedAt = vendors.Processing, time.Now()
		}, false},
		{"a clock that is ahead", func(d *vendors.Document, old time.Time) {
			d.Status, d.Ingestion.MovedAt = vendors.Processing, time.Now().Add(time.Hour)
		}, false},
		{"completed", func(d *vendors.Document, old time.Time) { d.Status, d.CreatedAt = vendors.Completed, old }, false},
		{"paused", func(d *vendors.Document, old time.Time) { d.Status, d.CreatedAt = vendors.Paused, old }, false},
		{"unknown", func(d *vendors.Document, old time.Time) { d.Status, d.CreatedAt = vendors.Unknown, old }, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				time.Sleep(week)
				d := vendors.Document{DocumentID: "a"}
				at := time.Now().Add(-old)
				tt.set(&d, at)
				p, _ := peek(t, stallBed(&d))
				if (p.Stalled != nil) != tt.suspected {
					t.Fatalf("%+v", p.Stalled)
				}
				if tt.suspected && (!p.Stalled.Since.Equal(at.Truncate(time.Second)) || p.Stalled.Why != "The platform's own times show no movement since then.") {
					t.Errorf("%+v", p.Stalled)
				}
			})
		})
	}
}

// A document that is ingested once more keeps its old times on some platforms.
func TestARestartIsMovement(t *testing.T) {
	t.Run("seen", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			time.Sleep(week)
			d := vendors.Document{DocumentID: "a", Status: vendors.Processing, CreatedAt: time.Now().Add(-23 * time.Hour)}
			v := stallBed(&d)
			for _, s := range []vendors.Status{vendors.Processing, vendors.Failed, vendors.Queued} {
				d.Status = s
				if p, _ := peek(t, v); p.Stalled != nil {
					t.Errorf("%s: %+v", s, p.Stalled)
				}
				time.Sleep(time.Minute)
			}
			time.Sleep(10 * time.Minute)
			if p, _ := peek(t, v); p.Stalled == nil || time.Since(p.Stalled.Since) > 12*time.Minute {
				t.Errorf("%+v", p.Stalled)
			}
		})
	})
	t.Run("asked for here", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			time.Sleep(week)
			d := vendors.Document{DocumentID: "a", Status: vendors.Queued, CreatedAt: time.Now().Add(-24 * time.Hour)}
			w := &writer{outcomes: []vendors.Outcome{{DocumentID: "a", Result: vendors.Accepted}}}
			w.progress = func(vendors.ProgressQuery) (vendors.Report, error) {
				return vendors.Report{Documents: []vendors.Document{d}}, nil
			}
			v := New("v", "p", w)
			if _, err := v.StartIngestion(t.Context(), "kb", []string{"a"}); err != nil {
				t.Fatal(err)
			}
			if p, _ := peek(t, v); p.Stalled != nil {
				t.Errorf("%+v", p.Stalled)
			}
			time.Sleep(defaultThreshold)
			if p, _ := peek(t, v); p.Stalled == nil {
				t.Error("not suspected after the threshold")
			}
		})
	})
}

// Lists say less than progress answers: taking turns must not look like movement.
func TestAThinRowIsNoMovement(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &bench{shelf: shelf{sorted: true}, thin: true}
		b.put(1)
		b.docs[0].Status, b.docs[0].VendorStatus = vendors.Processing, "0"
		b.progress = func(q vendors.ProgressQuery) (vendors.Report, error) {
			return vendors.Report{Documents: []vendors.Document{{DocumentID: q.DocumentIDs[0], Status: vendors.Processing, VendorStatus: "0", ProgressPercent: intp(40)}}}, nil
		}
		v := New("v", "p", ruled{b, vendors.StallRule{Threshold: 10 * time.Minute}})
		for range 5 {
			got, err := v.Progress(t.Context(), ProgressRequest{KnowledgeBaseID: "kb"})
			if err != nil || len(got.Documents) != 1 {
				t.Fatalf("%+v, %v", got, err)
			}
			if suspected := time.Since(b.began()) >= 10*time.Minute; suspected != (got.Documents[0].Stalled != nil) {
				t.Errorf("after %s: %+v", time.Since(b.began()), got.Documents[0].Stalled)
			}
			time.Sleep(4 * time.Minute)
		}
	})
}

// began is when a bubble's clock starts.
func (b *bench) began() time.Time { return time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC) }

func TestSettledDocumentsAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := vendors.Document{DocumentID: "a", Status: vendors.Processing}
		v := stallBed(&d)
		peek(t, v)
		d.Status = vendors.Completed
		peek(t, v)
		time.Sleep(time.Hour)
		d.Status = vendors.Processing
		if p, _ := peek(t, v); p.Stalled != nil {
			t.Errorf("ingested again, and suspected at once: %+v", p.Stalled)
		}
	})
}
