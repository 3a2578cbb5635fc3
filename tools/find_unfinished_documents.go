package tools

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"kb-mcp/vendors"
	"kb-mcp/vendors/connection"
	"kb-mcp/vendors/rank"
	"kb-mcp/vendors/several"
	"kb-mcp/vendors/tally"
)

const findUnfinishedDocumentsDoc = `Finds every document that is not completed, in all knowledge bases or the given ones, with error and hint: failed first, then suspected stalls, then those that wait for a person. Use it for "is anything broken or stuck?"; for one upload use get_ingestion_progress. summary covers all that was looked at; incomplete names the rest.`

type findUnfinishedDocumentsArgs struct {
	Vendor          string `arg:"vendor" every:"true"`
	KnowledgeBaseID string `arg:"knowledge_base_id"`
	Status          string `arg:"status" enum:"unfinished"`
	Detail          string `arg:"detail" enum:"detail"`
	Limit           int    `arg:"limit" min:"1" max:"100" default:"20"`
	Cursor          string `arg:"cursor"`
}

// unfinishedList is one page of what was found. Vendor and KnowledgeBaseID are
// set where all rows share them.
type unfinishedList struct {
	Vendor          string                      `json:"vendor,omitempty"`
	KnowledgeBaseID string                      `json:"knowledge_base_id,omitempty"`
	Documents       []vendors.Document          `json:"documents"`
	KnowledgeBases  []connection.UnfinishedBase `json:"knowledge_bases"`
	Summary         tally.Summary               `json:"summary"`
	Incomplete      []connection.Incomplete     `json:"incomplete,omitempty"`
	NextCursor      string                      `json:"next_cursor,omitempty"`
	Truncated       bool                        `json:"truncated,omitempty"`
	Hint            string                      `json:"hint,omitempty"`

	query string
	ranks []rank.Rank // of the documents
}

// unfinishedBases is how many knowledge bases the first page names; the further
// pages name those of their rows.
const unfinishedBases = 50

// Len is the number of documents, and one step more for what goes last.
func (l unfinishedList) Len() int { return len(l.Documents) + 1 }

// Fit leaves all but the first n documents to NextCursor; a document too large
// by itself loses its metadata, and of each connection one gap is told.
func (l unfinishedList) Fit(n int) any {
	if keep := max(n, 1); keep < len(l.Documents) {
		l.Documents = l.Documents[:keep]
		l.NextCursor = l.cursor()
	}
	if n < 1 {
		l.Documents = slices.Clone(l.Documents)
		for i := range l.Documents {
			l.Documents[i].Metadata = nil
		}
		l.Incomplete = slices.CompactFunc(slices.Clone(l.Incomplete), func(a, b connection.Incomplete) bool { return a.Vendor == b.Vendor })
		l.Truncated, l.Hint = true, "Metadata, or further gaps of a connection, did not fit; ask get_document_info, or for one connection at a time."
	}
	return l
}

// Finished searches are remembered by their arguments. Pages after the first come
// from there, so that they cost no request and fit together; after a restart the
// search is made again.
const (
	foundKept = 8               // searches
	foundTime = 5 * time.Minute // a page may be asked for so long
)

func (s *Set) findUnfinishedDocumentsTool() tool {
	return define(s, face{
		name: "find_unfinished_documents", title: "Find unfinished documents", doc: findUnfinishedDocumentsDoc,
		brief: "everything that failed, stalls, waits for a person or is on its way, over all connections; worst first",
		needs: connection.Can[vendors.Driver],
		also:  []string{"find_failed_documents", "unfinished", "list_failed", "find_failed", "find_stuck_documents"},
	}, s.findUnfinishedDocuments)
}

func (s *Set) findUnfinishedDocuments(ctx context.Context, in findUnfinishedDocumentsArgs) (unfinishedList, error) {
	what := in.Vendor + " " + in.KnowledgeBaseID
	out := unfinishedList{KnowledgeBases: []connection.UnfinishedBase{}, query: what + " " + in.Status}
	list := s.vendors
	if in.Vendor != "" || in.KnowledgeBaseID != "" {
		v, err := s.vendor(in.Vendor) // a knowledge base is one connection's
		if err != nil {
			return out, err
		}
		list = []*connection.Connection{v}
	}
	var after rank.Rank
	var err error
	if in.Cursor != "" {
		if after, err = rank.Parse(in.Cursor, out.query); err != nil {
			return out, err
		}
	}
	u, known := s.finds.Get(what)
	if in.Cursor == "" || !known {
		if u, err = search(ctx, list, in.KnowledgeBaseID); err != nil {
			return out, err
		}
		s.finds.Put(what, u)
	}
	docs := wanted(u.Documents, vendors.Status(in.Status))
	if in.Cursor != "" {
		n, same := slices.BinarySearchFunc(docs, after, func(d vendors.Document, p rank.Rank) int { return rank.Of(d).Compare(p) })
		if same {
			n++
		}
		docs = docs[n:]
	}
	out.Summary, out.Incomplete = u.Summary, u.Incomplete
	page := docs[:min(in.Limit, len(docs))]
	for _, d := range page {
		out.ranks = append(out.ranks, rank.Of(d))
	}
	out.nameBases(u.KnowledgeBases, page, in)
	out.Vendor, out.KnowledgeBaseID, out.Documents = rowsOf(page, in.Detail)
	if len(docs) > in.Limit {
		out.NextCursor = out.cursor()
	}
	return out, nil
}

// wanted are the documents with a status, or all.
func wanted(docs []vendors.Document, status vendors.Status) []vendors.Document {
	if status == "" {
		return docs
	}
	return slices.DeleteFunc(slices.Clone(docs), func(d vendors.Document) bool { return d.Status != status })
}

// nameBases shows the knowledge bases that have documents with the wanted
// status, on a further page those of its rows.
func (l *unfinishedList) nameBases(all []connection.UnfinishedBase, page []vendors.Document, in findUnfinishedDocumentsArgs) {
	for _, b := range all {
		of := func(d vendors.Document) bool { return d.Vendor == b.Vendor && d.KnowledgeBaseID == b.KnowledgeBaseID }
		switch {
		case in.Status != "" && b.ByStatus[vendors.Status(in.Status)] == 0, in.Cursor != "" && !slices.ContainsFunc(page, of):
		case in.Cursor == "" && len(l.KnowledgeBases) == unfinishedBases:
			l.Truncated, l.Hint = true, "More knowledge bases have such documents than are named in this answer; the pages that follow name them."
			return
		default:
			l.KnowledgeBases = append(l.KnowledgeBases, b)
		}
	}
}

// search asks all connections at once.
func search(ctx context.Context, list []*connection.Connection, kb string) (all connection.Unfinished, err error) {
	parts := make([]connection.Unfinished, len(list))
	errs := several.AtOnce(list, func(i int, v *connection.Connection) (err error) {
		parts[i], err = v.Unfinished(ctx, kb)
		return err
	})
	if err := errors.Join(errs...); err != nil {
		return all, err
	}
	for _, p := range parts {
		all.Documents = append(all.Documents, p.Documents...)
		all.KnowledgeBases = append(all.KnowledgeBases, p.KnowledgeBases...)
		all.Incomplete = append(all.Incomplete, p.Incomplete...)
		all.Summary = all.Summary.Join(p.Summary)
	}
	if len(parts) == 0 {
		all.Summary = tally.Summary{ByStatus: map[vendors.Status]int{}, Done: true}
	}
	slices.SortFunc(all.Documents, rank.WorstFirst)
	worst := map[[2]string]int{} // where the first document of a knowledge base stands
	for i, d := range slices.Backward(all.Documents) {
		worst[[2]string{d.Vendor, d.KnowledgeBaseID}] = i
	}
	slices.SortFunc(all.KnowledgeBases, func(a, b connection.UnfinishedBase) int {
		return cmp.Compare(worst[[2]string{a.Vendor, a.KnowledgeBaseID}], worst[[2]string{b.Vendor, b.KnowledgeBaseID}])
	})
	all.Summary.Done = all.Summary.Done && len(all.Incomplete) == 0
	return all, nil
}

// cursor goes on behind the last document shown.
func (l unfinishedList) cursor() string {
	return l.ranks[len(l.Documents)-1].Cursor(l.query)
}
