package ragflow

import (
	"context"
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"time"

	"kb-mcp/vendors"
	"kb-mcp/vendors/internal/write"
	"kb-mcp/vendors/ragflow/envelope"
	"kb-mcp/vendors/rest"
)

// What RAGFlow accepts as names.
var (
	datasetName = write.Text{Platform: "RAGFlow", Most: 128, Bytes: true}
	fileName    = write.Text{Platform: "RAGFlow", Most: 255, Bytes: true, Refused: `/\`} // it would rename to a path
)

// newest is how many of the newest rows are read for what a lost answer made.
const newest = 100

// datasetBody is what a knowledge base is made of; what is not given is left
// out, and v0.19 and newer refuse any other key.
type datasetBody struct {
	Name        *string `json:"name,omitempty"`
	Description *string `json:"description,omitempty"`
}

// idsBody names what to delete. Typed, because servers up to v0.24 take a body
// without `ids` for everything.
type idsBody struct {
	IDs []string `json:"ids"`
}

// CreateKnowledgeBase implements [vendors.KnowledgeBaseCreator].
func (d *Driver) CreateKnowledgeBase(ctx context.Context, draft vendors.KnowledgeBaseChange) (vendors.KnowledgeBase, error) {
	draft, err := named(draft)
	if err != nil {
		return vendors.KnowledgeBase{}, err
	}
	return request(ctx, d, func(a api) (vendors.KnowledgeBase, error) { return create(ctx, a, draft) })
}

// named trims the name and refuses what RAGFlow would.
func named(change vendors.KnowledgeBaseChange) (vendors.KnowledgeBaseChange, error) {
	if change.Name == nil {
		return change, nil
	}
	name := strings.TrimSpace(*change.Name)
	change.Name = &name
	return change, datasetName.Check("name", name)
}

// create makes a knowledge base. The newest one before it is read for the case
// that the answer is lost. The preview and the Go back end do not set the
// description: it is set afterwards.
func create(ctx context.Context, a api, draft vendors.KnowledgeBaseChange) (vendors.KnowledgeBase, error) {
	before, err := a.knowledgeBases(ctx, vendors.PageQuery{Page: 1, Size: 1})
	if err != nil {
		return vendors.KnowledgeBase{}, vendors.NothingDone(err)
	}
	send := func(ctx context.Context) (vendors.KnowledgeBase, error) { return a.create(ctx, datasetBody(draft)) }
	kb, found, err := write.Create(ctx, send, func(ctx context.Context) ([]vendors.KnowledgeBase, error) {
		now, err := a.knowledgeBases(ctx, vendors.PageQuery{Page: 1, Size: newest})
		key := func(kb vendors.KnowledgeBase) row { return row{kb.KnowledgeBaseID, kb.Name, kb.CreatedAt} }
		return newer(now.Items, before.Items, key, *draft.Name), err
	})
	if err != nil || found || draft.Description == nil || *draft.Description == kb.Description {
		return kb, err
	}
	full, err := a.update(ctx, kb.KnowledgeBaseID, datasetBody{Description: draft.Description})
	if err != nil { // it must not look as if it was not created
		e := vendors.Errorf(vendors.Conflict, "The knowledge base was created with the id %s, but its description could not be set.", kb.KnowledgeBaseID).
			WithHint("Do not create it again: set the description with update_knowledge_base.")
		e.Err, e.Effect = err, vendors.SomeEffect
		return kb, e
	}
	return full, nil
}

// row identifies a row of a listing.
type row struct {
	id, name string
	created  time.Time
}

// newer returns the items that are newer than the newest one before and have
// the name, or the name as RAGFlow changes it when it is taken: "a(1).txt".
func newer[T any](now, before []T, key func(T) row, name string) []T {
	var last row
	if len(before) > 0 {
		last = key(before[0])
	}
	ext := ""
	if i := strings.LastIndexByte(name, '.'); i > 0 {
		name, ext = name[:i], name[i:]
	}
	named := regexp.MustCompile(`^` + regexp.QuoteMeta(name) + `(\(\d+\))?` + regexp.QuoteMeta(ext) + `(\(\d+\))?$`)
	var fresh []T
	for _, item := range now {
		r := key(item)
		if r.id != last.id && !r.created.Before(last.created) && named.MatchString(r.name) {
			fresh = append(fresh, item)
		}
	}
	return fresh
}

// create makes a knowledge base, in the preview of the name alone.
// (ragflow_api.md@v0.10.0 calls the key dataset_name, which the server refuses.)
func (s server) create(ctx context.Context, body datasetBody) (vendors.KnowledgeBase, error) {
	if s.generation == preview {
		body.Description = nil
	}
	var out envelope.Answer[dataset]
	err := s.rc.Do(ctx, rest.Call{Method: http.MethodPost, Path: s.path(), Body: body, Write: rest.Once}, &out)
	kb := out.Payload().normal()
	if err == nil && kb.KnowledgeBaseID == "" {
		err = envelope.NoPayload()
	}
	return kb, err
}

// UpdateKnowledgeBase implements [vendors.KnowledgeBaseUpdater].
func (d *Driver) UpdateKnowledgeBase(ctx context.Context, id string, change vendors.KnowledgeBaseChange) (vendors.KnowledgeBase, error) {
	change, err := named(change)
	if err != nil {
		return vendors.KnowledgeBase{}, err
	}
	return request(ctx, d, func(a api) (vendors.KnowledgeBase, error) {
		kb, err := a.update(ctx, id, datasetBody(change))
		return kb, ownersOnly(ctx, a, id, err)
	})
}

// update sends what is given and reads the knowledge base again: some versions
// answer with nothing but a code.
func (c currentAPI) update(ctx context.Context, id string, body datasetBody) (vendors.KnowledgeBase, error) {
	if _, err := c.send(ctx, http.MethodPut, body, id); err != nil {
		return vendors.KnowledgeBase{}, err
	}
	return c.knowledgeBase(ctx, id)
}

// update sends name and description only: the server would overwrite its own
// columns with other keys.
func (p previewAPI) update(ctx context.Context, id string, body datasetBody) (vendors.KnowledgeBase, error) {
	out, err := p.send(ctx, http.MethodPut, body, id)
	if err != nil {
		return vendors.KnowledgeBase{}, err
	}
	var w dataset
	if json.Unmarshal(out.Payload(), &w) == nil && string(w.ID) == id {
		return w.normal(), nil
	}
	return p.knowledgeBase(ctx, id)
}

// DeleteKnowledgeBase implements [vendors.KnowledgeBaseDeleter]. A lost answer
// is resolved by reading the knowledge base.
func (d *Driver) DeleteKnowledgeBase(ctx context.Context, id string) error {
	_, err := request(ctx, d, func(a api) (vendors.KnowledgeBase, error) {
		err := ownersOnly(ctx, a, id, a.remove(ctx, id))
		if !vendors.Unsure(err) {
			return vendors.KnowledgeBase{}, err
		}
		kb, look := a.knowledgeBase(ctx, id)
		if vendors.KindOf(look) == vendors.ErrNotFound {
			err = nil
		}
		return kb, err
	})
	return err
}

// remove names exactly one id: without any, old servers delete every knowledge
// base of the account.
func (c currentAPI) remove(ctx context.Context, id string) error {
	out, err := c.send(ctx, http.MethodDelete, idsBody{[]string{id}})
	var done struct { // since v0.25; the Go back end lists them
		Count   rest.Num   `json:"success_count"`
		Deleted *[]rest.ID `json:"deleted"`
	}
	if err == nil && json.Unmarshal(out.Payload(), &done) == nil &&
		(done.Count.Valid && done.Count.Int == 0 || done.Deleted != nil && len(*done.Deleted) == 0) {
		return out.Denied("RAGFlow reported success but has deleted no knowledge base.")
	}
	return err
}

func (p previewAPI) remove(ctx context.Context, id string) error {
	_, err := p.send(ctx, http.MethodDelete, nil, id)
	return err
}

// DeleteDocuments implements [vendors.DocumentDeleter].
func (d *Driver) DeleteDocuments(ctx context.Context, kb string, ids []string) ([]vendors.Outcome, error) {
	return d.write(ctx, kb, ids, func(a api) write.Documents {
		w := a.deleting(kb)
		w.Done, w.Resend = vendors.Done, refusedOne
		return w
	})
}

// write runs a write over several documents in the server's generation. It reads
// them before, because servers up to v0.25.1 change those of another knowledge
// base too.
func (d *Driver) write(ctx context.Context, kb string, ids []string, describe func(api) write.Documents) ([]vendors.Outcome, error) {
	if len(ids) == 0 { // RAGFlow takes an empty list for everything
		return nil, vendors.Errorf(vendors.InvalidArgument, "`document_ids` is empty.")
	}
	return request(ctx, d, func(a api) ([]vendors.Outcome, error) {
		w := describe(a)
		w.ReadFirst, w.Races = true, true
		w.Read = func(ctx context.Context, ids []string) (vendors.Report, error) {
			rep, err := a.progress(ctx, kb, ids)
			d.started.correct(rep.Documents)
			return rep, err
		}
		return w.Run(ctx, ids)
	})
}

func (c currentAPI) deleting(kb string) write.Documents {
	send := func(ctx context.Context, docs []vendors.Document) (map[string]error, error) {
		out, err := c.send(ctx, http.MethodDelete, idsBody{write.IDs(docs)}, kb, "documents")
		var done struct { // since v0.25.2
			Deleted rest.Num `json:"deleted"`
		}
		if err == nil && json.Unmarshal(out.Payload(), &done) == nil && done.Deleted.Valid && int(done.Deleted.Int) < len(docs) {
			err = out.Denied("RAGFlow reported success but has deleted %d of %d documents.", done.Deleted.Int, len(docs))
		}
		return nil, err
	}
	return write.Documents{Send: send, Batch: pageSize}
}

// deleting sends one by one; there is no other call.
func (p previewAPI) deleting(kb string) write.Documents {
	send := func(ctx context.Context, docs []vendors.Document) (map[string]error, error) {
		_, err := p.send(ctx, http.MethodDelete, nil, kb, "documents", docs[0].DocumentID)
		return nil, err
	}
	return write.Documents{Send: send, Batch: 1}
}
