package connection

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"kb-mcp/vendors"
	"kb-mcp/vendors/internal/paging"
	"kb-mcp/vendors/rank"
	"kb-mcp/vendors/tally"
)

// Bounds of a search for unfinished documents on one connection.
const (
	unfinishedTime   = 42 * time.Second // leaves time for the answer
	unfinishedKeep   = 1000             // documents; agents look at the worst first
	unfinishedAtOnce = 4                // knowledge bases
	fewRows          = 200              // up to here reading all rows beats filtering by status
)

// Unfinished is what a connection has that is not completed.
type Unfinished struct {
	Documents      []vendors.Document // worst first
	KnowledgeBases []UnfinishedBase   // those of the documents, that of the worst first
	Summary        tally.Summary      // of everything looked at
	Incomplete     []Incomplete
}

// UnfinishedBase is a knowledge base with documents that are not completed.
// ByStatus counts all of its documents that were looked at.
type UnfinishedBase struct {
	Vendor          string                 `json:"vendor"`
	KnowledgeBaseID string                 `json:"knowledge_base_id"`
	Name            string                 `json:"name,omitempty"` // "" where no list shows it
	ByStatus        map[vendors.Status]int `json:"by_status"`
}

// unfinishedSearch collects documents over the knowledge bases of a connection.
type unfinishedSearch struct {
	c         *Connection
	until     time.Time
	mu        sync.Mutex
	completed map[string]int    // documents, by knowledge base
	names     map[string]string // of knowledge bases
	docs      []unfinishedRow
	seen      map[string]bool // knowledge base and document id of docs
	gaps      []Incomplete
}

// unfinishedRow is a document that is not completed, and its ingestion.
type unfinishedRow struct {
	vendors.Document
	progress Progress
}

// Unfinished finds the documents that are not completed, in one knowledge base
// or in all of them, by the cheapest reliable source of the platform. What it
// could not read is named in Incomplete; only an invalid kb is an error.
func (c *Connection) Unfinished(ctx context.Context, kb string) (Unfinished, error) {
	s := &unfinishedSearch{c: c, until: time.Now().Add(unfinishedTime), completed: map[string]int{}, names: map[string]string{}, seen: map[string]bool{}}
	ctx, cancel := context.WithDeadline(ctx, s.until)
	defer cancel()
	kbs := []vendors.KnowledgeBase{{KnowledgeBaseID: kb}}
	if err := c.breaker.Check(tool(ctx)); err != nil {
		s.gap(ctx, kb, err)
		kbs = nil
	} else if kb == "" {
		if kbs, err = s.knowledgeBases(ctx); err != nil {
			s.gap(ctx, "", err)
		}
	} else if err = c.checkID("knowledge_base_id", kb); err != nil {
		return Unfinished{}, c.wrap(ctx, err)
	} else if err = c.resolve(ctx, &kbs[0].KnowledgeBaseID); err != nil {
		s.gap(ctx, kb, err)
		kbs = nil
	}
	places := make(chan struct{}, unfinishedAtOnce)
	var wg sync.WaitGroup
	for _, k := range kbs {
		places <- struct{}{}
		wg.Go(func() {
			defer func() { <-places }()
			if err := Recovered(func() error { return s.search(ctx, k) }); err != nil {
				s.gap(ctx, k.KnowledgeBaseID, err)
			}
		})
	}
	wg.Wait()
	for _, d := range s.docs[:min(len(s.docs), 1)] {
		if kb != "" { // a list of all would have told its name
			s.names[d.KnowledgeBaseID] = c.BaseName(ctx, d.KnowledgeBaseID)
		}
	}
	return s.result(), nil
}

// result is what was found, worst first.
func (s *unfinishedSearch) result() Unfinished {
	var t tally.Tally
	for _, n := range s.completed {
		t.AddCompleted(n)
	}
	u := Unfinished{}
	bases := map[string]map[vendors.Status]int{}
	for _, d := range s.docs {
		t.Add(d.progress.Status, d.progress.ProgressPercent, d.progress.ETASeconds)
		if d.Status.IsCompleted() { // in the meantime
			s.completed[d.KnowledgeBaseID]++
			continue
		}
		u.Documents = append(u.Documents, d.Document)
		if bases[d.KnowledgeBaseID] == nil {
			bases[d.KnowledgeBaseID] = map[vendors.Status]int{}
		}
		bases[d.KnowledgeBaseID][d.Status]++
	}
	slices.SortFunc(u.Documents, rank.WorstFirst)
	for _, d := range u.Documents {
		id, by := d.KnowledgeBaseID, bases[d.KnowledgeBaseID]
		if by == nil {
			continue // named already
		}
		delete(bases, id)
		if n := s.completed[id]; n > 0 {
			by[vendors.Completed] = n
		}
		u.KnowledgeBases = append(u.KnowledgeBases, UnfinishedBase{s.c.name, id, s.names[id], by})
	}
	u.Summary, u.Incomplete = t.Summary(), s.c.fewGaps(s.gaps)
	return u
}

// knowledgeBases lists all of them.
func (s *unfinishedSearch) knowledgeBases(ctx context.Context) ([]vendors.KnowledgeBase, error) {
	all, short, err := s.c.everyBase(ctx, s.until)
	for _, k := range all {
		s.names[k.KnowledgeBaseID] = k.Name
	}
	if err == nil && short != nil {
		err = short.WithHint("Ask for one connection, or for one knowledge base, at a time.")
	}
	return all, err
}

// search looks through one knowledge base.
func (s *unfinishedSearch) search(ctx context.Context, kb vendors.KnowledgeBase) error {
	if kb.DocumentCount != nil && *kb.DocumentCount == 0 || kb.Pending != nil && *kb.Pending == 0 {
		return nil
	}
	many := kb.DocumentCount == nil || *kb.DocumentCount > fewRows
	if kb.Pending != nil && *kb.Pending == len(kb.Busy) && many { // none failed: the others are completed
		return s.read(ctx, kb.KnowledgeBaseID, kb.Busy)
	}
	if total, ok := 0, false; many {
		if total, ok = s.c.allCompleted(ctx, kb.KnowledgeBaseID); ok {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.completed[kb.KnowledgeBaseID] += total
			return nil
		}
	}
	filters := []vendors.Status{""}
	if f, ok := s.c.driver.(vendors.UnfinishedFilter); ok && many {
		filters = f.UnfinishedFilters()
	}
	for i := range filters {
		if whole, err := s.walk(ctx, kb.KnowledgeBaseID, filters[i:]); whole || err != nil {
			return err
		}
	}
	return nil
}

// read reads documents that the platform names itself.
func (s *unfinishedSearch) read(ctx context.Context, kb string, ids []string) error {
	rep, err := s.c.gather.Progress(ctx, kb, ids)
	for _, d := range rep.Documents {
		s.add(d, kb)
	}
	return err
}

// refine takes over what the platform's progress call says, which is newer than
// the rows: why a document failed, how far others are, and their status.
// Without time for it the rows stay as they are.
func (s *unfinishedSearch) refine(ctx context.Context, kb string, ids []string) error {
	rep, err := s.c.gather.Progress(ctx, kb, ids)
	if err != nil && !vendors.OutOfTime(err) {
		return err
	}
	newer := make(map[string]vendors.Document, len(rep.Documents))
	for _, d := range rep.Documents {
		newer[d.DocumentID] = d
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.docs {
		old := &s.docs[i]
		d, ok := newer[old.DocumentID]
		if !ok || old.KnowledgeBaseID != kb {
			continue
		}
		old.progress = s.c.view(&d, kb)
		old.Status, old.VendorStatus, old.ProgressPercent, old.Error = d.Status, d.VendorStatus, d.ProgressPercent, d.Error
		old.Stalled = old.progress.Stalled
	}
	return nil
}

// walk reads the rows of one knowledge base, all or those of the first of
// statuses; the others are still to come. whole says that all came: an older
// server ignored the filter.
func (s *unfinishedSearch) walk(ctx context.Context, kb string, statuses []vendors.Status) (whole bool, err error) {
	status := statuses[0]
	full, open := false, false
	var mine []string
	visit := func(r paging.Row[vendors.Document]) bool {
		if status := r.Item.Status; status.IsFailed() || !status.Settled() {
			mine = append(mine, r.Item.DocumentID)
		}
		whole, open = whole || r.Item.Status.IsCompleted(), open || !r.Item.Status.Settled()
		full = !s.add(*r.Item, kb)
		return full
	}
	// The position continues a whole-knowledge-base progress call.
	from := paging.Start(s.c.hash("progress", ListQuery{KnowledgeBaseID: kb}), paging.ScanSize)
	w := s.c.documents(vendors.PageQuery{KnowledgeBaseID: kb, Status: status})
	e, err := w.Walk(ctx, from, time.Until(s.until), visit, func(int) bool { return false })
	if err == nil && e.Page.Thin && len(mine) > 0 {
		err = s.refine(ctx, kb, mine)
	}
	switch {
	case err != nil:
		return whole, err
	case full:
		return whole, vendors.Errorf(vendors.Unsupported, "More than %d documents of this connection are not completed; the rest was not looked at.", unfinishedKeep).
			WithHint("Mend these first, or read the knowledge base with get_ingestion_progress.")
	case e.Next == nil && e.Lost == 0:
		return whole, nil
	}
	failure := stopped(e.Why, e.Err, e.Lost, "documents of this knowledge base")
	if status != "" {
		return whole, failure.WithHint("Ask for this knowledge base alone, or list_documents with status " + words(statuses, " and then ") + ".")
	}
	if e.Next == nil {
		return whole, failure.WithHint("Ask for this knowledge base again.")
	}
	e.Next.Open = open
	return whole, failure.WithHint(fmt.Sprintf("get_ingestion_progress with this knowledge_base_id and cursor %q continues where this stopped.", e.Next.Cursor()))
}

// words joins statuses.
func words(list []vendors.Status, between string) string {
	texts := make([]string, len(list))
	for i, s := range list {
		texts[i] = string(s)
	}
	return strings.Join(texts, between)
}

// add counts a row and keeps it when it is not completed; false when it cannot.
func (s *unfinishedSearch) add(d vendors.Document, kb string) bool {
	p := s.c.view(&d, kb)
	d.Stalled = p.Stalled
	s.mu.Lock()
	defer s.mu.Unlock()
	if d.Status.IsCompleted() {
		s.completed[kb]++
		return true
	}
	key := kb + "\x00" + d.DocumentID
	if s.seen[key] {
		return true // it moved from one listing to another in the meantime
	}
	if len(s.docs) == unfinishedKeep {
		return false
	}
	s.seen[key] = true
	s.docs = append(s.docs, unfinishedRow{d, p})
	return true
}

// gap notes what could not be read.
func (s *unfinishedSearch) gap(ctx context.Context, kb string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gaps = append(s.gaps, s.c.incomplete(ctx, kb, err))
}
