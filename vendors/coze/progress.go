package coze

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"time"

	"kb-mcp/vendors"
	"kb-mcp/vendors/rest"
)

// Bounds of one Progress call. No maximum of ids is published for process; 100
// is the documented one of its sibling delete.
const (
	chunkSize  = 100
	extraTries = 16 // requests to find the documents for which chunks were refused
	hopeless   = 7  // refusals without a success: of a chunk, its halves and theirs
)

// Batch implements [vendors.Batcher]. On studio one request more tells of all
// that are not completed, however many there are, so that all go together.
func (d *Driver) Batch() int {
	if d.speech.is() == hosted {
		return chunkSize
	}
	return 0
}

// Progress implements [vendors.Driver]. A document that the credential may not
// see can make Coze refuse all that are asked for with it: such a chunk is
// halved until the refused ones are alone, and they count as missing.
func (d *Driver) Progress(ctx context.Context, q vendors.ProgressQuery) (vendors.Report, error) {
	if q.BatchID != "" {
		return vendors.Report{}, vendors.Errorf(vendors.Unsupported, "Coze has no upload batches.").
			WithHint("Pass `document_ids`, or neither for the whole knowledge base.")
	}
	err := checkIDs("knowledge_base_id", q.KnowledgeBaseID)
	if err == nil {
		err = checkIDs("document_ids", q.DocumentIDs...)
	}
	if err != nil {
		return vendors.Report{}, err
	}
	if err := d.decide(ctx, q.KnowledgeBaseID); err != nil {
		return vendors.Report{}, err
	}
	if d.speech.isStudio() {
		return d.studioProgress(ctx, q.KnowledgeBaseID, q.DocumentIDs)
	}
	s := survey{d: d, kb: q.KnowledgeBaseID}
	err = s.run(ctx, q.DocumentIDs)
	return s.report, err
}

// survey asks for the progress of many documents.
type survey struct {
	d        *Driver
	kb       string
	report   vendors.Report
	asked    int
	accepted int
	refusal  error // the newest
}

// run reads all ids, chunk by chunk, then looks into the refused chunks. If
// nothing at all was accepted, the refusal is the error.
func (s *survey) run(ctx context.Context, ids []string) error {
	var refused [][]string
	for chunk := range slices.Chunk(ids, chunkSize) {
		ok, err := s.ask(ctx, chunk)
		if err != nil {
			return err
		}
		if !ok {
			refused = append(refused, chunk)
		}
	}
	for end := s.asked + extraTries; len(refused) > 0; refused = refused[1:] {
		part := refused[0]
		if len(part) == 1 {
			s.miss(ctx, part[0])
			continue
		}
		if s.asked+2 > end {
			return manyRefused()
		}
		halves, err := s.halve(ctx, part)
		if err != nil {
			return err
		}
		refused = append(refused, halves...)
	}
	if s.accepted == 0 {
		return s.refusal
	}
	return nil
}

// halve asks for the halves of a refused part and gives those that are refused.
// When the first half is not, the second is for certain.
func (s *survey) halve(ctx context.Context, part []string) (refused [][]string, err error) {
	left, right := part[:len(part)/2], part[len(part)/2:]
	ok, err := s.ask(ctx, left)
	if err != nil {
		return nil, err
	}
	if ok {
		return [][]string{right}, nil
	}
	ok, err = s.ask(ctx, right)
	if ok || err != nil {
		return [][]string{left}, err
	}
	return [][]string{left, right}, nil
}

// ask makes one request and reports whether it was accepted. A refusal becomes
// an error when there have been too many without a success.
func (s *survey) ask(ctx context.Context, ids []string) (ok bool, err error) {
	rows, err := s.d.process(ctx, s.kb, ids)
	s.asked++
	if isRefusal(err) {
		if s.refusal = err; s.accepted == 0 && s.asked >= hopeless {
			return false, err
		}
		return false, nil
	}
	if err != nil {
		return false, err
	}
	s.accepted++
	found := make(map[string]bool, len(rows))
	for _, w := range rows {
		found[string(w.ID)] = true
		s.report.Documents = append(s.report.Documents, w.normal())
	}
	for _, id := range ids {
		if !found[id] {
			s.report.Missing = append(s.report.Missing, id)
		}
	}
	return true, nil
}

// miss counts a refused document as missing. Its code goes to the log.
func (s *survey) miss(ctx context.Context, id string) {
	s.report.Missing = append(s.report.Missing, id)
	s.d.log.WarnContext(ctx, "a document was refused", "document_id", id, "error", s.refusal)
}

// isRefusal recognises the codes by which one foreign document fails a chunk.
func isRefusal(err error) bool {
	var e *vendors.Error
	if !errors.As(err, &e) || e.Kind != vendors.PermissionDenied && e.Kind != vendors.ErrNotFound {
		return false
	}
	return e.VendorCode == "4101" || e.VendorCode == "4200" || e.VendorCode == "105000001"
}

// manyRefused ends a search for refused documents that costs too many requests.
// It is our limit, so that what was read is given.
func manyRefused() error {
	return &vendors.Error{
		Kind: vendors.RateLimited, After: 3 * time.Second, Retry: vendors.Later,
		Message: "Several documents are not accessible with this credential, and finding out which takes more requests than one call may make.",
		Hint:    "Call again with the remaining ids, or leave out those of other knowledge bases.",
	}
}

// process makes one request, on hosted for at most [chunkSize] documents. Rows
// that were not asked for are dropped. Studio takes numbers only: where it is not
// known to be there, the error that strings bring decides it.
func (d *Driver) process(ctx context.Context, kb string, ids []string) ([]progress, error) {
	asNumbers := d.speech.isStudio()
	out, err := d.processAs(ctx, kb, ids, asNumbers)
	if !asNumbers && isBindError(err) {
		out, err = d.processAs(ctx, kb, ids, true)
	}
	if err != nil {
		return nil, err
	}
	blind := slices.ContainsFunc(out.Data.Rows, func(w progress) bool { return !isID(string(w.ID)) })
	rows := slices.DeleteFunc(out.Data.Rows, func(w progress) bool { return !slices.Contains(ids, string(w.ID)) })
	if blind && len(rows) < len(ids) {
		return nil, rest.NoID()
	}
	return rows, nil
}

func (d *Driver) processAs(ctx context.Context, kb string, ids []string, asNumbers bool) (processAnswer, error) {
	var out processAnswer
	body := processRequest{DocumentIDs: ids}
	if asNumbers {
		body.DocumentIDs = numbers(ids)
	}
	err := d.call(ctx, rest.Call{
		Method: http.MethodPost, Path: []string{"v1", "datasets", kb, "process"}, Body: body, Rows: len(ids),
	}, &out)
	return out, err
}

// numbers are ids as bare numbers; checkIDs has seen that they are.
func numbers(ids []string) []int64 {
	out := make([]int64, len(ids))
	for i, id := range ids {
		out[i], _ = strconv.ParseInt(id, 10, 64)
	}
	return out
}

func isBindError(err error) bool {
	var e *vendors.Error
	return errors.As(err, &e) && e.HTTPStatus == http.StatusBadRequest && boundWrong(e.VendorMessage)
}
