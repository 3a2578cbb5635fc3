package volcengine

import (
	"context"
	"errors"
	"slices"

	"kb-mcp/vendors"
	"kb-mcp/vendors/rest"
)

// maxBatch is how many documents doc/list gives in one answer.
const maxBatch = 100

// Batch implements [vendors.Batcher].
func (d *Driver) Batch() int { return maxBatch }

// Progress implements [vendors.Driver]. Many documents come from doc/list with
// a filter, 100 a request; one alone from doc/info, which tells an unknown one
// for sure. The platform gives no stage, percentage or chunk counts.
func (d *Driver) Progress(ctx context.Context, q vendors.ProgressQuery) (vendors.Report, error) {
	rep := vendors.Report{}
	if q.BatchID != "" {
		return rep, vendors.Errorf(vendors.Unsupported, "Volcengine has no upload batches.").
			WithHint("Pass `document_ids` instead of `batch_id`, or neither for the whole knowledge base.")
	}
	filters := len(q.DocumentIDs) > 1
	for batch := range slices.Chunk(q.DocumentIDs, maxBatch) {
		left := batch
		if filters {
			var err error
			if left, err = d.filtered(ctx, q.KnowledgeBaseID, batch, &rep); err != nil {
				return rep, err
			}
			filters = len(left) == 0
		}
		if err := d.oneByOne(ctx, q.KnowledgeBaseID, left, &rep); err != nil {
			return rep, err
		}
	}
	return rep, nil
}

// filtered reports a batch by one filtered request. Documents that it does not
// show are missing, unless it shows some that nobody asked for: then the server
// ignores the filter, and left are the ids that were not seen by chance. The
// answer's total counts the whole knowledge base and is not looked at.
func (d *Driver) filtered(ctx context.Context, kb string, ids []string, rep *vendors.Report) (left []string, err error) {
	body := listBody{target: d.baseOf(kb), Limit: maxBatch, Filter: &filter{IDs: ids}}
	data, err := read[documentList](ctx, d, "doc/list", body)
	if err != nil {
		return nil, err
	}
	left = slices.Clone(ids)
	stray, blind := false, false
	for _, w := range data.Documents {
		id := string(w.ID)
		switch i := slices.Index(left, id); {
		case i >= 0:
			left = slices.Delete(left, i, i+1)
			rep.Documents = append(rep.Documents, w.normal())
		case id == "":
			blind = true
		case !slices.Contains(ids, id):
			stray = true
		}
	}
	switch {
	case stray:
		return left, nil
	case blind && len(left) > 0:
		return nil, rest.NoID()
	}
	rep.Missing = append(rep.Missing, left...)
	return nil, nil
}

// oneByOne reports each document by a request of its own.
func (d *Driver) oneByOne(ctx context.Context, kb string, ids []string, rep *vendors.Report) error {
	for _, id := range ids {
		doc, err := d.GetDocument(ctx, vendors.Ref{KnowledgeBaseID: kb, DocumentID: id})
		switch {
		case err == nil:
			rep.Documents = append(rep.Documents, doc)
		case errors.Is(err, errNoDocument):
			rep.Missing = append(rep.Missing, id)
		default:
			return err
		}
	}
	return nil
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
