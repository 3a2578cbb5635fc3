package vendors

import (
	"math"
	"slices"
	"time"
)

// settleDocument makes one document true to the rules of every platform.
// The percentage follows the status, never the other way round: 100 exactly
// when completed, below 100 while queued or processing, absent otherwise.
func settleDocument(d *Document, vendor, kb string) {
	d.Vendor, d.KnowledgeBaseID = vendor, kb
	switch d.Status {
	case Completed:
		hundred := 100
		d.ProgressPercent = &hundred
	case Queued, Processing:
		if d.ProgressPercent != nil {
			p := min(max(*d.ProgressPercent, 0), 99)
			d.ProgressPercent = &p
		}
	default:
		d.ProgressPercent = nil
	}
	if d.Status != Failed {
		d.Error = nil
	}
	d.Searchable = unserved(d)
	d.CreatedAt, d.UpdatedAt = history(d.CreatedAt, d.UpdatedAt)
	settleIngestion(&d.Ingestion, d.Status)
	showDocument(d)
}

// unserved is false for a completed document that searches do not return, as
// far as the platform's flags and its driver say; nil otherwise.
func unserved(d *Document) *bool {
	is := func(flag *bool, value bool) bool { return flag != nil && *flag == value }
	if d.Status == Completed && (is(d.Enabled, false) || is(d.Archived, true) || is(d.Searchable, false)) {
		return new(bool)
	}
	return nil
}

// showDocument takes out of a platform's and its users' words what nobody sees.
func showDocument(d *Document) {
	d.Name, d.VendorStatus, d.Format = VisibleLine(d.Name), VisibleLine(d.VendorStatus), VisibleLine(d.Format)
	d.SourceURL = VisibleLine(d.SourceURL)
	if e := d.Error; e != nil {
		d.Error = &Failure{Code: VisibleLine(e.Code), Message: VisibleLine(e.Message), Retryable: e.Retryable, Hint: VisibleLine(e.Hint)}
	}
	if i := slices.IndexFunc(d.Warnings, func(w string) bool { return VisibleLine(w) != w }); i >= 0 {
		d.Warnings = slices.Clone(d.Warnings)
		for ; i < len(d.Warnings); i++ {
			d.Warnings[i] = VisibleLine(d.Warnings[i])
		}
	}
	if !fits(d.Metadata, metadataDepth) {
		d.Metadata = fitted(d.Metadata, metadataDepth).(map[string]any)
	}
}

// settleIngestion leaves out times that cannot belong together: those of a document
// whose ingestion nobody has asked for, an end before the start, and a duration
// that the two deny.
func settleIngestion(g *Ingestion, s Status) {
	g.StartedAt, g.FinishedAt = history(g.StartedAt, g.FinishedAt)
	g.MovedAt, g.NewestAt = possible(g.MovedAt), possible(g.NewestAt)
	if s == NotStarted {
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

// settleKnowledgeBase makes a knowledge base true to the rules of every platform.
func settleKnowledgeBase(k *KnowledgeBase, vendor string) {
	k.Vendor = vendor
	k.Name, k.Description = VisibleLine(k.Name), Visible(k.Description)
	k.CreatedAt, k.UpdatedAt = history(k.CreatedAt, k.UpdatedAt)
}

// showHit takes out of a hit what nobody sees, and says so.
func showHit(h *Hit) {
	content, removed := visible(h.Content, false)
	name, inName := visible(h.DocumentName, true)
	h.Content, h.DocumentName, h.ContentFiltered = content, name, removed || inName
}

// showChunk takes out of a chunk what nobody sees, and says so.
func showChunk(c *Chunk) { c.Content, c.ContentFiltered = visible(c.Content, false) }

// history is the times of a beginning and of something later, without those
// that cannot be.
func history(began, later time.Time) (time.Time, time.Time) {
	began, later = possible(began), possible(later)
	if later.Before(began) {
		later = time.Time{}
	}
	return began, later
}

// firstSecond is the beginning of 2000, before every document on any of the
// platforms: what is earlier is another number in the place of a time.
const firstSecond = 946684800

// possible is a time that can be one, zero otherwise.
func possible(t time.Time) time.Time {
	if t.Unix() < firstSecond {
		return time.Time{}
	}
	return t
}
