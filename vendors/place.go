package vendors

import (
	"cmp"
	"strings"
)

// Place is where a document stands among unfinished ones: failed, suspected
// stalls, those that wait for a person, then the others; newest first among
// equals. It is comparable across connections.
type Place struct {
	Urgency         int
	Created         int64 // epoch ms
	Vendor, KB, Doc string
}

// PlaceOf is the place of a document.
func PlaceOf(d Document) Place {
	p := Place{Urgency: urgency(d), Vendor: d.Vendor, KB: d.KnowledgeBaseID, Doc: d.DocumentID}
	if !d.CreatedAt.IsZero() {
		p.Created = d.CreatedAt.UnixMilli()
	}
	return p
}

// Compare orders places.
func (p Place) Compare(o Place) int {
	return cmp.Or(cmp.Compare(p.Urgency, o.Urgency), cmp.Compare(o.Created, p.Created),
		strings.Compare(p.Vendor, o.Vendor), strings.Compare(p.KB, o.KB), strings.Compare(p.Doc, o.Doc))
}

// WorstFirst orders unfinished documents by their places.
func WorstFirst(a, b Document) int { return PlaceOf(a).Compare(PlaceOf(b)) }

func urgency(d Document) int {
	switch {
	case d.Status == Failed:
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
