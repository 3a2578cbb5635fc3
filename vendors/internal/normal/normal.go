// Package normal holds the rules for documents, knowledge bases, hits and chunks
// that are the same on every platform.
package normal

import (
	"math"
	"slices"
	"time"

	"kb-mcp/vendors"
	"kb-mcp/vendors/visible"
)

// Document applies the rules that hold on every platform, and names the
// connection and the knowledge base. The
// percentage follows the status, never the other way round: 100 exactly when
// completed, below 100 while queued or processing, absent otherwise.
func Document(d *vendors.Document, vendor, kb string) {
	d.Vendor, d.KnowledgeBaseID = vendor, kb
	switch s := d.Status; {
	case s.IsCompleted():
		hundred := 100
		d.ProgressPercent = &hundred
	case s.Working():
		if d.ProgressPercent != nil {
			p := min(max(*d.ProgressPercent, 0), 99)
			d.ProgressPercent = &p
		}
	default:
		d.ProgressPercent = nil
	}
	if !d.Status.IsFailed() {
		d.Error = nil
	}
	d.Searchable = searchable(d)
	d.CreatedAt, d.UpdatedAt = history(d.CreatedAt, d.UpdatedAt)
	normalizeIngestion(&d.Ingestion, d.Status)
	filterDocument(d)
}

// searchable returns false for a completed document that searches do not
// return, as far as the platform's flags and its driver say; nil otherwise.
func searchable(d *vendors.Document) *bool {
	is := func(flag *bool, value bool) bool { return flag != nil && *flag == value }
	if d.Status.IsCompleted() && (is(d.Enabled, false) || is(d.Archived, true) || is(d.Searchable, false)) {
		return new(bool)
	}
	return nil
}

// filterDocument removes invisible characters from texts of the platform and
// its users.
func filterDocument(d *vendors.Document) {
	d.Name, d.VendorStatus, d.Format = visible.Line(d.Name), visible.Line(d.VendorStatus), visible.Line(d.Format)
	d.SourceURL = visible.Line(d.SourceURL)
	if e := d.Error; e != nil {
		d.Error = &vendors.Failure{Code: visible.Line(e.Code), Message: visible.Line(e.Message), Retryable: e.Retryable, Hint: visible.Line(e.Hint)}
	}
	if i := slices.IndexFunc(d.Warnings, func(w string) bool { return visible.Line(w) != w }); i >= 0 {
		d.Warnings = slices.Clone(d.Warnings)
		for ; i < len(d.Warnings); i++ {
			d.Warnings[i] = visible.Line(d.Warnings[i])
		}
	}
	d.Metadata = visible.Metadata(d.Metadata)
}

// normalizeIngestion leaves out times that cannot belong together: those of a
// document whose ingestion was not requested, an end before the start, and a
// duration that contradicts both.
func normalizeIngestion(g *vendors.Ingestion, s vendors.Status) {
	g.StartedAt, g.FinishedAt = history(g.StartedAt, g.FinishedAt)
	g.MovedAt, g.NewestAt = possible(g.MovedAt), possible(g.NewestAt)
	if s.IsUnstarted() {
		g.StartedAt, g.FinishedAt, g.ElapsedSeconds = time.Time{}, time.Time{}, nil
	}
	if g.ElapsedSeconds == nil {
		return
	}
	seconds := *g.ElapsedSeconds
	g.ElapsedSeconds = nil
	if math.IsNaN(seconds) || seconds < 0 || seconds > maxElapsed.Seconds() {
		return
	}
	if !g.StartedAt.IsZero() && !g.FinishedAt.IsZero() && math.Abs(g.FinishedAt.Sub(g.StartedAt).Seconds()-seconds) > 2 {
		return // times are often of whole seconds
	}
	seconds = math.Round(seconds*1000) / 1000
	g.ElapsedSeconds = &seconds
}

// maxElapsed is longer than any ingestion takes.
const maxElapsed = 10 * 365 * 24 * time.Hour

// KnowledgeBase applies the rules that hold on every platform.
func KnowledgeBase(k *vendors.KnowledgeBase, vendor string) {
	k.Vendor = vendor
	k.Name, k.Description = visible.Line(k.Name), visible.Text(k.Description)
	k.CreatedAt, k.UpdatedAt = history(k.CreatedAt, k.UpdatedAt)
}

// Hit removes invisible characters from a hit, and says so.
func Hit(h *vendors.Hit) {
	content, removed := visible.Filter(h.Content, false)
	name, inName := visible.Filter(h.DocumentName, true)
	h.Content, h.DocumentName, h.ContentFiltered = content, name, removed || inName
}

// Chunk removes invisible characters from a chunk, and says so.
func Chunk(c *vendors.Chunk) { c.Content, c.ContentFiltered = visible.Filter(c.Content, false) }

// history returns the times of a beginning and of something later, without
// those that are impossible.
func history(began, later time.Time) (time.Time, time.Time) {
	began, later = possible(began), possible(later)
	if later.Before(began) {
		later = time.Time{}
	}
	return began, later
}

// firstSecond is the beginning of 2000, before every document on any of the
// platforms: an earlier time is a number of another meaning.
const firstSecond = 946684800

// possible returns t if it is plausible, zero otherwise.
func possible(t time.Time) time.Time {
	if t.Unix() < firstSecond {
		return time.Time{}
	}
	return t
}
