package vendors

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// Bounds of a search for unfinished documents on one connection.
const (
	unfinishedTime   = 42 * time.Second // leaves time for the answer
	unfinishedKeep   = 1000             // documents; agents look at the worst first
	unfinishedAtOnce = 4                // knowledge bases
	unfinishedGaps   = 5                // told in full
	unfinishedNames  = 20               // further ones, told by id
	fewRows          = 200              // up to here reading all rows beats asking by status
)

// UnfinishedFilter is a driver whose platform filters by status truly. The
// statuses it gives are those whose listings together hold every document that
// is not completed, as far as the platform can be asked.
type UnfinishedFilter interface{ UnfinishedFilters() []Status }

// Unfinished is what a connection has that is not completed.
type Unfinished struct {
	Documents  []Document // worst first
	Summary    Summary    // of everything looked at
	Incomplete []Incomplete
}

// Incomplete names what could not be seen, and why.
type Incomplete struct {
	Vendor          string      `json:"vendor"`
	KnowledgeBaseID string      `json:"knowledge_base_id,omitempty"`
	Error           ErrorReport `json:"error"`
}

// hunt collects over the knowledge bases of a connection.
type hunt struct {
	v     *Vendor
	until time.Time
	mu    sync.Mutex
	tally tally
	docs  []Document
	seen  map[string]bool // knowledge base and document id of docs
	gaps  []Incomplete
}

// Unfinished finds the documents that are not completed, in one knowledge base
// or in all of them, by the cheapest true source of the platform. What it could
// not see is named in Incomplete; only a kb that can be none is an error.
func (v *Vendor) Unfinished(ctx context.Context, kb string) (Unfinished, error) {
	h := &hunt{v: v, until: time.Now().Add(unfinishedTime), seen: map[string]bool{}}
	ctx, cancel := context.WithDeadline(ctx, h.until)
	defer cancel()
	kbs := []KnowledgeBase{{KnowledgeBaseID: kb}}
	if err := v.breaker.check("find_unfinished_documents"); err != nil {
		h.gap(kb, err)
		kbs = nil
	} else if kb == "" {
		if kbs, err = h.knowledgeBases(ctx); err != nil {
			h.gap("", err)
		}
	} else if err = checkID("knowledge_base_id", kb); err != nil {
		return Unfinished{}, v.wrap("find_unfinished_documents", err)
	} else if err = v.resolve(ctx, &kbs[0].KnowledgeBaseID); err != nil {
		h.gap(kb, err)
		kbs = nil
	}
	places := make(chan struct{}, unfinishedAtOnce)
	var wg sync.WaitGroup
	for _, k := range kbs {
		places <- struct{}{}
		wg.Go(func() {
			defer func() { <-places }()
			h.search(ctx, k)
		})
	}
	wg.Wait()
	slices.SortFunc(h.docs, WorstFirst)
	slices.SortStableFunc(h.gaps, func(a, b Incomplete) int { return strings.Compare(a.KnowledgeBaseID, b.KnowledgeBaseID) })
	return Unfinished{Documents: h.docs, Summary: h.tally.summary(), Incomplete: h.fewGaps()}, nil
}

// fewGaps names the first gaps in full and the others by their ids: an agent
// must know of each, but an account may have thousands.
func (h *hunt) fewGaps() []Incomplete {
	if len(h.gaps) <= unfinishedGaps {
		return h.gaps
	}
	rest := h.gaps[unfinishedGaps:]
	names := make([]string, 0, unfinishedNames)
	for _, g := range rest[:min(len(rest), unfinishedNames)] {
		names = append(names, g.KnowledgeBaseID)
	}
	hint := "Ask for them by knowledge_base_id, one at a time: " + strings.Join(names, ", ")
	if len(names) < len(rest) {
		hint += fmt.Sprintf(" and %d more, which list_knowledge_bases shows", len(rest)-len(names))
	}
	e := Errorf(rest[0].Error.Kind, "%d more knowledge bases could not be read whole.", len(rest)).WithHint(hint + ".")
	return append(slices.Clip(h.gaps[:unfinishedGaps]), Incomplete{Vendor: h.v.name, Error: ReportOf(h.v.wrap("find_unfinished_documents", e))})
}

// knowledgeBases lists all of them.
func (h *hunt) knowledgeBases(ctx context.Context) ([]KnowledgeBase, error) {
	lister, err := capability[KnowledgeBaseLister](h.v, "list_knowledge_bases")
	if err != nil {
		return nil, err
	}
	w := walker[KnowledgeBase]{
		key: func(k KnowledgeBase) (string, time.Time) { return k.KnowledgeBaseID, k.CreatedAt },
		fetch: func(ctx context.Context, page int, token string, size int) (Page[KnowledgeBase], error) {
			return lister.ListKnowledgeBases(ctx, PageQuery{Page: page, Token: token, Size: size})
		},
	}
	var all []KnowledgeBase
	visit := func(r row[KnowledgeBase]) bool { all = append(all, *r.item); return false }
	next, _, err := w.walk(ctx, start(0, scanSize), time.Until(h.until), visit, func(int) bool { return false })
	if err == nil && next != nil {
		err = Errorf(Timeout, "Not every knowledge base could be listed in time.").
			WithHint("Ask for one connection, or for one knowledge base, at a time.")
	}
	return all, err
}

// search looks through one knowledge base.
func (h *hunt) search(ctx context.Context, kb KnowledgeBase) {
	if kb.DocumentCount != nil && *kb.DocumentCount == 0 || kb.Pending != nil && *kb.Pending == 0 {
		return
	}
	many := kb.DocumentCount == nil || *kb.DocumentCount > fewRows
	if kb.Pending != nil && *kb.Pending == len(kb.Busy) && many { // none failed: the others are completed
		if err := h.read(ctx, kb.KnowledgeBaseID, kb.Busy); err != nil {
			h.gap(kb.KnowledgeBaseID, err)
		}
		return
	}
	if c, ok := h.v.driver.(Counter); ok && many {
		counts, err := c.Counts(ctx, kb.KnowledgeBaseID)
		if err == nil && counts.Total > 0 && counts.Completed == counts.Total {
			h.allCompleted(counts.Total)
			return
		}
	}
	filters := []Status{""}
	if f, ok := h.v.driver.(UnfinishedFilter); ok && many {
		filters = f.UnfinishedFilters()
	}
	for i := range filters {
		whole, err := h.walk(ctx, kb.KnowledgeBaseID, filters[i:])
		if err != nil {
			h.gap(kb.KnowledgeBaseID, err)
		}
		if whole || err != nil {
			return
		}
	}
}

// read asks for documents that the platform names itself.
func (h *hunt) read(ctx context.Context, kb string, ids []string) error {
	rep, err := h.v.gather.progress(ctx, kb, ids)
	for _, d := range rep.Documents {
		h.add(d, kb)
	}
	return err
}

// refine adds what only the platform's progress call says: why a document
// failed, and how far others are. Without the time for it the rows stand.
func (h *hunt) refine(ctx context.Context, kb string, ids []string) error {
	rep, err := h.v.gather.progress(ctx, kb, ids)
	if err != nil && !short(err) {
		return err
	}
	newer := make(map[string]Document, len(rep.Documents))
	for _, d := range rep.Documents {
		d.settle(h.v.name, kb)
		newer[d.DocumentID] = d
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for i := range h.docs {
		old := &h.docs[i]
		if d, ok := newer[old.DocumentID]; ok && old.KnowledgeBaseID == kb && d.Status == old.Status {
			old.ProgressPercent, old.Error = d.ProgressPercent, d.Error
		}
	}
	return nil
}

// walk reads the rows of one knowledge base, all or those of the first of
// statuses; the others are still to come. whole says that all came: an older
// server ignored the filter.
func (h *hunt) walk(ctx context.Context, kb string, statuses []Status) (whole bool, err error) {
	status := statuses[0]
	w := walker[Document]{key: documentKey, fetch: func(ctx context.Context, page int, token string, size int) (Page[Document], error) {
		return h.v.reads.ListDocuments(ctx, PageQuery{KnowledgeBaseID: kb, Status: status, Page: page, Token: token, Size: size})
	}}
	full, open := false, false
	var mine []string
	visit := func(r row[Document]) bool {
		if s := r.item.Status; s == Failed || !s.Settled() {
			mine = append(mine, r.item.DocumentID)
		}
		whole, open = whole || r.item.Status == Completed, open || !r.item.Status.Settled()
		full = !h.add(*r.item, kb)
		return full
	}
	// The position continues a whole-knowledge-base progress call.
	from := start(h.v.hash("get_ingestion_progress", ListQuery{KnowledgeBaseID: kb}), scanSize)
	next, page, err := w.walk(ctx, from, time.Until(h.until), visit, func(int) bool { return false })
	if err == nil && page.Thin && len(mine) > 0 {
		err = h.refine(ctx, kb, mine)
	}
	switch {
	case err != nil:
		return whole, err
	case full:
		return whole, Errorf(Timeout, "More than %d documents of this connection are not completed; the rest was not looked at.", unfinishedKeep).
			WithHint("Mend these first, or read the knowledge base with get_ingestion_progress.")
	case next == nil:
		return whole, nil
	}
	next.Open = open
	e := Errorf(Timeout, "Only the first part of this knowledge base could be read within the time and the rate limit.")
	if status != "" {
		return whole, e.WithHint("Ask for this knowledge base alone, or list_documents with status " + words(statuses, " and then ") + ".")
	}
	return whole, e.WithHint(fmt.Sprintf("get_ingestion_progress with this knowledge_base_id and cursor %q goes on where this stopped.", next.cursor()))
}

// words joins statuses.
func words(list []Status, between string) string {
	texts := make([]string, len(list))
	for i, s := range list {
		texts[i] = string(s)
	}
	return strings.Join(texts, between)
}

// add counts a row and keeps it when it is not completed; false when it cannot.
func (h *hunt) add(d Document, kb string) bool {
	p := h.v.view(&d, kb)
	d.Stalled = p.Stalled
	h.mu.Lock()
	defer h.mu.Unlock()
	if d.Status != Completed {
		key := watchKey(kb, d.DocumentID)
		if h.seen[key] {
			return true // it moved from one listing to another meanwhile
		}
		if len(h.docs) == unfinishedKeep {
			return false
		}
		h.seen[key] = true
		h.docs = append(h.docs, d)
	}
	h.tally.add(&p)
	return true
}

// allCompleted counts documents that need not be read.
func (h *hunt) allCompleted(n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.tally.addCompleted(n)
}

// gap notes what could not be seen.
func (h *hunt) gap(kb string, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.gaps = append(h.gaps, Incomplete{
		Vendor: h.v.name, KnowledgeBaseID: kb, Error: ReportOf(h.v.wrap("find_unfinished_documents", err)),
	})
}
