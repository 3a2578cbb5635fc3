package paging

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"math"
	"slices"
	"strings"
	"time"

	"kb-mcp/vendors"
)

// cursorVersion changes when a cursor of an older kb-mcp can no longer be read.
const cursorVersion = 2

// A cursor recalls the rows it saw last by their ids: of a sorted listing those of
// the same moment. They are few, because agents pay for every character; where
// rows keep their order, those before them were seen, too, and a token is a place
// by itself. 32 bits make a collision in a page of 100 one in several millions.
const (
	remembered      = 6
	rememberedToken = 2
	hashBytes       = 4
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

// A cursor's numbers: version, query, flags, page, size, skip, last, total, count,
// pass and filter, length of the token. The token and what was seen follow.
const numbers = 11

// flags of a cursor, below the form of its token.
const (
	openFlag = 1 << iota
	movedFlag
	totalFlag
	secondsFlag // last is in seconds
	tokenForm   // from this bit on
)

// Cursor is the opaque form of a position.
func (p Position) Cursor() string {
	form, token := shorten(p.Token)
	flags, last, total := form*tokenForm, max(0, p.Last), 0
	if p.Open {
		flags |= openFlag
	}
	if p.Moved {
		flags |= movedFlag
	}
	if p.Total != nil {
		flags, total = flags|totalFlag, *p.Total
	}
	if last%1000 == 0 {
		flags, last = flags|secondsFlag, last/1000
	}
	filter := slices.Index(vendors.Statuses(), p.Filter) + 1
	head := []uint64{uint64(p.Version), uint64(p.Query), uint64(flags), uint64(p.Page), uint64(p.Size), uint64(p.Skip), uint64(last),
		uint64(total), uint64(p.Count), uint64(p.Pass + maxPasses*filter), uint64(len(token))}
	return Encode(head, append(token, p.Seen...))
}

// ParseCursor reads a cursor that belongs to query, and believes none of it.
func ParseCursor(s string, query uint32) (Position, error) {
	n, tail, err := Decode(s, numbers)
	if err != nil {
		return Position{}, err
	}
	p, ok := position(n, tail)
	if !ok || !p.possible() || p.Cursor() != strings.TrimSpace(s) {
		return Position{}, NotOurs()
	}
	return p, CheckQuery(p.Query, query)
}

// position is what a cursor's numbers and the bytes behind them say.
func position(n []uint64, tail []byte) (p Position, ok bool) {
	statuses := append([]vendors.Status{""}, vendors.Statuses()...)
	for _, v := range n {
		if v >= 1<<53 {
			return p, false
		}
	}
	flags, filter, token := int(n[2]), n[9]/maxPasses, n[10]
	if n[1] > math.MaxUint32 || filter >= uint64(len(statuses)) || token > uint64(len(tail)) || flags >= 2*digitsToken*tokenForm ||
		flags >= digitsToken*tokenForm && token > maxDigits {
		return p, false
	}
	p = Position{
		Version: int(n[0]), Query: uint32(n[1]), Open: flags&openFlag != 0, Moved: flags&movedFlag != 0, Page: int(n[3]), Size: int(n[4]), Skip: int(n[5]),
		Last: int64(n[6]), Count: int(n[8]), Pass: int(n[9] % maxPasses), Filter: statuses[filter],
		Token: lengthen(flags/tokenForm, tail[:token]), Seen: tail[token:],
	}
	if flags&secondsFlag != 0 {
		p.Last *= 1000
	}
	if flags&totalFlag != 0 {
		total := int(n[7])
		p.Total = &total
	}
	return p, true
}

// possible reports whether a position can be one that this package made.
func (p Position) possible() bool {
	return p.Version == cursorVersion && p.Page >= 1 && p.Page <= 1<<24 &&
		p.Size >= 1 && p.Size <= 100 && p.Skip >= 0 && p.Skip <= 1<<24 && (p.Total == nil || *p.Total >= 0) &&
		p.Count >= 0 && p.Count <= 1<<24 && p.Pass >= 0 && p.Pass < maxPasses && len(p.Seen)%hashBytes == 0 && len(p.Seen) <= hashBytes*remembered
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
	keep, last, most := p.Seen, int64(0), remembered
	if p.Token != "" {
		most = rememberedToken
	}
	if sorted {
		if last = created.UnixMilli(); last != p.Last {
			keep = nil
		}
	}
	p.Last = last
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
		together = together && (last < 0 || i == last+1 && n > place) // one between them may be deleted
		last, place = i, n
	}
	return last, together
}

// turn returns the position at the beginning of the next page.
func (p Position) turn(token string, total *int) Position {
	p.Skip, p.Token, p.Total = 0, token, total
	if extra := len(p.Seen) - hashBytes*rememberedToken; token != "" && extra > 0 {
		p.Seen = p.Seen[extra:]
	}
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
