package vendors

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"time"
)

// cursorVersion changes when a cursor of an older kb-mcp can no longer be read.
const cursorVersion = 1

// remembered is how many of the rows seen last a cursor recalls by their ids,
// at hashBytes each: 40 bits make a collision among 10,000 rows one in a million.
const (
	remembered = 100
	hashBytes  = 5
)

// position is where a listing stands. It is the content of a cursor, so that a
// listing goes on after a restart or on another replica.
type position struct {
	Version int    `json:"v"`
	Query   uint64 `json:"q"`           // hash of the query: a cursor serves the query that made it
	Page    int    `json:"p"`           // 1-based, on platforms that number their pages
	Token   string `json:"t,omitempty"` // the platform's token of this page
	Size    int    `json:"n"`           // rows a page
	Skip    int    `json:"k,omitempty"` // rows of this page already seen
	Last    int64  `json:"c,omitempty"` // created time of the row seen last, epoch ms
	Total   *int   `json:"m,omitempty"` // the platform's row count when the last page was read
	Open    bool   `json:"o,omitempty"` // progress: an unsettled document was seen before
	Seen    []byte `json:"-"`           // hashes of the ids seen last, oldest first; behind the JSON
}

// start is the position before the first row.
func start(query uint64, size int) position {
	return position{Version: cursorVersion, Query: query, Page: 1, Size: size}
}

// cursor is the opaque form of a position: its JSON, a zero byte, the hashes.
func (p position) cursor() string {
	b, err := json.Marshal(p)
	if err != nil {
		panic(err) // ints and strings only
	}
	return base64.RawURLEncoding.EncodeToString(append(append(b, 0), p.Seen...))
}

// parseCursor reads a cursor that belongs to query.
func parseCursor(s string, query uint64) (position, error) {
	var p position
	b, err := base64.RawURLEncoding.DecodeString(s)
	head, seen, ok := bytes.Cut(b, []byte{0})
	if err == nil {
		err = json.Unmarshal(head, &p)
	}
	p.Seen = seen
	bad := err != nil || !ok || p.Version != cursorVersion || p.Page < 1 || p.Page > 1<<24 ||
		p.Size < 1 || p.Size > 100 || p.Skip < 0 || p.Skip > 1<<24 ||
		len(seen)%hashBytes != 0 || len(seen) > hashBytes*remembered
	if bad {
		return p, Errorf(InvalidArgument, "`cursor` is not a cursor of this server.").
			WithHint("Pass next_cursor of the previous answer unchanged, or leave `cursor` out to start again.")
	}
	if p.Query != query {
		return p, Errorf(InvalidArgument, "`cursor` belongs to a call with other arguments.").
			WithHint("Repeat the arguments of the call that gave the cursor (only `limit` may change), or leave `cursor` out.")
	}
	return p, nil
}

// queryHash identifies a query by everything that changes its rows.
func queryHash(parts ...string) uint64 {
	h := fnv.New64a()
	for _, s := range parts {
		fmt.Fprintf(h, "%d:%s", len(s), s)
	}
	return h.Sum64() >> 11 // 53 bits: safe in every JSON reader
}

// idHash is the remembered form of an id.
func idHash(id string) []byte {
	h := fnv.New64a()
	h.Write([]byte(id))
	return h.Sum(make([]byte, 0, 8))[8-hashBytes:]
}

// see returns the position after row i of the current page. Where rows come
// sorted by their created time, only those of the same moment need remembering.
func (p position) see(i int, id string, created time.Time, sorted bool) position {
	p.Skip = i + 1
	keep := p.Seen
	if ms := created.UnixMilli(); !created.IsZero() {
		if sorted && ms != p.Last {
			keep = nil
		}
		p.Last = ms
	}
	if len(keep) >= hashBytes*min(p.Size, remembered) {
		keep = keep[hashBytes:]
	}
	seen := make([]byte, 0, len(keep)+hashBytes)
	p.Seen = append(append(seen, keep...), idHash(id)...)
	return p
}

// recalls reports whether id is among the rows seen last.
func (p position) recalls(id string) bool {
	h := idHash(id)
	for i := 0; i < len(p.Seen); i += hashBytes {
		if bytes.Equal(p.Seen[i:i+hashBytes], h) {
			return true
		}
	}
	return false
}

// turn returns the position at the beginning of the page after page.
func (p position) turn(token string, total *int) position {
	p.Skip, p.Token, p.Total = 0, token, total
	p.Page++
	return p
}
