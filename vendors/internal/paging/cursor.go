package paging

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"slices"
	"time"

	"kb-mcp/vendors"
)

// cursorVersion changes when a cursor of an older kb-mcp can no longer be read.
const cursorVersion = 1

// A cursor recalls rows it saw by their ids: of a sorted listing those of the
// same moment, of another the last ones, fewer because agents pay for every
// character. 40 bits make a collision among 10,000 rows one in a million.
const (
	remembered         = 100
	rememberedUnsorted = 20
	hashBytes          = 5
)

// Position is where a listing stands. It is the content of a cursor, so that a
// listing goes on after a restart or on another replica.
type Position struct {
	Version int
	Query   uint32         // hash of the query: a cursor serves the query that made it
	Page    int            // 1-based, on platforms that number their pages
	Token   string         // the platform's token of this page
	Size    int            // rows a page
	Skip    int            // rows of this page already seen
	Last    int64          // created time of the row seen last, epoch ms; 0: none
	Total   *int           // the platform's row count when the last page was read
	Open    bool           // progress: an unsettled document was seen before
	Count   int            // rows handed over so far, where the order moves
	Moved   bool           // a row of such a listing came again: its order has moved
	Pass    int            // how often such a listing was read to its end
	Filter  vendors.Status // progress: which of the filtered listings
	Seen    []byte         // hashes of the ids seen last, oldest first
}

// Start is the position before the first row.
func Start(query uint32, size int) Position {
	return Position{Version: cursorVersion, Query: query, Page: 1, Size: size}
}

// atStart reports whether nothing was read yet.
func (p Position) atStart() bool { return p.Page == 1 && p.Skip == 0 && p.Token == "" && p.Pass == 0 }

// head is a position's fields in the order in which a cursor holds them: an
// array is half as long as an object, and agents pay by the character. The last
// of them are left out where they say nothing.
func (p *Position) head() []any {
	return append(p.usual(), &p.Count, &p.Pass, &p.Moved, &p.Filter)
}

func (p *Position) usual() []any {
	return []any{&p.Version, &p.Query, &p.Page, &p.Token, &p.Size, &p.Skip, &p.Last, &p.Total, &p.Open}
}

// Cursor is the opaque form of a position.
func (p Position) Cursor() string {
	fields := p.usual()
	if p.Count != 0 || p.Pass != 0 || p.Filter != "" {
		fields = p.head()
	}
	return Encode(fields, p.Seen)
}

// ParseCursor reads a cursor that belongs to query, and believes none of it.
func ParseCursor(s string, query uint32) (p Position, err error) {
	if p.Seen, err = Decode(s, len(p.usual()), p.head()); err == nil && !p.possible() {
		err = NotOurs()
	}
	if err == nil {
		err = CheckQuery(p.Query, query)
	}
	return p, err
}

// possible reports whether a position can be one that this package made.
func (p Position) possible() bool {
	return p.Version == cursorVersion && p.Page >= 1 && p.Page <= 1<<24 &&
		p.Size >= 1 && p.Size <= 100 && p.Skip >= 0 && p.Skip <= 1<<24 && (p.Total == nil || *p.Total >= 0) &&
		p.Count >= 0 && p.Count <= 1<<24 && p.Pass >= 0 && p.Pass < maxPasses && (p.Filter == "" || slices.Contains(vendors.Statuses(), p.Filter)) &&
		len(p.Seen)%hashBytes == 0 && len(p.Seen) <= hashBytes*remembered
}

// Hash identifies a query by everything that changes its rows.
func Hash(parts ...string) uint32 {
	h := fnv.New32a()
	for _, s := range parts {
		fmt.Fprintf(h, "%d:%s", len(s), s)
	}
	return h.Sum32()
}

// idHash identifies a row.
func idHash(id string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(id))
	return h.Sum64()
}

// remember is the form in which a cursor holds a row.
func remember(id string) []byte {
	return binary.BigEndian.AppendUint64(nil, idHash(id))[8-hashBytes:]
}

// See returns the position after row i of the current page. Where rows come
// sorted by their created time, only those of the same moment need remembering.
func (p Position) See(i int, id string, created time.Time, sorted bool) Position {
	p.Skip = i + 1
	keep, most := p.Seen, rememberedUnsorted
	if sorted {
		most = remembered
	}
	if ms := created.UnixMilli(); !created.IsZero() {
		if sorted && ms != p.Last {
			keep = nil
		}
		p.Last = ms
	}
	if extra := len(keep) - hashBytes*(most-1); extra > 0 {
		keep = keep[extra:]
	}
	seen := make([]byte, 0, len(keep)+hashBytes)
	p.Seen = append(append(seen, keep...), remember(id)...)
	return p
}

// recalls reports whether id is among the rows seen last.
func (p Position) recalls(id string) bool { return p.recall(remember(id)) >= 0 }

// recall is the place of a row among those seen last; -1 when it is not.
func (p Position) recall(h []byte) int {
	for i := 0; i < len(p.Seen); i += hashBytes {
		if bytes.Equal(p.Seen[i:i+hashBytes], h) {
			return i / hashBytes
		}
	}
	return -1
}

// behind is the index of the last row of a page that was seen; -1 for none. If
// rows keep their order, the rows before it were seen too or are new: those
// that were seen last stand together then.
func (p Position) behind(ids []string) int {
	last, together := p.seenLast(ids)
	if !together {
		return -1
	}
	return last
}

// seenLast finds those of a page's rows that were seen last. together says that
// they stand one behind the other, in the order in which they were seen, as rows
// do that others have pushed down.
func (p Position) seenLast(ids []string) (last int, together bool) {
	last, place := -1, -1
	together = true
	for i, id := range ids {
		n := p.recall(remember(id))
		if n < 0 {
			continue
		}
		together = together && (last < 0 || i == last+1 && n == place+1)
		last, place = i, n
	}
	return last, together
}

// turn returns the position at the beginning of the next page.
func (p Position) turn(token string, total *int) Position {
	p.Skip, p.Token, p.Total = 0, token, total
	p.Page++
	return p
}

// resize is the same position in pages of another size. Numbered pages count
// from the top; a token stays.
func (p Position) resize(size int) Position {
	if p.Token == "" {
		rows := (p.Page-1)*p.Size + p.Skip
		p.Page, p.Skip = rows/size+1, rows%size
	}
	p.Size = size
	return p
}
