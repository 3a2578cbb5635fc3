package volcengine

import (
	"context"
	"errors"
	"sync"
	"time"

	"kb-mcp/vendors"
)

// How long and how many ids of names are remembered: a name may be given to
// another knowledge base.
const (
	nameLife = 10 * time.Minute
	maxNames = 1000
)

// names remembers the resource ids of knowledge bases by their names.
type names struct {
	mu    sync.Mutex
	known map[string]nameOf
}

type nameOf struct {
	id    string
	until time.Time
}

func (n *names) get(name string, now time.Time) (id string, ok bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	k, ok := n.known[name]
	return k.id, ok && now.Before(k.until)
}

func (n *names) put(name, id string, now time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.known == nil || len(n.known) >= maxNames {
		n.known = map[string]nameOf{}
	}
	n.known[name] = nameOf{id, now.Add(nameLife)}
}

// forget drops everything: some knowledge base is not there any more.
func (n *names) forget() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.known = nil
}

// ResolveKnowledgeBase implements [vendors.KnowledgeBaseResolver]: a knowledge
// base has a resource id and a name, and answers carry the former. A credential
// that may not look it up keeps the name, which every call takes too.
func (d *Driver) ResolveKnowledgeBase(ctx context.Context, id string) (string, error) {
	if resource(id) {
		return id, nil
	}
	if known, ok := d.names.get(id, d.now()); ok {
		return known, nil
	}
	c, err := call[collection](ctx, d, d.ofCollection(id), "collection", "info")
	switch {
	case vendors.KindOf(err) == vendors.PermissionDenied:
		return id, nil
	case err != nil:
		return "", err
	case c.ResourceID == "":
		return id, nil
	}
	d.names.put(id, string(c.ResourceID), d.now())
	return string(c.ResourceID), nil
}

// index is the state of a knowledge base's index, as the platform numbers it;
// "" when it does not say. One index that is built is enough for searches.
func (c collection) index() string {
	state := ""
	for _, x := range c.first().Indexes {
		if s := whole(x.Status); s == "1" || state == "" {
			state = s
		}
	}
	return state
}

// explained says why a search failed or found nothing, where the state of the
// index tells: err is what is known so far, nil for no hit.
func (d *Driver) explained(ctx context.Context, kb string, err error) error {
	c, failed := call[collection](ctx, d, d.ofCollection(kb), "collection", "info")
	if failed != nil {
		return err // the search's own word stands
	}
	var e *vendors.Error
	switch c.index() {
	case "-1", "0":
		e = notReady()
	case "2":
		e = vendors.Errorf(vendors.Conflict, "Volcengine failed to build the index of the knowledge base, so that no search finds anything.").
			WithHint("Its owner must look at the index in Volcengine's console; the documents are there, and list_chunks shows their text.")
	case "3":
		e = vendors.Errorf(vendors.Conflict, "The index of the knowledge base is being changed, so that searches may miss what is there.").
			WithHint("Try again in a few minutes; until then list_chunks shows the text of a document.")
		e.Retry = vendors.Later
	default:
		return err
	}
	var said *vendors.Error
	if errors.As(err, &said) {
		e.VendorCode, e.VendorMessage, e.HTTPStatus, e.RequestID = said.VendorCode, said.VendorMessage, said.HTTPStatus, said.RequestID
	}
	return e
}

// notReady is the error of a search before the index is built.
func notReady() *vendors.Error {
	e := vendors.Errorf(vendors.Conflict, "The index of the knowledge base is not ready, so that searches find nothing yet.").
		WithHint("The index is still being built; try again in a few minutes. Until then list_chunks shows the text of a document.")
	e.Retry = vendors.Later
	return e
}
