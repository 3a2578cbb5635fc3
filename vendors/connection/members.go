package connection

import (
	"context"

	"kb-mcp/vendors"
	"kb-mcp/vendors/recent"
)

// prover is a driver that answers only for documents in the knowledge base that
// the caller names.
type prover struct {
	vendors.Driver
	known *known
}

// proved returns the driver, or its prover if it needs one.
func proved(d vendors.Driver) vendors.Driver {
	_, finds := d.(vendors.MemberFinder)
	_, checks := d.(vendors.KnowledgeBaseChecker)
	if !finds && !checks {
		return d
	}
	return prover{d, &known{
		bases:   recent.New[struct{}](recent.Size, recent.Age),
		members: recent.New[struct{}](2*recent.Size, recent.Age),
	}}
}

// known is what the platform has shown lately: knowledge bases, and which
// documents they hold.
type known struct{ bases, members *recent.Map[struct{}] }

// Batch implements [vendors.Batcher] as the driver does.
func (p prover) Batch() int {
	if b, ok := p.Driver.(vendors.Batcher); ok {
		return b.Batch()
	}
	return 0
}

// ListDocuments remembers what it shows. An empty first page is accepted only
// from a knowledge base that exists.
func (p prover) ListDocuments(ctx context.Context, q vendors.PageQuery) (vendors.Page[vendors.Document], error) {
	page, err := p.Driver.ListDocuments(ctx, q)
	if err != nil {
		return page, err
	}
	if len(page.Items) == 0 && q.Page <= 1 && q.Token == "" && (page.Total == nil || *page.Total == 0) {
		return page, p.check(ctx, q.KnowledgeBaseID)
	}
	p.learn(q.KnowledgeBaseID, page.Items)
	return page, nil
}

// GetDocument remembers what it shows.
func (p prover) GetDocument(ctx context.Context, ref vendors.Ref) (vendors.Document, error) {
	d, err := p.Driver.GetDocument(ctx, ref)
	if err == nil {
		p.learn(ref.KnowledgeBaseID, []vendors.Document{d})
	}
	return d, err
}

// Progress asks only for documents of the knowledge base.
func (p prover) Progress(ctx context.Context, q vendors.ProgressQuery) (vendors.Report, error) {
	inside, foreign, err := p.divide(ctx, q)
	if err != nil {
		return vendors.Report{}, err
	}
	rep := vendors.Report{}
	if q.BatchID != "" || len(inside) > 0 {
		rep, err = p.Driver.Progress(ctx, vendors.ProgressQuery{KnowledgeBaseID: q.KnowledgeBaseID, DocumentIDs: inside, BatchID: q.BatchID})
	}
	rep.Missing = append(rep.Missing, foreign...)
	switch {
	case len(rep.Documents) > 0:
		p.known.bases.Put(q.KnowledgeBaseID, struct{}{})
	case err == nil:
		err = p.check(ctx, q.KnowledgeBaseID)
	}
	return rep, err
}

// divide separates the documents of the knowledge base from others.
func (p prover) divide(ctx context.Context, q vendors.ProgressQuery) (inside, foreign []string, err error) {
	finder, ok := p.Driver.(vendors.MemberFinder)
	if !ok {
		return q.DocumentIDs, nil, nil
	}
	var open []string
	for _, id := range q.DocumentIDs {
		if !p.known.members.Has(watchKey(q.KnowledgeBaseID, id)) {
			open = append(open, id)
		}
	}
	if len(open) > 0 {
		rows, err := finder.Members(ctx, q.KnowledgeBaseID, open)
		if err != nil {
			return nil, nil, err
		}
		p.learn(q.KnowledgeBaseID, rows)
	}
	for _, id := range q.DocumentIDs {
		if p.known.members.Has(watchKey(q.KnowledgeBaseID, id)) {
			inside = append(inside, id)
		} else {
			foreign = append(foreign, id)
		}
	}
	return inside, foreign, nil
}

// learn remembers what a knowledge base holds.
func (p prover) learn(kb string, rows []vendors.Document) {
	if len(rows) == 0 {
		return
	}
	p.known.bases.Put(kb, struct{}{})
	if _, ok := p.Driver.(vendors.MemberFinder); ok {
		for _, d := range rows {
			p.known.members.Put(watchKey(kb, d.DocumentID), struct{}{})
		}
	}
}

// learn remembers a document that was added.
func (c *Connection) learn(kb string, d vendors.Document) {
	if p, ok := c.reads.(prover); ok {
		p.learn(kb, []vendors.Document{d})
	}
}

// forgetBase forgets a knowledge base that may be gone.
func (c *Connection) forgetBase(kb string) {
	if p, ok := c.reads.(prover); ok {
		p.known.bases.Forget(kb)
	}
}

// check refuses a knowledge base that does not exist.
func (p prover) check(ctx context.Context, kb string) error {
	checker, ok := p.Driver.(vendors.KnowledgeBaseChecker)
	if !ok || p.known.bases.Has(kb) {
		return nil
	}
	err := checker.CheckKnowledgeBase(ctx, kb)
	if err == nil {
		p.known.bases.Put(kb, struct{}{})
	}
	return err
}
