package connection

import (
	"context"
	"errors"
	"slices"
	"strings"

	"kb-mcp/vendors"
	"kb-mcp/vendors/internal/existence"
	"kb-mcp/vendors/internal/normal"
)

// UploadResult is a document that was added.
type UploadResult struct {
	Document vendors.Document `json:"document"`
	BatchID  string           `json:"batch_id,omitempty"`
	Notes    []string         `json:"notes,omitempty"` // what the platform did that the caller may not expect
}

// OutcomeResult is what happened to each document of a write.
type OutcomeResult struct {
	Results   []OutcomeRow `json:"results"`
	Truncated bool         `json:"truncated,omitempty"`
	Hint      string       `json:"hint,omitempty"`
}

// Len is the number of documents.
func (r OutcomeResult) Len() int { return len(r.Results) }

// Fit keeps every outcome, and the errors of the first n documents: those of
// the others are mostly the same.
func (r OutcomeResult) Fit(n int) any {
	r.Results = slices.Clone(r.Results)
	for i := max(n, 0); i < len(r.Results); i++ {
		r.Results[i].Error = nil
	}
	r.Truncated, r.Hint = true, "Not every error fits; outcome says which documents failed. For the other reasons ask with fewer ids."
	return r
}

// OutcomeRow is the result for one document.
type OutcomeRow struct {
	DocumentID string               `json:"document_id"`
	Outcome    vendors.Result       `json:"outcome"`
	Error      *vendors.ErrorReport `json:"error,omitempty"`
}

// CreateKnowledgeBase makes a knowledge base.
func (c *Connection) CreateKnowledgeBase(ctx context.Context, draft vendors.KnowledgeBaseChange) (vendors.KnowledgeBase, error) {
	driver, err := capability[vendors.KnowledgeBaseCreator](ctx, c)
	if err == nil && draft.Name == nil {
		err = vendors.Errorf(vendors.InvalidArgument, "`name` is missing.")
	}
	if err != nil {
		return vendors.KnowledgeBase{}, c.failed(ctx, creation, err)
	}
	kb, err := driver.CreateKnowledgeBase(ctx, draft)
	if err != nil {
		return kb, c.failed(ctx, creation, err)
	}
	normal.KnowledgeBase(&kb, c.name)
	return kb, nil
}

// failed returns the error of a write. It says for all platforms and tools
// whether the write may have happened, how to find out, and whether the call
// may be repeated.
func (c *Connection) failed(ctx context.Context, d doubt, err error) error {
	e := c.failure(ctx, err)
	if e.Effect != vendors.NoEffect && d.once {
		e.Retry, e.After = vendors.Never, 0
	}
	if e.Effect == vendors.UnknownEffect {
		e.Message, e.Hint = "It is unknown whether "+d.whether+": "+e.Message, d.hint
	}
	return e
}

// doubt describes a write that may or may not have happened.
type doubt struct {
	whether string
	hint    string // how to find out, and what then
	once    bool   // a second one would do it twice
}

// The writes, in doubt.
var (
	creation        = doubt{"the knowledge base was created", "Wait a minute, then look with list_knowledge_bases and `name_contains` before you create it again.", true}
	baseChange      = doubt{"the knowledge base was changed", "Look with list_knowledge_bases; making the same change again does no harm.", false}
	baseRemoval     = doubt{"the knowledge base was deleted", "Look with list_knowledge_bases; if it is still there, delete it again.", false}
	addition        = doubt{"the document was added", "Wait a minute, then look with list_documents and `name_contains` before you upload it again.", true}
	replacement     = doubt{"the content was replaced", "Look with get_document_info: a status that is not completed, or a newer time, shows that it was; replacing it again does no harm.", false}
	documentChange  = doubt{"the document was changed", "Look with get_document_info; making the same change again does no harm.", false}
	documentRemoval = doubt{"the document was deleted", "Look with get_ingestion_progress and these document_ids: what is gone is `not_found`. Deleting them again does no harm.", false}
	start           = doubt{"ingestion was started", "Look with get_ingestion_progress; start only what is still not started.", true}
	stop            = doubt{"ingestion was stopped", "Look with get_ingestion_progress; stop what is still queued or processing.", false}
)

// UpdateKnowledgeBase changes name or description.
func (c *Connection) UpdateKnowledgeBase(ctx context.Context, id string, change vendors.KnowledgeBaseChange) (vendors.KnowledgeBase, error) {
	driver, err := capability[vendors.KnowledgeBaseUpdater](ctx, c)
	if err == nil {
		err = c.resolve(ctx, &id)
	}
	if err == nil && change.Name == nil && change.Description == nil {
		err = vendors.Errorf(vendors.InvalidArgument, "Nothing to change: neither `name` nor `description` is given.")
	}
	if err != nil {
		return vendors.KnowledgeBase{}, c.failed(ctx, baseChange, err)
	}
	kb, err := driver.UpdateKnowledgeBase(ctx, id, change)
	if err == nil && !(shows(kb.Name, change.Name) && shows(kb.Description, change.Description)) {
		err = vendors.NotShown("the knowledge base")
	}
	if err != nil {
		return kb, c.failed(ctx, baseChange, err)
	}
	normal.KnowledgeBase(&kb, c.name)
	return kb, nil
}

// shows reports whether a text is as wanted; nil wants nothing. Platforms may
// trim spaces around it.
func shows(now string, wanted *string) bool {
	return wanted == nil || strings.TrimSpace(now) == strings.TrimSpace(*wanted)
}

// Deletable is what a delete finds out before it sends anything that changes
// something: whether the driver is a T, and whether the ids can be any. It makes
// *kb the one id of the knowledge base.
func Deletable[T any](ctx context.Context, c *Connection, kb *string, documents ...string) error {
	_, err := capability[T](ctx, c)
	for _, id := range documents {
		err = errors.Join(err, c.checkID("document_ids", id))
	}
	if err == nil {
		err = c.resolve(ctx, kb)
	}
	if err != nil {
		return c.wrap(ctx, err)
	}
	return nil
}

// DeleteKnowledgeBase deletes one knowledge base with all its documents.
func (c *Connection) DeleteKnowledgeBase(ctx context.Context, id string) error {
	driver, err := capability[vendors.KnowledgeBaseDeleter](ctx, c)
	if err == nil {
		err = c.resolve(ctx, &id)
	}
	if err == nil {
		err = driver.DeleteKnowledgeBase(ctx, id)
		existence.Forget(c.reads, id)
	}
	if err != nil {
		return c.failed(ctx, baseRemoval, err)
	}
	return nil
}

// replace replaces the content of one document.
func (c *Connection) replace(ctx context.Context, u vendors.Upload) (UploadResult, error) {
	if _, err := capability[vendors.Uploader](ctx, c); err != nil {
		return UploadResult{}, c.failed(ctx, replacement, err)
	}
	driver, ok := c.driver.(vendors.Replacer)
	ref := vendors.Ref{KnowledgeBaseID: u.KnowledgeBaseID, DocumentID: u.DocumentID}
	err := c.resolveRef(ctx, &ref)
	if err == nil && !ok {
		err = vendors.Errorf(vendors.Unsupported, "This platform cannot replace the content of a document; nothing was uploaded.").
			WithHint("Upload the new version without document_id: it becomes a document of its own beside the old one, and a person decides what happens to that.")
	}
	if err != nil {
		return UploadResult{}, c.failed(ctx, replacement, err)
	}
	u.KnowledgeBaseID = ref.KnowledgeBaseID
	up, err := driver.Replace(ctx, u)
	if err != nil {
		return UploadResult{}, c.failed(ctx, replacement, err)
	}
	c.stalls.Started(u.KnowledgeBaseID, u.DocumentID)
	normal.Document(&up.Document, c.name, u.KnowledgeBaseID)
	return UploadResult(up), nil
}

// Upload adds one document, or replaces the content of u.DocumentID.
func (c *Connection) Upload(ctx context.Context, u vendors.Upload) (UploadResult, error) {
	if u.DocumentID != "" {
		return c.replace(ctx, u)
	}
	driver, err := capability[vendors.Uploader](ctx, c)
	if err == nil {
		err = c.resolve(ctx, &u.KnowledgeBaseID)
	}
	if err != nil {
		return UploadResult{}, c.failed(ctx, addition, err)
	}
	up, err := driver.Upload(ctx, u)
	if err != nil {
		err = c.failed(ctx, addition, err)
		var e *vendors.Error
		if id := up.Document.DocumentID; id != "" && vendors.Unsure(err) && errors.As(err, &e) {
			e.Hint = "Look with get_document_info and the document_id " + id + ", which it would have, before you upload it again."
		}
		return UploadResult{}, err
	}
	existence.Learn(c.reads, u.KnowledgeBaseID)
	normal.Document(&up.Document, c.name, u.KnowledgeBaseID)
	return UploadResult(up), nil
}

// UpdateDocument changes name, enabled or metadata of one document.
func (c *Connection) UpdateDocument(ctx context.Context, ref vendors.Ref, change vendors.DocumentChange) (vendors.Document, error) {
	driver, err := capability[vendors.DocumentUpdater](ctx, c)
	if err == nil {
		err = c.resolveRef(ctx, &ref)
	}
	if err == nil && change.Name == nil && change.Enabled == nil && len(change.Metadata) == 0 {
		err = vendors.Errorf(vendors.InvalidArgument, "Nothing to change: none of `name`, `enabled` and `metadata` is given.")
	}
	if err != nil {
		return vendors.Document{}, c.failed(ctx, documentChange, err)
	}
	d, err := driver.UpdateDocument(ctx, ref, change)
	if err == nil && !(shows(d.Name, change.Name) && (change.Enabled == nil || d.Enabled == nil || *d.Enabled == *change.Enabled)) {
		err = vendors.NotShown("the document")
	}
	if err != nil {
		return d, c.failed(ctx, documentChange, err)
	}
	normal.Document(&d, c.name, ref.KnowledgeBaseID)
	return d, nil
}

// DeleteDocuments deletes documents and reports for each.
func (c *Connection) DeleteDocuments(ctx context.Context, kb string, ids []string) (OutcomeResult, error) {
	driver, err := capability[vendors.DocumentDeleter](ctx, c)
	if err != nil {
		return OutcomeResult{}, c.failed(ctx, documentRemoval, err)
	}
	return c.each(ctx, documentRemoval, &kb, ids, driver.DeleteDocuments)
}

// StartIngestion starts the ingestion of documents, or repeats it.
func (c *Connection) StartIngestion(ctx context.Context, kb string, ids []string) (OutcomeResult, error) {
	driver, err := capability[vendors.IngestionStarter](ctx, c)
	if err != nil {
		return OutcomeResult{}, c.failed(ctx, start, err)
	}
	out, err := c.each(ctx, start, &kb, ids, driver.StartIngestion)
	for _, r := range out.Results {
		if r.Outcome == vendors.Done || r.Outcome == vendors.Accepted { // it moves now, whatever its platform's times say
			c.stalls.Started(kb, r.DocumentID)
		}
	}
	return out, err
}

// StopIngestion stops ingestion of documents.
func (c *Connection) StopIngestion(ctx context.Context, kb string, ids []string) (OutcomeResult, error) {
	driver, err := capability[vendors.IngestionStopper](ctx, c)
	if err != nil {
		return OutcomeResult{}, c.failed(ctx, stop, err)
	}
	return c.each(ctx, stop, &kb, ids, driver.StopIngestion)
}

// each runs a write over several documents, and reports in the caller's order.
// It sets kb to the id that the driver knows.
func (c *Connection) each(ctx context.Context, d doubt, kb *string, ids []string, do func(context.Context, string, []string) ([]vendors.Outcome, error)) (OutcomeResult, error) {
	out := OutcomeResult{Results: []OutcomeRow{}}
	ids = unique(ids)
	err := c.checkID("knowledge_base_id", *kb)
	for _, id := range ids {
		err = errors.Join(err, c.checkID("document_ids", id))
	}
	if err == nil && len(ids) == 0 {
		err = vendors.Errorf(vendors.InvalidArgument, "`document_ids` is empty.")
	}
	if err == nil {
		err = c.resolve(ctx, kb)
	}
	if err != nil {
		return out, c.failed(ctx, d, err)
	}
	outcomes, err := do(ctx, *kb, ids)
	if err != nil && len(outcomes) == 0 {
		return out, c.failed(ctx, d, err)
	}
	byID := make(map[string]vendors.Outcome, len(outcomes))
	for _, o := range outcomes {
		byID[o.DocumentID] = o
	}
	for _, id := range ids {
		o, ok := byID[id]
		if !ok { // the write ended before this one
			o = vendors.Outcome{Result: vendors.NotDone, Err: err}
		}
		if o.Result == vendors.NotDone && o.Err == nil {
			e := vendors.Errorf(vendors.BadResponse, "The platform did not say what happened to this document.")
			e.Effect, o.Err = vendors.UnknownEffect, e
		}
		row := OutcomeRow{DocumentID: id, Outcome: o.Result}
		if o.Result == vendors.NotDone {
			report := vendors.WriteReportOf(c.failed(ctx, d, o.Err))
			row.Error = &report
		}
		out.Results = append(out.Results, row)
	}
	return out, nil
}

// Download opens the file of one document. The caller closes it.
func (c *Connection) Download(ctx context.Context, ref vendors.Ref) (vendors.Download, error) {
	driver, err := capability[vendors.Downloader](ctx, c)
	if err == nil {
		err = c.resolveRef(ctx, &ref)
	}
	if err != nil {
		return vendors.Download{}, c.wrap(ctx, err)
	}
	d, err := driver.Download(ctx, ref)
	if err != nil {
		return vendors.Download{}, c.wrap(ctx, err)
	}
	return d, nil
}
