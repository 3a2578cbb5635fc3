package vendors

import "context"

// MemberFinder is a driver whose platform tells the progress of a document
// whatever knowledge base it is asked under. Members gives the rows of those of
// ids that are in the knowledge base, in any order; an unknown knowledge base is
// [ErrNotFound] where the platform tells it from an empty one. Nobody hears of
// the others' progress under a wrong id. It is asked once for documents that no
// listing has shown lately.
type MemberFinder interface {
	Members(ctx context.Context, knowledgeBaseID string, ids []string) ([]Document, error)
}

// KnowledgeBaseChecker is a driver whose platform answers for an unknown
// knowledge base as for an empty one. CheckKnowledgeBase settles, by one cheap
// request, which it is; nil where it is there, and where nobody can tell. It is
// asked when an answer is empty.
type KnowledgeBaseChecker interface {
	CheckKnowledgeBase(ctx context.Context, id string) error
}

// prover is a driver that answers only for what is in the knowledge base that it
// is asked about.
type prover struct {
	Driver
	known *known
}

// proved is the driver, or its [prover] where it needs one.
func proved(d Driver) Driver {
	_, finds := d.(MemberFinder)
	_, checks := d.(KnowledgeBaseChecker)
	if !finds && !checks {
		return d
	}
	return prover{d, &known{}}
}

// known is what the platform has shown lately: knowledge bases, and which
// documents they hold.
type known struct{ bases, members recent[struct{}] }

// Batch implements [Batcher] as the driver does.
func (p prover) Batch() int {
	if b, ok := p.Driver.(Batcher); ok {
		return b.Batch()
	}
	return 0
}

// ListDocuments remembers what it shows. An empty first page is believed only of
// a knowledge base that is there.
func (p prover) ListDocuments(ctx context.Context, q PageQuery) (Page[Document], error) {
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
func (p prover) GetDocument(ctx context.Context, ref Ref) (Document, error) {
	d, err := p.Driver.GetDocument(ctx, ref)
	if err == nil {
		p.learn(ref.KnowledgeBaseID, []Document{d})
	}
	return d, err
}

// Progress asks only for documents of the knowledge base.
func (p prover) Progress(ctx context.Context, q ProgressQuery) (Report, error) {
	inside, foreign, err := p.divide(ctx, q)
	if err != nil {
		return Report{}, err
	}
	rep := Report{}
	if q.BatchID != "" || len(inside) > 0 {
		rep, err = p.Driver.Progress(ctx, ProgressQuery{KnowledgeBaseID: q.KnowledgeBaseID, DocumentIDs: inside, BatchID: q.BatchID})
	}
	rep.Missing = append(rep.Missing, foreign...)
	switch {
	case len(rep.Documents) > 0:
		p.known.bases.put(q.KnowledgeBaseID, struct{}{})
	case err == nil:
		err = p.check(ctx, q.KnowledgeBaseID)
	}
	return rep, err
}

// divide tells the documents of the knowledge base from others.
func (p prover) divide(ctx context.Context, q ProgressQuery) (inside, foreign []string, err error) {
	finder, ok := p.Driver.(MemberFinder)
	if !ok {
		return q.DocumentIDs, nil, nil
	}
	var open []string
	for _, id := range q.DocumentIDs {
		if !p.known.members.has(watchKey(q.KnowledgeBaseID, id)) {
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
		if p.known.members.has(watchKey(q.KnowledgeBaseID, id)) {
			inside = append(inside, id)
		} else {
			foreign = append(foreign, id)
		}
	}
	return inside, foreign, nil
}

// learn remembers what a knowledge base holds.
func (p prover) learn(kb string, rows []Document) {
	if len(rows) == 0 {
		return
	}
	p.known.bases.put(kb, struct{}{})
	if _, ok := p.Driver.(MemberFinder); ok {
		for _, d := range rows {
			p.known.members.put(watchKey(kb, d.DocumentID), struct{}{})
		}
	}
}

// learn remembers a document that was added.
func (v *Vendor) learn(kb string, d Document) {
	if p, ok := v.reads.(prover); ok {
		p.learn(kb, []Document{d})
	}
}

// forgetBase forgets a knowledge base that may be gone.
func (v *Vendor) forgetBase(kb string) {
	if p, ok := v.reads.(prover); ok {
		p.known.bases.forget(kb)
	}
}

// check refuses a knowledge base that is not there.
func (p prover) check(ctx context.Context, kb string) error {
	checker, ok := p.Driver.(KnowledgeBaseChecker)
	if !ok || p.known.bases.has(kb) {
		return nil
	}
	err := checker.CheckKnowledgeBase(ctx, kb)
	if err == nil {
		p.known.bases.put(kb, struct{}{})
	}
	return err
}
