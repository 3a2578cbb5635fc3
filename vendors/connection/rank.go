package connection

import (
	"cmp"
	"strings"

	"kb-mcp/vendors"
	"kb-mcp/vendors/internal/paging"
)

// Rank is where a document stands among unfinished ones: failed, suspected
// stalls, those that wait for a person, then the others; newest first among
// equals. It is comparable across connections.
type Rank struct {
	Urgency         int
	Created         int64 // epoch ms
	Vendor, KB, Doc string
}

// RankOf is the rank of a document.
func RankOf(d vendors.Document) Rank {
	r := Rank{Urgency: urgency(d), Vendor: d.Vendor, KB: d.KnowledgeBaseID, Doc: d.DocumentID}
	if !d.CreatedAt.IsZero() {
		r.Created = d.CreatedAt.UnixMilli()
	}
	return r
}

// Compare orders ranks.
func (r Rank) Compare(o Rank) int {
	return cmp.Or(cmp.Compare(r.Urgency, o.Urgency), cmp.Compare(o.Created, r.Created),
		strings.Compare(r.Vendor, o.Vendor), strings.Compare(r.KB, o.KB), strings.Compare(r.Doc, o.Doc))
}

// rankVersion changes when a rank of an older kb-mcp can no longer be read.
const rankVersion = 2

// Cursor continues the search for query behind the document of this rank.
func (r Rank) Cursor(query string) string {
	return paging.Encode([]any{rankVersion, paging.Hash(query), r.Urgency, r.Created, r.Vendor, r.KB, r.Doc}, nil)
}

// ParseRank reads a cursor that belongs to query.
func ParseRank(cursor, query string) (r Rank, err error) {
	var version int
	var of uint32
	fields := []any{&version, &of, &r.Urgency, &r.Created, &r.Vendor, &r.KB, &r.Doc}
	if _, err = paging.Decode(strings.TrimSpace(cursor), len(fields), fields); err == nil && version == rankVersion {
		err = paging.CheckQuery(of, paging.Hash(query))
	} else if err == nil {
		err = paging.NotOurs()
	}
	return r, err
}

// WorstFirst orders unfinished documents by their ranks.
func WorstFirst(a, b vendors.Document) int { return RankOf(a).Compare(RankOf(b)) }

func urgency(d vendors.Document) int {
	switch {
	case d.Status.IsFailed():
		return 0
	case d.Stalled != nil:
		return 1
	case d.Status.NeedsAction():
		return 2
	case !d.Status.Settled():
		return 3
	}
	return 4
}
