package dify

import (
	"slices"
	"strconv"
	"strings"
	"sync"

	"kb-mcp/vendors/sandbox/internal/web"
	"kb-mcp/vendors/sandbox/world"
)

// tag is a tag and the knowledge bases that have it.
type tag struct {
	id, name string
	bases    []string
}

// registry is what the face keeps beside the store. It is safe for concurrent use.
type registry struct {
	mu   sync.Mutex
	made int
	tags []tag
}

// next is a number that nothing else of the face has.
func (d *registry) next() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.made++
	return d.made
}

// tagged reports whether a knowledge base has all of the tags.
func (d *registry) tagged(kb string, tags []string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, id := range tags {
		i := slices.IndexFunc(d.tags, func(t tag) bool { return t.id == id })
		if i < 0 || !slices.Contains(d.tags[i].bases, kb) {
			return false
		}
	}
	return true
}

// tagsOf is the tags of a knowledge base, as it shows them or for their own list.
func (d *registry) tagsOf(kb string, brief bool) []object {
	d.mu.Lock()
	defer d.mu.Unlock()
	rows := []object{}
	for _, t := range d.tags {
		switch {
		case !slices.Contains(t.bases, kb):
		case brief:
			rows = append(rows, object{"id": t.id, "name": t.name})
		default:
			rows = append(rows, object{"id": t.id, "name": t.name, "type": "knowledge"})
		}
	}
	return rows
}

func (t tag) row() object {
	return object{"id": t.id, "name": t.name, "type": "knowledge", "binding_count": strconv.Itoa(len(t.bases))}
}

// tags answers GET /datasets/tags.
func (f *face) tags(request) reply {
	f.more.mu.Lock()
	defer f.more.mu.Unlock()
	rows := web.Rows(f.more.tags, tag.row)
	return reply{200, rows}
}

// change runs a change of the tags; id names one of them, "" none.
func (d *registry) change(id string, run func(i int) reply) reply {
	d.mu.Lock()
	defer d.mu.Unlock()
	i := slices.IndexFunc(d.tags, func(t tag) bool { return t.id == id })
	if i < 0 && id != "" {
		return problem(404, "not_found", "Tag not found")
	}
	return run(i)
}

// addTag answers POST /datasets/tags.
func (f *face) addTag(r request) reply {
	a := f.check(r.Request, "TagCreatePayload", field{name: "name", required: true, min: 1, max: 50})
	made := tag{id: world.HexID(world.Dify, "tag", f.more.next()), name: a.Str("name")}
	return f.more.change("", func(int) reply {
		if slices.ContainsFunc(f.more.tags, func(t tag) bool { return t.name == made.name }) {
			return invalid("Tag name already exists")
		}
		f.more.tags = append(f.more.tags, made)
		return reply{200, made.row()}
	})
}

// renameTag answers PATCH /datasets/tags.
func (f *face) renameTag(r request) reply {
	a := f.check(r.Request, "TagUpdatePayload", field{name: "name", required: true, min: 1, max: 50}, field{name: "tag_id", required: true})
	id := a.Str("tag_id")
	return f.more.change(id, func(i int) reply {
		f.more.tags[i].name = a.Str("name")
		return reply{200, f.more.tags[i].row()}
	})
}

// deleteTag answers DELETE /datasets/tags.
func (f *face) deleteTag(r request) reply {
	a := f.check(r.Request, "TagDeletePayload", field{name: "tag_id", required: true})
	id := a.Str("tag_id")
	return f.more.change(id, func(i int) reply {
		f.more.tags = slices.Delete(f.more.tags, i, i+1)
		return f.gone()
	})
}

// bindTags answers POST /datasets/tags/binding.
func (f *face) bindTags(r request) reply {
	a := f.check(r.Request, "TagBindingPayload", field{name: "target_id", required: true})
	ids, _ := a.Texts("tag_ids")
	if len(ids) == 0 {
		return invalid("Tag IDs is required.")
	}
	return f.bind(a, ids, true)
}

// unbindTags answers POST /datasets/tags/unbinding.
func (f *face) unbindTags(r request) reply {
	a := f.check(r.Request, "TagUnbindingPayload", field{name: "target_id", required: true})
	ids, _ := a.Texts("tag_ids")
	if id, err := a.Text("tag_id"); err == nil {
		ids = append(ids, id)
	}
	return f.bind(a, ids, false)
}

func (f *face) bind(a args, ids []string, on bool) reply {
	target := a.Str("target_id")
	kb := f.s.KB(strings.ToLower(target))
	if kb == nil {
		return problem(404, "not_found", "Dataset not found")
	}
	for _, id := range ids {
		f.more.change(id, func(i int) reply {
			t := &f.more.tags[i]
			t.bases = slices.DeleteFunc(t.bases, func(known string) bool { return known == kb.ID })
			if on {
				t.bases = append(t.bases, kb.ID)
			}
			return reply{}
		})
	}
	return f.gone()
}

// boundTags answers GET /datasets/{id}/tags.
func (f *face) boundTags(r request) reply {
	rows := f.more.tagsOf(r.kb.ID, true)
	return reply{200, object{"data": rows, "total": len(rows)}}
}
