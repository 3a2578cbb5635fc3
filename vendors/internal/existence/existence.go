// Package existence tells a knowledge base that is empty from one that does not
// exist, on platforms that answer for both alike.
package existence

import (
	"context"

	"kb-mcp/vendors"
	"kb-mcp/vendors/recent"
)

// existing is a driver whose empty answers are true only of a knowledge base that
// exists.
type existing struct {
	vendors.Driver
	checker vendors.KnowledgeBaseChecker
	bases   *recent.Map[struct{}] // that the platform has shown lately
}

// Checked returns the driver, or its existing if it can check.
func Checked(d vendors.Driver) vendors.Driver {
	checker, ok := d.(vendors.KnowledgeBaseChecker)
	if !ok {
		return d
	}
	return existing{d, checker, recent.New[struct{}](recent.Size, recent.Age)}
}

// Batch implements [vendors.Batcher] as the driver does.
func (e existing) Batch() int {
	if b, ok := e.Driver.(vendors.Batcher); ok {
		return b.Batch()
	}
	return 0
}

// ListDocuments remembers what it shows. An empty first page is accepted only
// from a knowledge base that exists.
func (e existing) ListDocuments(ctx context.Context, q vendors.PageQuery) (vendors.Page[vendors.Document], error) {
	page, err := e.Driver.ListDocuments(ctx, q)
	if err != nil {
		return page, err
	}
	if len(page.Items) == 0 && q.Page <= 1 && q.Token == "" && (page.Total == nil || *page.Total == 0) {
		return page, e.check(ctx, q.KnowledgeBaseID)
	}
	if len(page.Items) > 0 {
		e.learn(q.KnowledgeBaseID)
	}
	return page, nil
}

// GetDocument remembers what it shows.
func (e existing) GetDocument(ctx context.Context, ref vendors.Ref) (vendors.Document, error) {
	d, err := e.Driver.GetDocument(ctx, ref)
	if err == nil {
		e.learn(ref.KnowledgeBaseID)
	}
	return d, err
}

// Progress that tells of no document is accepted only from a knowledge base that
// exists.
func (e existing) Progress(ctx context.Context, q vendors.ProgressQuery) (vendors.Report, error) {
	rep, err := e.Driver.Progress(ctx, q)
	if len(rep.Documents) > 0 {
		e.learn(q.KnowledgeBaseID)
	} else if err == nil {
		err = e.check(ctx, q.KnowledgeBaseID)
	}
	return rep, err
}

// learn remembers that a knowledge base exists.
func (e existing) learn(kb string) { e.bases.Put(kb, struct{}{}) }

// Learn notes that a knowledge base exists.
func Learn(d vendors.Driver, kb string) {
	if e, ok := d.(existing); ok {
		e.learn(kb)
	}
}

// Forget forgets a knowledge base that may be gone.
func Forget(d vendors.Driver, kb string) {
	if e, ok := d.(existing); ok {
		e.bases.Forget(kb)
	}
}

// check refuses a knowledge base that does not exist.
func (e existing) check(ctx context.Context, kb string) error {
	if e.bases.Has(kb) {
		return nil
	}
	err := e.checker.CheckKnowledgeBase(ctx, kb)
	if err == nil {
		e.learn(kb)
	}
	return err
}
