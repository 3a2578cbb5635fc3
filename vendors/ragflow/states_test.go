package ragflow

import (
	"fmt"
	"net/http"
	"slices"
	"testing"

	"kb-mcp/vendors"
)

// rowIn is a list with one row with the two state fields as given; "" leaves one out.
func rowIn(run, task string) string {
	fields := ""
	if run != "" {
		fields += fmt.Sprintf(`,"run":%q`, run)
	}
	if task != "" {
		fields += fmt.Sprintf(`,"ingestion_status":%q`, task)
	}
	return `{"code":0,"data":{"docs":[{"id":"d1","name":"a.txt","source_type":"local","progress":0.3,"progress_msg":"12:00:00 Start to parse."` +
		fields + `}],"total":1}}`
}

// judged is what is to become of a document in one of the platform's states.
type judged struct {
	status      vendors.Status
	start, stop bool // sent
}

// judgedStates is what is to become of a table of states: what may be started and
// stopped follows from the status.
func judgedStates(states map[string]vendors.Status) map[string]judged {
	list := map[string]judged{}
	for word, s := range states {
		list[word] = judged{s, s.Startable(), !s.Settled() && word != "STOPPING"} // that one is asked for already
	}
	return list
}

// Every word of the platform, alone and beside others, through list, progress,
// start and stop. A start deletes chunks, so it may be sent only for states of
// which that is known.
func TestEveryState(t *testing.T) {
	words, tasks := judgedStates(runStates), judgedStates(taskStates)
	for word, s := range map[string]vendors.Status{ // a wrong one would lose chunks
		"UNSTART": vendors.NotStarted, "0": vendors.NotStarted, "RUNNING": vendors.Processing, "1": vendors.Processing,
		"CANCEL": vendors.Cancelled, "2": vendors.Cancelled, "DONE": vendors.Completed, "3": vendors.Completed,
		"FAIL": vendors.Failed, "4": vendors.Failed, "SCHEDULE": vendors.Queued, "5": vendors.Queued,
	} {
		if words[word].status != s {
			t.Errorf("run %q is %s, want %s", word, words[word].status, s)
		}
	}
	for word, s := range map[string]vendors.Status{
		"UNSTART": vendors.NotStarted, "CREATED": vendors.Queued, "SCHEDULED": vendors.Queued, "RUNNING": vendors.Processing,
		"STOPPING": vendors.Processing, "COMPLETED": vendors.Completed, "FAILED": vendors.Failed, "STOPPED": vendors.Cancelled,
	} {
		if tasks[word].status != s {
			t.Errorf("ingestion_status %q is %s, want %s", word, tasks[word].status, s)
		}
	}
	unknown := judged{vendors.Unknown, false, true}
	check := func(run, task, raw string, w judged) {
		t.Helper()
		sent := map[string]bool{}
		d := answering(func(r *http.Request) (int, string) {
			if r.Method == http.MethodGet {
				return 200, rowIn(run, task)
			}
			sent[r.Method] = true
			return 200, `{"code":0}`
		}).driver(t)
		page, err1 := d.ListDocuments(t.Context(), vendors.PageQuery{KnowledgeBaseID: "kb", Page: 1, Size: 20})
		rep, err2 := d.Progress(t.Context(), vendors.ProgressQuery{KnowledgeBaseID: "kb", DocumentIDs: []string{"d1"}})
		started, err3 := d.StartIngestion(t.Context(), "kb", []string{"d1"})
		stopped, err4 := d.StopIngestion(t.Context(), "kb", []string{"d1"})
		if err1 != nil || err2 != nil || err3 != nil || err4 != nil {
			t.Fatal(err1, err2, err3, err4)
		}
		for _, got := range []vendors.Document{page.Items[0], rep.Documents[0]} {
			if got.Status != w.status || got.VendorStatus != raw {
				t.Errorf("run %q, ingestion_status %q: %s (%q), want %s (%q)", run, task, got.Status, got.VendorStatus, w.status, raw)
			}
		}
		if sent[http.MethodPost] != w.start || sent[http.MethodDelete] != w.stop {
			t.Errorf("run %q, ingestion_status %q: sent %v, want start %v, stop %v", run, task, sent, w.start, w.stop)
		}
		if w.status == vendors.Unknown && (started[0].Result != vendors.NotDone || vendors.KindOf(started[0].Err) != vendors.Conflict) {
			t.Errorf("run %q, ingestion_status %q: start said %+v", run, task, started)
		}
		if len(stopped) != 1 {
			t.Errorf("stop said %+v", stopped)
		}
	}
	for word, w := range words {
		check(word, "", word, w)
		check(word, "MIGRATING", "MIGRATING", unknown)
		for task, tw := range tasks {
			if tw.status.Settled() {
				check(word, task, word, w) // run is the newer one of two ends
			} else {
				check(word, task, task, tw)
			}
		}
	}
	for task, w := range tasks {
		check("", task, task, w)
	}
	check("PAUSED", "", "PAUSED", unknown)
	check("7", "", "7", unknown)
	check("", "", "", unknown)
}

// No status that the core knows may be started without having been judged.
func TestStartableStates(t *testing.T) {
	safe := []vendors.Status{vendors.NotStarted, vendors.Completed, vendors.Failed, vendors.Cancelled}
	for _, s := range append(vendors.Statuses(), "a status of tomorrow") {
		if need, _ := startable(vendors.Document{Status: s}); need != slices.Contains(safe, s) {
			t.Errorf("%s: start sent %v", s, need)
		}
	}
}
