package volcengine

import (
	"context"
	"errors"
	"slices"
	"time"

	"kb-mcp/vendors"
	"kb-mcp/vendors/internal/idsearch"
)

// maxBatch is how many documents doc/list gives in one answer.
const maxBatch = 100

// Batch implements [vendors.Batcher].
func (d *Driver) Batch() int { return maxBatch }

// Progress implements [vendors.Driver]. Many documents come from doc/list with
// a filter, 100 a request; a single one from doc/info, which reports an unknown
// id reliably. The platform gives no stage, percentage or chunk counts.
func (d *Driver) Progress(ctx context.Context, q vendors.ProgressQuery) (vendors.Report, error) {
	if q.BatchID != "" {
		return vendors.Report{}, vendors.Errorf(vendors.Unsupported, "Volcengine has no upload batches.").
			WithHint("Pass `document_ids` instead of `batch_id`, or neither for the whole knowledge base.")
	}
	found := idsearch.New(q.DocumentIDs, nil)
	filters := len(q.DocumentIDs) > 1
	for batch := range slices.Chunk(q.DocumentIDs, maxBatch) {
		if !filters {
			break
		}
		body := listBody{target: d.baseOf(q.KnowledgeBaseID), Limit: maxBatch, Filter: &filter{IDs: batch}}
		data, err := read[documentList](ctx, d, "doc/list", body)
		if err != nil {
			return found.Report(err)
		}
		for _, w := range data.Documents {
			found.Add(w.normal())
			if w.ID != "" && !slices.Contains(batch, string(w.ID)) {
				filters = false // the server ignores the filter; its total counts everything in any case
			}
		}
	}
	if filters {
		return found.Report(nil)
	}
	return found.Report(found.Each(
		func(id string) (vendors.Document, error) {
			return d.GetDocument(ctx, vendors.Ref{KnowledgeBaseID: q.KnowledgeBaseID, DocumentID: id})
		},
		func(err error) bool { return errors.Is(err, errNoDocument) }))
}

// Counts implements [vendors.Counter] with the pipeline's counters. None are
// given where the answer lacks one, or where the credential may not read them:
// reading the documents does without.
func (d *Driver) Counts(ctx context.Context, knowledgeBaseID string) (vendors.Counts, error) {
	c, err := d.collection(ctx, knowledgeBaseID)
	if vendors.KindOf(err) == vendors.PermissionDenied {
		return vendors.Counts{}, nil
	}
	if err != nil {
		return vendors.Counts{}, err
	}
	stat := c.first().Stat
	if !stat.Docs.Valid || !stat.Finished.Valid || !stat.Succeeded.Valid {
		return vendors.Counts{}, nil
	}
	return vendors.Counts{
		Total: int(stat.Docs.Int), Finished: int(stat.Finished.Int), Completed: int(stat.Succeeded.Int),
	}, nil
}

// StallRule implements [vendors.Staller]. There is no percentage and no time of
// movement (update_time also moves on a rename); failures show within seconds,
// while media take long.
func (d *Driver) StallRule() vendors.StallRule {
	return vendors.StallRule{
		Threshold: time.Hour,
		NextStep:  "look at the document in the Volcengine console; if the cause is not clear, give its id to Volcengine's support.",
	}
}
