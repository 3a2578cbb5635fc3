package main

import (
	"context"
	"fmt"

	"kb-mcp/vendors"
	"kb-mcp/vendors/sandbox"
)

// wait waits for what is settled, or for what will not be.
func (v *visitor) wait() {
	in, done := "failed", true
	if v.rng.IntN(2) == 0 {
		in, done = "processing", false
	}
	id := v.known.ids(in)[0]
	var out progressed
	if v.get("wait_for_ingestion", v.args(v.known.archive, "document_ids", []string{id}, "timeout_seconds", 1), &out) && !out.Truncated {
		if len(out.Documents) != 1 || out.Documents[0].Status != in || out.Summary.Done != done {
			v.failed("wait_for_ingestion of %s: %s", id, compact(out))
		}
	}
}

// leaveACall begins to wait and goes on before there is an answer.
func (v *visitor) leaveACall() {
	ctx, hangUp := context.WithCancel(context.Background())
	defer hangUp()
	id := int(v.last.Add(1))
	params := fmt.Sprintf(`"_meta":{"progressToken":"%d"},"name":"wait_for_ingestion","arguments":%s`, id,
		compact(v.args(v.known.archive, "document_ids", v.known.ids("processing")[:1], "timeout_seconds", 50)))
	left := make(chan struct{})
	go func() { // waited for below
		defer close(left)
		v.road.call(ctx, id, "tools/call", params)
	}()
	v.pause(0)
	if err := v.road.cancel(context.Background(), id); err != nil {
		v.failed("cancel: %v", err)
	}
	hangUp()
	<-left
	v.w.happened("left a call")
}

// uploadAndDelete adds a document and takes it away again. What is said to be
// done is done, and nothing is done twice.
func (v *visitor) uploadAndDelete() {
	name := fmt.Sprintf("soak-%d.txt", v.rng.Uint64())
	var up struct{ Document row }
	r := v.ask("upload_document", v.args(v.known.scratch, "name", name, "text", "Text of "+name), &up)
	if r != nil && r.Kind == vendors.Unsupported {
		return
	}
	var stored []*sandbox.Document
	docs := v.w.sb.Store(v.known.platform).Documents(v.known.scratch)
	for i := range docs.Len() {
		if docs.At(i).Name == name {
			stored = append(stored, docs.At(i))
		}
	}
	switch {
	case r != nil && !passing(r.Kind) || len(stored) > 1:
		v.failed("upload of %s: %s, and %d documents", name, compact(r), len(stored))
	case r == nil && (len(stored) != 1 || up.Document.DocumentID != stored[0].ID):
		v.failed("upload of %s gave %+v, stored are %v", name, up, stored)
	case r == nil:
		v.delete(stored[0].ID)
	}
}

func (v *visitor) delete(id string) {
	var out struct {
		Results []struct {
			DocumentID string `json:"document_id"`
			Outcome    string
			Error      *vendors.ErrorReport
		}
	}
	if r := v.ask("delete_documents", v.args(v.known.scratch, "document_ids", []string{id}), &out); r != nil {
		if !passing(r.Kind) {
			v.failed("delete of %s: %s", id, compact(r))
		}
		return
	}
	if len(out.Results) != 1 || out.Results[0].DocumentID != id {
		v.failed("delete of %s: %s", id, compact(out))
		return
	}
	d := v.w.sb.Store(v.known.platform).Document(id)
	there := d != nil && d.State(d.Updated).Phase != sandbox.Deleting
	if outcome := out.Results[0].Outcome; there != (outcome == "failed") && outcome != "accepted" && outcome != "failed" {
		v.failed("delete of %s: %s, and it is there: %v", id, outcome, there)
	}
}

func (v *visitor) badArgument() {
	var out any
	if r := v.ask("list_documents", v.args(v.known.archive, "limit", 1000), &out); r == nil || r.Kind != vendors.InvalidArgument {
		v.failed("a limit of 1000: %s, %s", compact(r), compact(out))
	}
}
