package coze

import (
	"bytes"
	"context"
	"net/http"
	"time"

	"kb-mcp/vendors"
	"kb-mcp/vendors/rest"
)

// UpdateDocument implements [vendors.DocumentUpdater]: the name, or an image's
// caption. The call does not say to which knowledge base the document must
// belong, and takes what it is not told for empty, so that the document's row is
// read first.
func (d *Driver) UpdateDocument(ctx context.Context, ref vendors.Ref, change vendors.DocumentChange) (vendors.Document, error) {
	if err := checkDocumentChange(change); err != nil {
		return vendors.Document{}, err
	}
	if change.Metadata != nil {
		return d.setCaption(ctx, ref, change.Metadata[captionKey].(string))
	}
	row, err := d.row(ctx, ref)
	if err != nil {
		return vendors.Document{}, err
	}
	if err := d.checkDocumentName(change.Name); err != nil {
		return vendors.Document{}, err
	}
	body, err := d.renaming(row, *change.Name)
	if err != nil {
		return vendors.Document{}, err
	}
	err = d.call(ctx, rest.Call{
		Method: http.MethodPost, Path: []string{"open_api", "knowledge", "document", "update"}, Body: body,
		Write: rest.Repeatable,
	}, new(documentUpdated))
	if err != nil {
		return vendors.Document{}, err
	}
	return d.renamed(ctx, ref, row, *change.Name)
}

func checkDocumentChange(change vendors.DocumentChange) error {
	switch {
	case change.Enabled != nil:
		return vendors.Errorf(vendors.Unsupported, "Coze cannot switch a document on or off through its API; nothing was changed.").
			WithHint("Pass `name` alone; documents are switched in Coze's web page.")
	case change.Metadata != nil && change.Name != nil:
		return vendors.Errorf(vendors.Unsupported, "Coze changes a name and a caption by calls of their own; nothing was changed.").
			WithHint("Pass `name` and `metadata` in two calls.")
	case change.Metadata != nil:
		if _, ok := change.Metadata[captionKey].(string); !ok || len(change.Metadata) != 1 {
			return vendors.Errorf(vendors.Unsupported, "Coze's documents have no metadata, but an image's caption; nothing was changed.").
				WithHint("Pass `name`, or for an image `metadata` with `caption` alone, a text.")
		}
	}
	return checkName(change.Name, 0)
}

// row finds the row of one document. Where the list's filter is ignored and the
// list too long, it is what a process call says.
func (d *Driver) row(ctx context.Context, ref vendors.Ref) (document, error) {
	err := checkIDs("knowledge_base_id", ref.KnowledgeBaseID)
	if err == nil {
		err = checkIDs("document_id", ref.DocumentID)
	}
	if err != nil {
		return document{}, err
	}
	rows, complete, err := d.rowsOf(ctx, ref.KnowledgeBaseID, []string{ref.DocumentID})
	if err != nil {
		return document{}, err
	}
	if row, ok := rows[ref.DocumentID]; ok {
		return row, nil
	}
	if complete {
		return document{}, noDocument()
	}
	found, err := d.process(ctx, ref.KnowledgeBaseID, []string{ref.DocumentID})
	if err != nil {
		return document{}, err
	}
	if len(found) == 0 {
		return document{}, noDocument()
	}
	return document{ID: found[0].ID, Name: found[0].Name, Type: found[0].Type, Status: found[0].Status}, nil
}

// renaming is the request that changes a document's name and nothing else, or
// says why there is none.
func (d *Driver) renaming(row document, name string) (updateRequest, error) {
	body := updateRequest{DocumentID: string(row.ID), DocumentName: name}
	switch {
	case row.isText() || row.isImage():
	case d.speech.isStudio() && row.hasColumns():
		body.TableMeta = row.TableMeta
	case d.speech.isStudio():
		return body, vendors.Errorf(vendors.Unsupported, "This document may be a table, and its columns are not known: coze-studio deletes those that a rename does not name. Nothing was changed.").
			WithHint("Rename it in the web page of the coze-studio server.")
	default:
		return body, vendors.Errorf(vendors.Unsupported, "This document is, or may be, a table, and hosted Coze does not document what a rename does to a table's columns (coze-studio deletes those that it does not name). Nothing was changed.").
			WithHint("Rename it in Coze's web page.")
	}
	if row.refreshes() {
		body.UpdateRule = &updateRule{row.UpdateType.Int, row.UpdateInterval.Int}
	}
	return body, nil
}

// isText, isImage report what a document surely is: where no row was found, its
// suffix tells.
func (w document) isText() bool {
	if w.FormatType.Valid {
		return w.FormatType.Int == formatText
	}
	switch format(w.Type) {
	case "pdf", "txt", "doc", "docx", "md":
		return true
	}
	return false
}

func (w document) isImage() bool { return w.FormatType.Valid && w.FormatType.Int == formatImage }

// hasColumns reports whether the row names a table's columns.
func (w document) hasColumns() bool {
	columns, isList := bytes.CutPrefix(bytes.TrimSpace(w.TableMeta), []byte("["))
	return isList && !bytes.HasPrefix(bytes.TrimSpace(columns), []byte("]"))
}

// refreshes reports whether a document fetches itself again.
func (w document) refreshes() bool { return w.UpdateType.Int > 0 }

// renamed reads the document again: a success that changed nothing is none.
// Without an answer it is the row under its new name.
func (d *Driver) renamed(ctx context.Context, ref vendors.Ref, row document, name string) (vendors.Document, error) {
	doc, err := d.GetDocument(ctx, ref)
	switch {
	case err != nil:
		d.log.WarnContext(ctx, "a renamed document could not be read again", "document_id", ref.DocumentID, "error", err)
		doc = row.normal(d.speech.isStudio())
		doc.Name, doc.UpdatedAt = name, time.Time{} // the time is not told
		return doc, nil
	case doc.Name != name && doc.Name == string(row.Name):
		return vendors.Document{}, vendors.NotShown("Coze", "the document")
	}
	return doc, nil
}
