package faults

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"kb-mcp/vendors"
	"kb-mcp/vendors/sandbox"
)

// losses are ways to lose the answer to a write.
func losses() []mishap {
	return []mishap{
		{row: "reset", serve: func(x *exchange) { x.raw("", true) }},
		{row: "closed", serve: func(x *exchange) { x.raw("", false) }},
		{row: "closed in the body", serve: func(x *exchange) { x.raw(x.head(len(x.right.body))+string(x.right.body[:len(x.right.body)/2]), false) }},
		{row: "no answer", timeout: "3s", serve: func(x *exchange) { x.gone() }},
		{row: "500", serve: func(x *exchange) { x.send(500, []byte(page)) }},
		{row: "503, Retry-After 1", serve: func(x *exchange) { x.send(503, []byte(page), "Retry-After: 1") }},
		{row: "a web page", serve: func(x *exchange) { x.send(200, []byte(page)) }},
		{row: "empty", serve: func(x *exchange) { x.send(200, nil) }},
		{row: "broken JSON", serve: func(x *exchange) { x.send(200, x.right.body[:len(x.right.body)/2]) }},
	}
}

// When an answer is lost.
const (
	notDone  = "every request, before anything is done"
	doneOnce = "the answer to the write, once it is done"
	doneAll  = "the answer to the write, once it is done, and to every request after it"
)

// TestWritesUnderFaults loses the answers to creates: what was to be made is
// made once at most, success means that it is there, and no error that invites
// a second try comes after the first has made it.
func TestWritesUnderFaults(t *testing.T) {
	if testing.Short() {
		t.Skip("hundreds of faults, some of which take their time")
	}
	t.Parallel()
	defer func(w io.Writer) { log.SetOutput(w) }(log.Writer())
	log.SetOutput(io.Discard)
	l := newLab(t)
	var wg sync.WaitGroup
	places := make(chan struct{}, 64)
	for _, c := range l.columns {
		for _, tool := range []string{"create_knowledge_base", "upload_document"} {
			for _, when := range []string{notDone, doneOnce, doneAll} {
				for _, f := range losses() {
					wg.Go(func() {
						places <- struct{}{}
						defer func() { <-places }()
						l.lose(c, tool, when, f)
					})
				}
			}
		}
	}
	wg.Wait()
}

// made is what a sandbox holds of a test's things, by id.
func made(sb *sandbox.Sandbox, platform string) (ids []string) {
	for _, kb := range sb.Store(platform).KBs() {
		if strings.HasPrefix(kb.Name, "lost") {
			ids = append(ids, kb.ID)
		}
		docs := sb.Store(platform).Documents(kb.ID)
		for i := range docs.Len() {
			if d := docs.At(i); strings.HasPrefix(d.Name, "lost") {
				ids = append(ids, d.ID)
			}
		}
	}
	return ids
}

// lose makes one write whose answer is lost.
func (l *lab) lose(c *column, tool, when string, f mishap) {
	sb := sandbox.New(sandbox.Options{}) // one's own, and its clock goes
	var mu sync.Mutex
	done := false
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := &exchange{w: w, r: r, face: c.face}
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		mu.Lock()
		before := len(made(sb, c.vendor))
		rec := httptest.NewRecorder()
		if when != notDone {
			sb.ServeHTTP(rec, r)
		}
		lost := when == notDone || len(made(sb, c.vendor)) > before || when == doneAll && done
		done = done || len(made(sb, c.vendor)) > before
		mu.Unlock()
		x.right = reply{rec.Code, rec.Header(), rec.Body.Bytes()}
		if lost {
			f.serve(x)
			return
		}
		x.pass()
	}))
	defer srv.Close()
	conf := l.connect(c, f, srv.URL)
	limit := faultTime
	if f.timeout != "" { // an upload may take all the time of its call
		limit /= 4
	}
	ctx, cancel := context.WithTimeout(l.t.Context(), limit)
	defer cancel()
	a, _ := conf.Tools().Call(ctx, tool, l.draft(c, sb, tool))
	where := fmt.Sprintf("%s on %s: %s: %s", tool, c.face, f.row, when)
	ids := made(sb, c.vendor)
	var answer struct {
		KnowledgeBase vendors.KnowledgeBase `json:"knowledge_base"`
		Document      vendors.Document
		Error         vendors.ErrorReport
	}
	if err := json.Unmarshal(a.Text, &answer); err != nil {
		l.t.Errorf("%s: %v", where, err)
	}
	switch {
	case when != notDone && len(ids) == 0 && f.timeout == "": // a busy machine's reads may take that long
		l.t.Errorf("%s: nothing was made: %s", where, a.Text)
	case len(ids) > 1:
		l.t.Errorf("%s: made %d times", where, len(ids))
	case !a.Failed && (len(ids) != 1 || answer.Document.DocumentID+answer.KnowledgeBase.KnowledgeBaseID != ids[0]):
		l.t.Errorf("%s: %v is there, and the answer is %s", where, ids, a.Text)
	case a.Failed && len(ids) == 1 && answer.Error.Retryable:
		l.t.Errorf("%s: it is there, and the agent is invited to try again: %s", where, a.Text)
	}
	if a.Failed {
		l.failure(where, c, f, answer.Error, a.Text)
	}
	l.secret(where, string(a.Text)+conf.log.String(), conf.secrets, &safeBuffer{})
}

// draft is the arguments of a write.
func (l *lab) draft(c *column, sb *sandbox.Sandbox, tool string) json.RawMessage {
	args := object{"name": "lost_and_found"}
	if tool == "upload_document" {
		most := 0
		for _, kb := range sb.Store(c.vendor).KBs() {
			if n := sb.Store(c.vendor).Documents(kb.ID).Len(); n > most {
				most, args["knowledge_base_id"] = n, kb.ID
			}
		}
		args["name"], args["text"] = "lost.txt", "The blue valve closes the tank."
		if c.vendor == "volcengine" { // it takes addresses only
			delete(args, "text")
			args["url"] = "https://example.com/lost.txt"
		}
	}
	b, err := json.Marshal(args)
	if err != nil {
		l.t.Error(err)
	}
	return b
}
