package coze

import (
	"context"
	"sync"

	"kb-mcp/vendors"
)

// There is no call for one knowledge base: it is looked for in the lists of the
// spaces, by its name where that was seen before.

// Bounds of a search for one knowledge base.
const (
	mostSearched   = 20 // spaces
	mostLookup     = 50 // pages of a space
	mostRemembered = 4096
)

// bases remembers in which space and by which name knowledge bases were seen,
// and their kind, which never changes.
type bases struct {
	mu   sync.Mutex
	seen map[string]seenBase // by id
}

type seenBase struct{ space, name, kind string }

func (b *bases) remember(space string, rows []dataset) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, w := range rows {
		if len(b.seen) >= mostRemembered {
			clear(b.seen)
		}
		if b.seen == nil {
			b.seen = make(map[string]seenBase)
		}
		b.seen[string(w.ID)] = seenBase{space, string(w.Name), kindOfFormat(w.FormatType)}
	}
}

func (b *bases) get(id string) (seenBase, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	base, ok := b.seen[id]
	return base, ok
}

// lookup finds the row of a knowledge base; nil when no space that was read has
// it. Those on which no other endpoint works are not found.
func (d *Driver) lookup(ctx context.Context, id string) (*dataset, error) {
	if base, ok := d.bases.get(id); ok && base.name != "" {
		row, err := d.onPage(ctx, base.space, 1, base.name, id)
		if row != nil || err != nil {
			return row, err
		}
	}
	spaces, err := []string{d.space}, error(nil)
	if d.space == "" {
		spaces, err = d.spaceIDs(ctx)
	}
	if err != nil {
		return nil, err
	}
	for _, space := range spaces[:min(len(spaces), mostSearched)] {
		row, err := d.inSpace(ctx, space, id)
		kind := vendors.KindOf(err)
		visited := len(spaces) > 1 && (kind == vendors.PermissionDenied || kind == vendors.ErrNotFound)
		if row != nil || err != nil && !visited {
			return row, err
		}
	}
	return nil, nil
}

// inSpace finds a knowledge base in one space; nil when it is not there.
func (d *Driver) inSpace(ctx context.Context, space, id string) (*dataset, error) {
	for page := 1; page <= mostLookup; page++ {
		r, err := d.datasets(ctx, space, page, d.kbPage, "")
		if err != nil {
			return nil, err
		}
		if row := r.find(id); row != nil {
			return row, nil
		}
		if len(r.List) == 0 || !more(page, d.kbPage, len(r.List), r.Total) {
			break
		}
	}
	return nil, nil
}

// onPage finds a knowledge base on one page of those of a name.
func (d *Driver) onPage(ctx context.Context, space string, page int, name, id string) (*dataset, error) {
	r, err := d.datasets(ctx, space, page, d.kbPage, name)
	return r.find(id), err
}

func (r datasets) find(id string) *dataset {
	for i := range r.List {
		if string(r.List[i].ID) == id && !r.List[i].foreign() {
			return &r.List[i]
		}
	}
	return nil
}
