package connection

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"kb-mcp/vendors"
	"kb-mcp/vendors/internal/paging"
)

// findTime bounds a search for documents on one connection; findAtOnce is how
// many of its knowledge bases are read at once.
const (
	findTime   = 42 * time.Second // leaves time for the answer
	findAtOnce = 4
	walkedAge  = time.Minute // of a list of knowledge bases over which a search goes on
)

// finding is a search for documents over knowledge bases of a connection.
type finding struct {
	c     *Connection
	q     ListQuery
	until time.Time
	out   Part[vendors.Document]
}

// place is where a search stands: the knowledge bases before base are done. They
// are read in the order of their hashes, which new ones do not disturb.
type place struct {
	base   uint32
	cursor string // in base; "" for its beginning
}

// text is the form of a place that a [Part] has.
func (p place) text() string { return strconv.FormatUint(uint64(p.base), 36) + "~" + p.cursor }

// parsePlace reads a place, "" being the beginning.
func parsePlace(s string) (p place, err error) {
	if s == "" {
		return p, nil
	}
	base, cursor, ok := strings.Cut(s, "~")
	n, wrong := strconv.ParseUint(base, 36, 32)
	if !ok || wrong != nil {
		return p, paging.NotOurs()
	}
	return place{uint32(n), cursor}, nil
}

// FindDocuments finds documents by name, status and enabled, in q's knowledge
// base or in all of them, from a place on, until it has q.Limit or the time for
// it is over. Rows name their knowledge bases. What could not be read is in
// Gaps; an error means that nothing could.
func (c *Connection) FindDocuments(ctx context.Context, q ListQuery) (Part[vendors.Document], error) {
	f := &finding{c: c, q: q, until: time.Now().Add(findTime)}
	ctx, cancel := context.WithDeadline(ctx, f.until)
	defer cancel()
	from, err := parsePlace(q.Cursor)
	if err == nil {
		err = c.breaker.Check(tool(ctx))
	}
	var bases []vendors.KnowledgeBase
	if err == nil {
		bases, err = f.bases(ctx)
	}
	if err != nil {
		return f.out, c.wrap(ctx, err)
	}
	if q.KnowledgeBaseID != "" {
		if err := f.one(ctx, bases[0], from); err != nil {
			return f.out, c.wrap(ctx, err)
		}
		return f.out, nil
	}
	bases = slices.DeleteFunc(bases, func(k vendors.KnowledgeBase) bool { return hashOfBase(k) < from.base || c.without(k, q) })
	f.all(ctx, bases, from)
	f.out.Gaps = c.fewGaps(f.out.Gaps)
	return f.out, nil
}

func hashOfBase(k vendors.KnowledgeBase) uint32 { return paging.Hash(k.KnowledgeBaseID) }

// bases are the knowledge bases to look through, in the order of their hashes.
func (f *finding) bases(ctx context.Context) ([]vendors.KnowledgeBase, error) {
	if f.q.KnowledgeBaseID != "" {
		err := f.c.resolve(ctx, &f.q.KnowledgeBaseID)
		return []vendors.KnowledgeBase{{KnowledgeBaseID: f.q.KnowledgeBaseID}}, err
	}
	if all, known := f.c.walked.Get(""); known && f.q.Cursor != "" { // it goes on over those that it began with
		return slices.Clone(all), nil
	}
	all, short, err := f.c.everyBase(ctx, f.until)
	if short != nil {
		f.gap(ctx, "", short.WithHint("Ask for one knowledge base at a time."))
	}
	slices.SortFunc(all, func(a, b vendors.KnowledgeBase) int {
		return cmp.Or(cmp.Compare(hashOfBase(a), hashOfBase(b)), strings.Compare(a.KnowledgeBaseID, b.KnowledgeBaseID))
	})
	if err == nil && short == nil {
		f.c.walked.Put("", slices.Clone(all))
	}
	return all, err
}

// without reports whether the list of knowledge bases rules one out: it is
// empty, or the platform counts nothing in it that is not completed.
func (c *Connection) without(k vendors.KnowledgeBase, q ListQuery) bool {
	return k.DocumentCount != nil && *k.DocumentCount == 0 ||
		q.Status != "" && !q.Status.IsCompleted() && k.Pending != nil && *k.Pending == 0
}

// ruledOut reports whether counters of the platform rule out that anything
// matches, where reading rows would take many requests.
func (c *Connection) ruledOut(ctx context.Context, k vendors.KnowledgeBase, q ListQuery) bool {
	if _, filters := c.driver.(vendors.UnfinishedFilter); filters || q.Status == "" || q.Status.IsCompleted() ||
		k.DocumentCount != nil && *k.DocumentCount <= fewRows {
		return false
	}
	_, all := c.allCompleted(ctx, k.KnowledgeBaseID)
	return all
}

// gap notes what could not be read.
func (f *finding) gap(ctx context.Context, kb string, err error) {
	f.out.Gaps = append(f.out.Gaps, f.c.incomplete(ctx, kb, err))
}

// short is why a search with fewer rows than were wanted does not go on now.
func (f *finding) short(rows int, why paging.Bound, err error) *vendors.ErrorReport {
	if rows >= f.q.Limit {
		return nil
	}
	e := stopped(why, err, 0, "documents").WithHint("Call again with next_cursor: it goes on where this stopped.")
	gap := Gap(f.c.name, "", e)
	return &gap.Error
}

// all looks through knowledge bases, some at once, until there are enough rows.
func (f *finding) all(ctx context.Context, bases []vendors.KnowledgeBase, from place) {
	for len(bases) > 0 {
		n := min(findAtOnce, len(bases))
		parts, errs := make([]Part[vendors.Document], n), make([]error, n)
		var wg sync.WaitGroup
		for i, k := range bases[:n] {
			cursor := ""
			if hashOfBase(k) == from.base {
				cursor = from.cursor
			}
			wg.Go(func() {
				errs[i] = Recovered(func() (err error) { parts[i], err = f.in(ctx, k, cursor); return err })
			})
		}
		wg.Wait()
		for i, p := range parts {
			if errs[i] != nil {
				f.gap(ctx, bases[i].KnowledgeBaseID, errs[i])
				continue
			}
			f.out.Rows, f.out.Gaps = append(f.out.Rows, p.Rows...), append(f.out.Gaps, p.Gaps...)
			if !p.Done {
				f.out.End = p.End
				if len(f.out.Rows) < f.q.Limit {
					f.out.Short = p.Short
				}
				return
			}
		}
		if bases = bases[n:]; len(bases) > 0 && (len(f.out.Rows) >= f.q.Limit || ctx.Err() != nil) {
			f.out.End = place{base: hashOfBase(bases[0])}.text()
			f.out.Short = f.short(len(f.out.Rows), paging.TimeBound, nil)
			return
		}
	}
	f.out.Done = true
}

// one looks through the one knowledge base that was asked for.
func (f *finding) one(ctx context.Context, k vendors.KnowledgeBase, from place) (err error) {
	if from.base != 0 && from.base != hashOfBase(k) {
		return paging.NotOurs()
	}
	f.out, err = f.in(ctx, k, from.cursor)
	return err
}

// in looks through one knowledge base from a cursor on.
func (f *finding) in(ctx context.Context, k vendors.KnowledgeBase, cursor string) (out Part[vendors.Document], err error) {
	q := f.q
	q.KnowledgeBaseID = k.KnowledgeBaseID
	if cursor == "" && f.c.ruledOut(ctx, k, q) {
		return Part[vendors.Document]{Done: true}, nil
	}
	w := f.c.documents(vendors.PageQuery{KnowledgeBaseID: q.KnowledgeBaseID, Status: q.Status, NameContains: q.NameContains})
	for {
		q.Cursor, q.Limit = cursor, f.q.Limit-len(out.Rows)
		found, err := paging.Collect(ctx, w, f.c.memory, f.c.query("documents", q), q.matches)
		if kind := vendors.KindOf(err); err != nil && (kind == vendors.RateLimited || ctx.Err() != nil) {
			out.End, out.Short = place{hashOfBase(k), cursor}.text(), f.short(len(out.Rows), paging.LimitBound, err)
			return out, nil
		}
		if err != nil {
			return out, err
		}
		for i, r := range found.Rows {
			out.Rows = append(out.Rows, PartRow[vendors.Document]{f.c.row(r.Item, q.KnowledgeBaseID), place{hashOfBase(k), found.Behind.At(i)}.text()})
		}
		if found.Lost > 0 {
			out.Gaps = append(out.Gaps, f.c.incomplete(ctx, q.KnowledgeBaseID, vendors.Errorf(vendors.BadResponse, "%s", lostHint(found.Why, found.Lost))))
		}
		if cursor = found.Cursor; cursor == "" {
			out.Done = true
			return out, nil
		}
		if len(out.Rows) >= f.q.Limit || found.Why == paging.LimitBound || ctx.Err() != nil {
			out.End, out.Short = place{hashOfBase(k), cursor}.text(), f.short(len(out.Rows), found.Why, found.Err)
			return out, nil
		}
	}
}
