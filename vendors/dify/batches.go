package dify

import (
	"context"
	"errors"
	"strings"
	"sync"

	"kb-mcp/vendors"
)

// maxBatches is how many uploads are remembered.
const maxBatches = 2048

// batches remembers the batch of what this process uploaded, because only the
// status of a batch has chunk counts and times, and no call tells the batch of a
// document. It is safe for concurrent use.
type batches struct {
	mu    sync.Mutex
	of    map[string]batch // by document id in lower case
	order []string         // oldest first
}

// batch is one upload.
type batch struct{ id, name string }

func newBatches() *batches { return &batches{of: map[string]batch{}} }

func (b *batches) keep(document string, s batch) {
	if s.id == "" {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	key := strings.ToLower(document)
	if _, known := b.of[key]; !known {
		b.order = append(b.order, key)
	}
	b.of[key] = s
	if len(b.order) > maxBatches {
		delete(b.of, b.order[0])
		b.order = b.order[1:]
	}
}

func (b *batches) recall(document string) (batch, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s, ok := b.of[strings.ToLower(document)]
	return s, ok && s.id != ""
}

// forget drops a batch that the document is no longer of. Its place in the
// order stays until it is the oldest.
func (b *batches) forget(document string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if key := strings.ToLower(document); b.of[key].id != "" {
		b.of[key] = batch{}
	}
}

// one reads the progress of a document, by its batch where that is known: a
// document that was uploaded again elsewhere is of another batch since.
func (d *Driver) one(ctx context.Context, kb, id string) (vendors.Document, error) {
	s, ok := d.batches.recall(id)
	if !ok {
		return d.detail(ctx, kb, id)
	}
	rep, err := d.batch(ctx, kb, s.id)
	for _, doc := range rep.Documents {
		if strings.EqualFold(doc.DocumentID, id) {
			doc.Name = s.name
			return doc, nil
		}
	}
	if err != nil && !errors.Is(err, errNoDocument) {
		return vendors.Document{}, err
	}
	d.batches.forget(id)
	return d.detail(ctx, kb, id)
}
