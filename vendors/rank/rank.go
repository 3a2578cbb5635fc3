// Package rank orders unfinished documents: what needs a person first.
package rank

import (
	"cmp"
	"math"
	"strings"

	"kb-mcp/vendors"
	"kb-mcp/vendors/internal/paging"
)

// Rank is where a document stands among unfinished ones: failed, suspected
// stalls, those that wait for a person, then the others; newest first among
// equals. It is comparable across connections.
type Rank struct {
	Urgency int
	Created int64  // epoch ms
	Tie     uint64 // of knowledge base and document
}

// Of is the rank of a document.
func Of(d vendors.Document) Rank {
	kb, doc := paging.Hash(d.Vendor, d.KnowledgeBaseID), paging.Hash(d.DocumentID)
	r := Rank{Urgency: urgency(d), Tie: uint64(kb)<<32 | uint64(doc)}
	if !d.CreatedAt.IsZero() {
		r.Created = max(0, d.CreatedAt.UnixMilli())
	}
	return r
}

// Compare orders ranks.
func (r Rank) Compare(o Rank) int {
	return cmp.Or(cmp.Compare(r.Urgency, o.Urgency), cmp.Compare(o.Created, r.Created), cmp.Compare(r.Tie, o.Tie))
}

// rankVersion changes when a rank of an older kb-mcp can no longer be read.
const rankVersion = 3

// Cursor continues the search for query behind the document of this rank.
func (r Rank) Cursor(query string) string {
	return paging.Encode([]uint64{rankVersion, uint64(paging.Hash(query)), uint64(r.Urgency), uint64(r.Created), r.Tie}, nil)
}

// Parse reads a cursor that belongs to query.
func Parse(cursor, query string) (Rank, error) {
	n, tail, err := paging.Decode(strings.TrimSpace(cursor), 5)
	if err != nil {
		return Rank{}, err
	}
	if n[0] != rankVersion || n[1] > math.MaxUint32 || n[2] > uint64(leastUrgent) || n[3] > math.MaxInt64 || len(tail) > 0 {
		return Rank{}, paging.NotOurs()
	}
	return Rank{Urgency: int(n[2]), Created: int64(n[3]), Tie: n[4]}, paging.CheckQuery(uint32(n[1]), paging.Hash(query))
}

// WorstFirst orders unfinished documents by their ranks.
func WorstFirst(a, b vendors.Document) int { return Of(a).Compare(Of(b)) }

// leastUrgent is the urgency of what settled without failing.
const leastUrgent = 4

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
	return leastUrgent
}
