package connection

import (
	"cmp"
	"strings"

	"kb-mcp/vendors"
)

// Place is where a document stands among unfinished ones: failed, suspected
// stalls, those that wait for a person, then the others; newest first among
// equals. It is comparable across connections.
type Rank struct {
	Urgency         int
	Created         int64 // epoch ms
	Vendor, KB, Doc string
}

// PlaceOf is the place of a document.
func RankOf(d vendors.Document) Rank {
	p := Rank{Urgency: urgency(d), Vendor: d.Vendor, KB: d.KnowledgeBaseID, Doc: d.DocumentID}
	if !d.CreatedAt.IsZero() {
		p.Created = d.CreatedAt.UnixMilli()
	}
	return p
}

// Compare orders places.
func (p Rank) Compare(o Rank) int {
	return cmp.Or(cmp.Compare(p.Urgency, o.Urgency), cmp.Compare(o.Created, p.Created),
		strings.Compare(p.Vendor, o.Vendor), strings.Compare(p.KB, o.KB), strings.Compare(p.Doc, o.Doc))
}

// WorstFirst orders unfinished documents by their places.
func WorstFirst(a, b vendors.Document) int { return RankOf(a).Compare(RankOf(b)) }

func urgency(d vendors.Document) int {
	switch {
	case d.Status == vendors.Failed:
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
