package coze

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"kb-mcp/vendors"
	"kb-mcp/vendors/rest"
)

// Bounds of one Progress call. No maximum of ids is published for process; 100
// is the documented one of its sibling delete.
const (
	batchSize  = 100
	extraTries = 16 // requests to find the documents for which batches were refused
	maxRefused = 7  // refusals without a success: of a batch, its halves and theirs
)

// Batch implements [vendors.Batcher]. On studio one more request reports
// everything that is not completed, however much it is, so that all go
// together.
func (d *Driver) Batch() int {
	if d.dialect.is() == hosted {
		return batchSize
	}
	return 0
}

// StallRule implements [vendors.Staller]. Coze gives no time of movement, and
// its percentage and estimate are what moves; ingestion takes minutes, and a
// process cache of two hours hides longer ones on coze-studio.
func (d *Driver) StallRule() vendors.StallRule {
	return vendors.StallRule{
		Threshold: 30 * time.Minute,
		NextStep:  "Look at the document in Coze; on coze-studio check that its message queue and its worker run.",
	}
}

// Progress implements [vendors.Driver].
func (d *Driver) Progress(ctx context.Context, q vendors.ProgressQuery) (vendors.Report, error) {
	if q.BatchID != "" {
		return vendors.Report{}, vendors.Errorf(vendors.Unsupported, "Coze has no upload batches.").
			WithHint("Pass `document_ids`, or neither for the whole knowledge base.")
	}
	if err := d.decide(ctx, q.KnowledgeBaseID); err != nil {
		return vendors.Report{}, err
	}
	if d.studio() {
		return d.studioProgress(ctx, q.KnowledgeBaseID, q.DocumentIDs)
	}
	s := survey{d: d, kb: q.KnowledgeBaseID}
	err := s.run(ctx, q.DocumentIDs)
	return s.report, err
}

// studioProgress reads the progress of documents, which studio splits over two
// calls: the list has the reason of a failure, the process answer a percentage
// and a state word. The list is read first, because it keeps to the knowledge
// base; a process call ignores it, and is refused as a whole for one foreign
// document.
func (d *Driver) studioProgress(ctx context.Context, kb string, ids []string) (rep vendors.Report, err error) {
	var rows []document
	for batch := range slices.Chunk(ids, batchSize) {
		found, _, err := d.rowsOf(ctx, kb, batch)
		if err != nil {
			return vendors.Report{}, err
		}
		rows = append(rows, found...)
		rep.Missing = append(rep.Missing, missing(batch, found)...)
	}
	rep.Documents, err = d.withProgress(ctx, kb, rows, false)
	return rep, err
}

// missing returns the ids that have no row.
func missing(ids []string, rows []document) []string {
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool {
		return slices.ContainsFunc(rows, func(w document) bool { return string(w.ID) == id })
	})
}

// survey reads the progress of many documents from hosted Coze. A document that
// the credential may not see can make it refuse all that are asked for with it:
// such a batch is halved until the refused ones are alone, and they count as
// missing.
type survey struct {
	d        *Driver
	kb       string
	report   vendors.Report
	requests int
	accepted int
	refusal  error // the newest
}

// run reads all ids, batch by batch, then looks into the refused batches. If
// nothing at all was accepted, the refusal is the error.
func (s *survey) run(ctx context.Context, ids []string) error {
	refused, err := s.read(ctx, slices.Collect(slices.Chunk(ids, batchSize))...)
	for end := s.requests + extraTries; err == nil && len(refused) > 0; {
		part, halves := refused[0], [][]string(nil)
		if len(part) == 1 {
			s.report.Missing = append(s.report.Missing, part[0])
			s.d.log.WarnContext(ctx, "a document was refused", "document_id", part[0], "error", s.refusal)
			refused = refused[1:]
			continue
		}
		if s.requests+2 > end { // our limit, so that what was read is given
			return &vendors.Error{
				Kind: vendors.RateLimited, After: 3 * time.Second, Retry: vendors.Later,
				Message: "Several documents are not accessible with this credential, and finding out which takes more requests than one call may make.",
				Hint:    "Call again with the remaining ids, or leave out those of other knowledge bases.",
			}
		}
		left, right := part[:len(part)/2], part[len(part)/2:]
		halves, err = s.read(ctx, left)
		if err == nil && len(halves) > 0 {
			halves, err = s.read(ctx, right)
			halves = append([][]string{left}, halves...)
		} else { // refused for certain
			halves = [][]string{right}
		}
		refused = append(refused[1:], halves...)
	}
	if err == nil && s.accepted == 0 {
		return s.refusal
	}
	return err
}

// read makes a request for each of parts and returns those that are refused. It
// gives up after too many refusals without a success.
func (s *survey) read(ctx context.Context, parts ...[]string) (refused [][]string, err error) {
	for _, ids := range parts {
		rows, err := s.d.process(ctx, s.kb, ids)
		s.requests++
		if errors.Is(err, errForeign) && (s.accepted > 0 || s.requests < maxRefused) {
			s.refusal = err
			refused = append(refused, ids)
			continue
		}
		if err != nil {
			return nil, err
		}
		s.accepted++
		for _, w := range rows {
			s.report.Documents = append(s.report.Documents, w.normal(false))
		}
		s.report.Missing = append(s.report.Missing, missing(ids, rows)...)
	}
	return refused, nil
}

// process makes one request, on hosted for at most [batchSize] documents. Rows
// that were not requested are dropped. Studio takes numbers only: where it is
// not known to be there, the error of a request with strings decides it.
func (d *Driver) process(ctx context.Context, kb string, ids []string) ([]document, error) {
	ask := func(list any) (processAnswer, error) {
		return do[processAnswer](ctx, d, readProgress, rest.Call{Body: documentIDs{list}, Rows: len(ids)}, kb)
	}
	var out processAnswer
	var err error = errMistyped
	if !d.studio() {
		out, err = ask(ids)
	}
	if errors.Is(err, errMistyped) {
		out, err = ask(numbers(ids))
	}
	if err != nil {
		return nil, err
	}
	blind := slices.ContainsFunc(out.List, func(w document) bool { return !isID(string(w.ID)) })
	rows := slices.DeleteFunc(out.List, func(w document) bool { return !slices.Contains(ids, string(w.ID)) })
	if blind && len(rows) < len(ids) {
		return nil, rest.NoID()
	}
	for i := range rows {
		rows[i].Name, rows[i].processed = rows[i].DocumentName, true
	}
	return rows, nil
}

// documentIDs is a request about documents: a list of strings, or of numbers.
type documentIDs struct {
	List any `json:"document_ids"`
}

// numbers returns ids as bare numbers.
func numbers(ids []string) []int64 {
	out := make([]int64, len(ids))
	for i, id := range ids {
		out[i], _ = strconv.ParseInt(id, 10, 64)
	}
	return out
}

// members returns those of ids that are in the knowledge base. If the list's
// filter is ignored and the list is too long, it makes a process call, which on
// hosted Coze keeps to the knowledge base too.
func (d *Driver) members(ctx context.Context, kb string, ids []string) (rep vendors.Report, err error) {
	for batch := range slices.Chunk(ids, batchSize) {
		rows, complete, err := d.rowsOf(ctx, kb, batch)
		if err != nil {
			return rep, err
		}
		for _, w := range rows {
			rep.Documents = append(rep.Documents, w.normal(d.studio()))
		}
		left := missing(batch, rows)
		if complete {
			rep.Missing = append(rep.Missing, left...)
			continue
		}
		s := survey{d: d, kb: kb, report: rep}
		if err := s.run(ctx, left); err != nil {
			return rep, err
		}
		rep = s.report
	}
	return rep, nil
}
