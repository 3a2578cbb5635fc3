package sandbox

import (
	"slices"
	"strconv"
	"strings"
)

// tagged reports whether a knowledge base has all of the tags.
func (d *difyStore) tagged(kb string, tags []string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, id := range tags {
		i := slices.IndexFunc(d.tags, func(t difyTag) bool { return t.id == id })
		if i < 0 || !slices.Contains(d.tags[i].bases, kb) {
			return false
		}
	}
	return true
}

// tagsOf is the tags of a knowledge base, as it shows them or for their own list.
func (d *difyStore) tagsOf(kb string, brief bool) []object {
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

func (t difyTag) row() object {
	return object{"id": t.id, "name": t.name, "type": "knowledge", "binding_count": strconv.Itoa(len(t.bases))}
}

// tags answers GET /datasets/tags.
func (f *difyFace) tags(difyAsk) difyReply {
	f.more.mu.Lock()
	defer f.more.mu.Unlock()
	rows := []object{}
	for _, t := range f.more.tags {
		rows = append(rows, t.row())
	}
	return difyReply{200, rows}
}

// change runs a change of the tags; id names one of them, "" none.
func (d *difyStore) change(id string, run func(i int) difyReply) difyReply {
	d.mu.Lock()
	defer d.mu.Unlock()
	i := slices.IndexFunc(d.tags, func(t difyTag) bool { return t.id == id })
	if i < 0 && id != "" {
		return difyError(404, "not_found", "Tag not found")
	}
	return run(i)
}

// addTag answers POST /datasets/tags.
func (f *difyFace) addTag(r difyAsk) difyReply {
	a, bad := f.check(r.Request, "TagCreatePayload", difyField{name: "name", required: true, min: 1, max: 50})
	if bad != nil {
		return *bad
	}
	tag := difyTag{id: hexID(Dify, "tag", f.more.next())}
	tag.name, _ = a.text("name")
	return f.more.change("", func(int) difyReply {
		if slices.ContainsFunc(f.more.tags, func(t difyTag) bool { return t.name == tag.name }) {
			return difyInvalid("Tag name already exists")
		}
		f.more.tags = append(f.more.tags, tag)
		return difyReply{200, tag.row()}
	})
}

// renameTag answers PATCH /datasets/tags.
func (f *difyFace) renameTag(r difyAsk) difyReply {
	a, bad := f.check(r.Request, "TagUpdatePayload", difyField{name: "name", required: true, min: 1, max: 50}, difyField{name: "tag_id", required: true})
	if bad != nil {
		return *bad
	}
	id, _ := a.text("tag_id")
	return f.more.change(id, func(i int) difyReply {
		f.more.tags[i].name, _ = a.text("name")
		return difyReply{200, f.more.tags[i].row()}
	})
}

// deleteTag answers DELETE /datasets/tags.
func (f *difyFace) deleteTag(r difyAsk) difyReply {
	a, bad := f.check(r.Request, "TagDeletePayload", difyField{name: "tag_id", required: true})
	if bad != nil {
		return *bad
	}
	id, _ := a.text("tag_id")
	return f.more.change(id, func(i int) difyReply {
		f.more.tags = slices.Delete(f.more.tags, i, i+1)
		return f.gone()
	})
}

// bindTags answers POST /datasets/tags/binding.
func (f *difyFace) bindTags(r difyAsk) difyReply {
	a, bad := f.check(r.Request, "TagBindingPayload", difyField{name: "target_id", required: true})
	if bad != nil {
		return *bad
	}
	ids, _ := a.texts("tag_ids")
	if len(ids) == 0 {
		return difyInvalid("Tag IDs is required.")
	}
	return f.bind(a, ids, true)
}

// unbindTags answers POST /datasets/tags/unbinding.
func (f *difyFace) unbindTags(r difyAsk) difyReply {
	a, bad := f.check(r.Request, "TagUnbindingPayload", difyField{name: "target_id", required: true})
	if bad != nil {
		return *bad
	}
	ids, _ := a.texts("tag_ids")
	if id, err := a.text("tag_id"); err == nil {
		ids = append(ids, id)
	}
	return f.bind(a, ids, false)
}

func (f *difyFace) bind(a args, ids []string, on bool) difyReply {
	target, _ := a.text("target_id")
	kb := f.s.store.KB(Dify, strings.ToLower(target))
	if kb == nil {
		return difyError(404, "not_found", "Dataset not found")
	}
	for _, id := range ids {
		f.more.change(id, func(i int) difyReply {
			t := &f.more.tags[i]
			t.bases = slices.DeleteFunc(t.bases, func(known string) bool { return known == kb.ID })
			if on {
				t.bases = append(t.bases, kb.ID)
			}
			return difyReply{}
		})
	}
	return f.gone()
}

// boundTags answers GET /datasets/{id}/tags.
func (f *difyFace) boundTags(r difyAsk) difyReply {
	rows := f.more.tagsOf(r.kb.ID, true)
	return difyReply{200, object{"data": rows, "total": len(rows)}}
}
