package several

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"

	"kb-mcp/vendors/internal/paging"
)

// position is the content of a cursor: which lists are done, and where the one
// stands of which rows were shown; open is -1 for none.
type position struct {
	done  big.Int
	open  int
	place string
}

// base writes numbers with few characters.
const base = 36

// text is the cursor.
func (p position) text(query uint32) string {
	head := strconv.FormatUint(uint64(query), base) + "." + p.done.Text(base)
	if p.open < 0 {
		return head
	}
	return fmt.Sprintf("%s.%d.%s", head, p.open, p.place)
}

// parse reads a cursor that belongs to query, of so many lists, and believes
// none of it.
func parse(cursor string, query uint32, lists int) (p position, err error) {
	p.open = -1
	parts := strings.SplitN(strings.TrimSpace(cursor), ".", 4)
	if len(parts) != 2 && len(parts) != 4 || len(parts[1]) > lists {
		return p, paging.NotOurs()
	}
	of, wrong := strconv.ParseUint(parts[0], base, 32)
	if wrong != nil {
		return p, paging.NotOurs()
	}
	if err := paging.CheckQuery(uint32(of), query); err != nil {
		return p, err
	}
	if _, ok := p.done.SetString(parts[1], base); !ok || p.done.Sign() < 0 || p.done.BitLen() > lists {
		return p, paging.NotOurs()
	}
	if len(parts) == 4 {
		p.place = parts[3]
		if p.open, wrong = strconv.Atoi(parts[2]); wrong != nil || p.open < 0 || p.open >= lists || p.done.Bit(p.open) == 1 {
			return p, paging.NotOurs()
		}
	}
	return p, nil
}

// hashOf identifies a query to these connections.
func hashOf[T any](query string, sources []Source[T]) uint32 {
	parts := []string{"several", query}
	for _, s := range sources {
		parts = append(parts, s.Name)
	}
	return paging.Hash(parts...)
}
