package main

import (
	"maps"
	"slices"
	"strings"
	"sync"

	"kb-mcp/vendors"
	"kb-mcp/vendors/sandbox"
)

// deed is something a visitor does with a connection that can.
type deed struct {
	tool string // the capability; "" for what needs none
	do   func(v *visitor)
}

func deeds() []deed {
	return []deed{
		{"list_knowledge_bases", (*visitor).walkBases},
		{"list_documents", (*visitor).walkDocuments},
		{"list_documents", (*visitor).walkDocuments},
		{"get_document_info", (*visitor).oneDocument},
		{"get_document_info", (*visitor).manyAtOnce},
		{"get_document_info", (*visitor).unknownDocument},
		{"get_ingestion_progress", (*visitor).progress},
		{"get_ingestion_progress", (*visitor).progress},
		{"get_ingestion_progress", (*visitor).wholeProgress},
		{"get_ingestion_progress", (*visitor).wait},
		{"get_ingestion_progress", (*visitor).leaveACall},
		{"search_knowledge_base", (*visitor).search},
		{"list_chunks", (*visitor).chunks},
		{"find_unfinished_documents", (*visitor).unfinished},
		{"upload_document", (*visitor).uploadAndDelete},
		{"", (*visitor).badArgument},
	}
}

// visit does n things.
func (v *visitor) visit(n int) {
	all := deeds()
	for range n {
		if v.over() || v.w.t.Failed() {
			return
		}
		v.known = v.w.known[v.rng.IntN(len(v.w.known))]
		d := all[v.rng.IntN(len(all))]
		if d.tool == "" || v.can(d.tool) {
			d.do(v)
		}
	}
}

// can reports whether a tool works on the archive: on Coze, which reads images
// alone, search and chunks do not.
func (v *visitor) can(tool string) bool {
	if v.known.platform == sandbox.Coze && (tool == "search_knowledge_base" || tool == "list_chunks") {
		return false
	}
	return slices.Contains(v.known.can, tool)
}

type row struct {
	DocumentID string `json:"document_id"`
	Name       string `json:"name"`
	Status     string `json:"status"`
}

// right checks a document of the archive.
func (v *visitor) right(what string, r row) {
	d := v.known.docs[r.DocumentID]
	if d == nil || r.Name != d.Name || r.Status != status(d) {
		v.failed("%s: %+v is not in the archive", what, r)
	}
}

// same compares ids, and says what is missing or twice.
func (v *visitor) same(what string, got, want []string) {
	slices.Sort(got)
	if slices.Equal(got, want) {
		return
	}
	times := map[string]int{}
	for _, id := range got {
		times[id]++
	}
	for _, id := range want {
		times[id]--
	}
	maps.DeleteFunc(times, func(_ string, n int) bool { return n == 0 })
	v.failed("%s: %d ids, want %d; too often (or missing, below 0): %v", what, len(got), len(want), times)
}

// knowledgeBases are all of a connection, sorted; false when it gave up.
func (v *visitor) knowledgeBases(limit int) (ids []string, whole bool) {
	args := v.args("", "limit", limit)
	for {
		var page struct {
			KnowledgeBases []struct {
				KnowledgeBaseID string `json:"knowledge_base_id"`
			} `json:"knowledge_bases"`
			NextCursor string `json:"next_cursor"`
		}
		if !v.get("list_knowledge_bases", args, &page) {
			return ids, false
		}
		for _, kb := range page.KnowledgeBases {
			ids = append(ids, kb.KnowledgeBaseID)
		}
		if page.NextCursor == "" {
			slices.Sort(ids)
			return ids, true
		}
		args["cursor"] = page.NextCursor
	}
}

func (v *visitor) walkBases() {
	if got, whole := v.knowledgeBases(1 + v.rng.IntN(5)); whole {
		v.same("list_knowledge_bases", got, v.known.bases)
		v.w.happened("walk: knowledge bases")
	}
}

func (v *visitor) walkDocuments() {
	var got []string
	args := v.args(v.known.archive, "limit", []int{20, 30, 50, 100}[v.rng.IntN(4)])
	want := v.known.ids()
	if v.rng.IntN(4) == 0 {
		args["status"] = "failed"
		want = v.known.ids("failed")
	}
	for {
		var page struct {
			Documents  []row  `json:"documents"`
			NextCursor string `json:"next_cursor"`
		}
		if !v.get("list_documents", args, &page) {
			return
		}
		for _, r := range page.Documents {
			v.right("list_documents", r)
			got = append(got, r.DocumentID)
		}
		if page.NextCursor == "" {
			break
		}
		args["cursor"] = page.NextCursor
	}
	v.same("list_documents", got, want)
	v.w.happened("walk: documents")
}

// anyID is a document of the archive.
func (v *visitor) anyID() string {
	ids := v.known.ids()
	return ids[v.rng.IntN(len(ids))]
}

func (v *visitor) oneDocument() { v.document(v.anyID()) }

func (v *visitor) document(id string) {
	var out struct{ Document row }
	if v.get("get_document_info", v.args(v.known.archive, "document_id", id), &out) {
		if v.right("get_document_info", out.Document); out.Document.DocumentID != id {
			v.failed("get_document_info of %s is %+v", id, out)
		}
	}
}

// manyAtOnce asks for some documents, one of them twice.
func (v *visitor) manyAtOnce() {
	ids := []string{v.anyID(), v.anyID(), v.anyID()}
	var wg sync.WaitGroup
	for _, id := range append(ids, ids[0]) {
		wg.Go(func() { v.document(id) })
	}
	wg.Wait()
}

func (v *visitor) unknownDocument() {
	var out any
	r := v.ask("get_document_info", v.args(v.known.archive, "document_id", otherID(v.known.platform)), &out)
	if r == nil || r.Kind != vendors.ErrNotFound && !passing(r.Kind) {
		v.failed("a document that is not there: %s, %s", compact(r), compact(out))
	}
}

type progressed struct {
	Documents []row    `json:"documents"`
	Remaining []string `json:"remaining_document_ids"`
	Truncated bool     `json:"truncated"`
	Next      string   `json:"next_cursor"`
	Summary   struct {
		Total    int            `json:"total"`
		Scanned  *int           `json:"scanned"`
		ByStatus map[string]int `json:"by_status"`
		Done     bool           `json:"done"`
	} `json:"summary"`
}

func (v *visitor) progress() {
	asked := []string{otherID(v.known.platform)}
	for range 1 + v.rng.IntN(40) {
		if id := v.anyID(); !slices.Contains(asked, id) {
			asked = append(asked, id)
		}
	}
	var out progressed
	if !v.get("get_ingestion_progress", v.args(v.known.archive, "document_ids", asked), &out) {
		return
	}
	var got []string
	for _, r := range out.Documents {
		if got = append(got, r.DocumentID); r.DocumentID == asked[0] {
			if r.Status != "not_found" {
				v.failed("an unknown document: %+v", r)
			}
			continue
		}
		r.Name = v.known.docs[r.DocumentID].Name // not every platform says it
		v.right("get_ingestion_progress", r)
	}
	if out.Truncated != (len(out.Remaining) > 0) || out.Summary.Total != len(out.Documents) {
		v.failed("get_ingestion_progress: %s", compact(out))
	}
	want := slices.Sorted(slices.Values(asked))
	v.same("get_ingestion_progress", append(got, out.Remaining...), want)
}

// wholeProgress counts the archive, page after page. A summary is of one page
// when it says how many were scanned, else of everything.
func (v *visitor) wholeProgress() {
	var listed []string
	want, count := map[string]int{}, map[string]int{}
	for _, d := range v.known.docs {
		want[status(d)]++
	}
	args := v.args(v.known.archive)
	for {
		var out progressed
		if !v.get("get_ingestion_progress", args, &out) {
			return
		}
		for _, r := range out.Documents {
			r.Name = v.known.docs[r.DocumentID].Name
			v.right("progress of all", r)
			listed = append(listed, r.DocumentID)
		}
		if out.Summary.Scanned == nil {
			count = out.Summary.ByStatus
		}
		for s, n := range out.Summary.ByStatus {
			if out.Summary.Scanned != nil {
				count[s] += n
			}
		}
		if out.Next == "" {
			break
		}
		args["cursor"] = out.Next
	}
	v.same("progress of all", listed, v.known.ids("failed", "processing"))
	if !maps.Equal(count, want) {
		v.failed("progress of all counts %v, want %v", count, want)
	}
	v.w.happened("walk: progress of all")
}

func (v *visitor) search() {
	var out struct {
		Hits []struct {
			row
			DocumentName string `json:"document_name"`
			Content      string `json:"content"`
		} `json:"hits"`
	}
	if !v.get("search_knowledge_base", v.args(v.known.archive, "query", "档案", "limit", 5), &out) {
		return
	}
	for _, hit := range out.Hits {
		d := v.known.docs[hit.DocumentID]
		if d == nil || hit.DocumentName != d.Name || !strings.Contains(d.Text, strings.TrimSpace(hit.Content)) {
			v.failed("search: %+v is not in the archive", hit)
		}
	}
	if len(out.Hits) == 0 {
		v.failed("search finds nothing")
	}
}

func (v *visitor) chunks() {
	id := v.anyID()
	var out struct{ Chunks []struct{ Content string } }
	if v.get("list_chunks", v.args(v.known.archive, "document_id", id), &out) {
		for _, c := range out.Chunks {
			if !strings.Contains(v.known.docs[id].Text, strings.TrimSpace(c.Content)) {
				v.failed("list_chunks of %s: %+v", id, c)
			}
		}
	}
}

func (v *visitor) unfinished() {
	var got []string
	args := v.args(v.known.archive, "limit", 5)
	complete := true
	for {
		var page struct {
			Documents  []row
			Incomplete []struct{ Error vendors.ErrorReport }
			NextCursor string `json:"next_cursor"`
		}
		if !v.get("find_unfinished_documents", args, &page) {
			return
		}
		for _, r := range page.Documents {
			v.right("find_unfinished_documents", r)
			got = append(got, r.DocumentID)
		}
		for _, gap := range page.Incomplete {
			complete = false
			if !passing(gap.Error.Kind) {
				v.failed("find_unfinished_documents: %s", compact(page))
			}
		}
		if page.NextCursor == "" {
			break
		}
		args["cursor"] = page.NextCursor
	}
	if complete {
		v.same("find_unfinished_documents", got, v.known.ids("failed", "processing"))
		v.w.happened("walk: unfinished")
	}
}
