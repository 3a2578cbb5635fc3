package coze

import (
	"context"
	"slices"

	"kb-mcp/vendors"
)

// Studio says how a document stands in two places, neither of them whole: the
// list has the reason of a failure, the process answer a percentage and a state
// word. Its numbers alone mislead: a document that it will try again is 9, a
// table that has not begun is 1, a disabled document is 0.

// studioProgress tells how documents stand. The list is asked first, because it
// keeps to the knowledge base; a process call ignores it, and is refused as a
// whole for one document of somebody else.
func (d *Driver) studioProgress(ctx context.Context, kb string, ids []string) (vendors.Report, error) {
	var rows []document
	var rep vendors.Report
	for chunk := range slices.Chunk(ids, chunkSize) {
		found, _, err := d.rowsOf(ctx, kb, chunk)
		if err != nil {
			return vendors.Report{}, err
		}
		for _, id := range chunk {
			if row, ok := found[id]; ok {
				rows = append(rows, row)
			} else {
				rep.Missing = append(rep.Missing, id)
			}
		}
	}
	docs, err := d.judged(ctx, kb, rows, unsettled)
	rep.Documents = docs
	return rep, err
}

// judged gives the rows in our words, with one process call for those whose
// state the row does not tell. Without its answer they are as the rows say.
func (d *Driver) judged(ctx context.Context, kb string, rows []document, unsure func(document) bool) ([]vendors.Document, error) {
	var ask []string
	for _, w := range rows {
		if unsure(w) {
			ask = append(ask, string(w.ID))
		}
	}
	told := make(map[string]progress, len(ask))
	var err error
	if len(ask) > 0 {
		var answer []progress
		answer, err = d.process(ctx, kb, ask)
		for _, p := range answer {
			told[string(p.ID)] = p
		}
	}
	docs := make([]vendors.Document, 0, len(rows))
	for _, w := range rows {
		if p, ok := told[string(w.ID)]; ok {
			docs = append(docs, w.with(p))
		} else {
			docs = append(docs, w.normal(true))
		}
	}
	return docs, err
}

// unsettled reports whether a process call tells more of a row's document.
func unsettled(w document) bool {
	status, _, _ := statusOf(w.Status)
	return !status.Settled() || unsure(w)
}

// unsure reports whether a studio row may mean something else than it says.
func unsure(w document) bool {
	switch status, _, _ := statusOf(w.Status); status {
	case vendors.Failed: // or it is tried again
		return true
	case vendors.Completed: // or a table that has not begun
		return w.SliceCount.Int == 0
	default: // or it is disabled
		return w.SliceCount.Int > 0
	}
}

// with is a studio row together with its process answer.
func (w document) with(p progress) vendors.Document {
	if p.Descript != "" && p.Descript != gaveUp {
		w.Descript = p.Descript // the newer
	}
	w.Status = p.Status
	doc := w.normal(true)
	begun := !p.Percent.Valid || p.Percent.Int >= 100
	switch {
	case doc.Status == vendors.Processing && p.Descript == disabled:
		doc.Status, doc.Enabled, doc.CharCount = vendors.Completed, new(bool), w.Size.Count()
	case doc.Status == vendors.Processing:
		doc.ProgressPercent, doc.Ingestion.ETASeconds = percent(p.Percent), p.Remaining.Count()
	case doc.Status == vendors.Completed && !begun:
		doc.Status, doc.ProgressPercent, doc.Ingestion.ETASeconds = vendors.Processing, percent(p.Percent), p.Remaining.Count()
	case doc.Status == vendors.Failed && !begun && !lasting(doc.Error):
		doc.Status = vendors.Processing
		doc.Warnings = append(doc.Warnings, "It failed and coze-studio tries again by itself: "+sentences(doc.Error.Message, doc.Error.Hint))
		doc.Error = nil
	}
	return doc
}
