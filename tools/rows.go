package tools

import (
	"time"

	"kb-mcp/vendors"
)

// inFull is the `detail` that shows everything about a document.
const inFull = "full"

// details are what `detail` may be; the first is the default.
func details() []string { return []string{"brief", inFull} }

// rowsOf makes rows of documents, which stay as they are: brief ones unless all
// detail is wanted. What all of them share is returned instead of repeated: the
// connection, and the knowledge base if the connection is one.
func rowsOf(docs []vendors.Document, detail string) (vendor, kb string, rows []vendors.Document) {
	rows = make([]vendors.Document, len(docs))
	oneVendor, oneKB := true, true
	for i, d := range docs {
		oneVendor = oneVendor && d.Vendor == docs[0].Vendor
		oneKB = oneKB && d.KnowledgeBaseID == docs[0].KnowledgeBaseID
		if rows[i] = d; detail != inFull {
			rows[i] = briefly(d)
		}
	}
	if len(docs) == 0 || !oneVendor {
		return "", "", rows
	}
	vendor = docs[0].Vendor
	if oneKB {
		kb = docs[0].KnowledgeBaseID
	}
	for i := range rows {
		rows[i].Vendor = ""
		if oneKB {
			rows[i].KnowledgeBaseID = ""
		}
	}
	return vendor, kb, rows
}

// briefly is a document with what answers the usual questions: where it stands,
// what is wrong with it, and for one that is not completed since when. Twenty
// such rows have a budget of tokens.
func briefly(d vendors.Document) vendors.Document {
	row := vendors.Document{
		Vendor: d.Vendor, KnowledgeBaseID: d.KnowledgeBaseID, DocumentID: d.DocumentID, Name: d.Name, Status: d.Status,
		Error: d.Error, Searchable: d.Searchable, Warnings: d.Warnings, UpdatedAt: d.UpdatedAt, Stalled: d.Stalled,
	}
	if d.Searchable != nil { // false: the flags say why
		row.Enabled, row.Archived = unless(true, d.Enabled), unless(false, d.Archived)
	}
	if d.Status.IsCompleted() {
		row.UpdatedAt = time.Time{}
	} else {
		row.ProgressPercent = d.ProgressPercent
	}
	return row
}

// unless returns a flag, or nil if it has the usual value.
func unless(usual bool, flag *bool) *bool {
	if flag != nil && *flag == usual {
		return nil
	}
	return flag
}
