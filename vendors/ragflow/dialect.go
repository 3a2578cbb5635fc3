package ragflow

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"sync/atomic"

	"kb-mcp/vendors"
	"kb-mcp/vendors/ragflow/envelope"
	"kb-mcp/vendors/rest"
)

// generation is a state of RAGFlow's API.
type generation int32

const (
	auto    generation = iota + 1 // ask the server
	current                       // v0.14 and newer
	preview                       // v0.8 - v0.10
)

// server is a RAGFlow server in one generation.
type server struct {
	rc *rest.Client
	generation
}

// path is the path of the knowledge bases, or to something below them.
func (s server) path(below ...string) []string {
	root := "datasets"
	if s.generation == preview {
		root = "dataset"
	}
	return append([]string{"api", "v1", root}, below...)
}

// send makes a write. Setting something twice does no harm.
func (s server) send(ctx context.Context, method string, body any, below ...string) (out envelope.Ack, err error) {
	call := rest.Call{Method: method, Path: s.path(below...), Body: body, Write: rest.Once}
	if method == http.MethodPut || method == http.MethodPatch {
		call.Write = rest.Repeatable
	}
	err = s.rc.Do(ctx, call, &out)
	return out, err
}

// currentAPI speaks to v0.14 and newer (http_api_reference.md, "Dataset
// management" and "File management within dataset").
type currentAPI struct {
	server
	*memory
}

// memory is what is known about a server's current API. It is valid until the
// server is upgraded, and then learned again.
type memory struct {
	put       atomic.Bool  // documents are updated with PUT: v0.24 and before
	ownSearch atomic.Bool  // knowledge bases have their own search: Go back end
	ids       atomic.Bool  // documents can be listed by `ids`: v0.25.1 and later
	words     atomic.Int32 // the [wording] of its filter
	noSummary atomic.Bool  // it has no summary of a knowledge base
}

// previewAPI speaks to v0.8 - v0.10 (ragflow_api.md@v0.10.0, and
// api/apps/dataset_api.py where that document is wrong).
type previewAPI struct {
	server
	cannotStart *atomic.Bool // the server cannot start parsing
}

// request makes a call in the server's generation.
//
// As long as that is unknown, the call itself is the first step of detection:
// nearly every server is a current one, so a current request goes out, and only
// an answer of another API (no such path, or the old envelope) costs a request
// to the preview's path. Nothing is remembered before a server has answered.
func request[T any](ctx context.Context, d *Driver, call func(api) (T, error)) (T, error) {
	g := d.generation()
	if g == preview {
		out, err := call(d.before)
		return out, d.learn(preview, err)
	}
	out, err := call(d.now)
	foreign := errors.Is(err, envelope.ErrRouteAbsent) || errors.Is(err, envelope.ErrOldEnvelope)
	if g == current || !foreign {
		return out, d.learn(current, err)
	}
	if err := d.detect(ctx); err != nil {
		var none T
		return none, err
	}
	return call(d.before)
}

// generation is the one that is configured, or that has answered; 0 before.
func (d *Driver) generation() generation {
	if d.configured != auto {
		return d.configured
	}
	return generation(d.found.Load())
}

// learn remembers the generation that answered, and decides what a missing path
// means: on the first call a wrong address, later something the server cannot
// do.
func (d *Driver) learn(g generation, err error) error {
	if !errors.Is(err, envelope.ErrRouteAbsent) {
		if err == nil || vendors.Answered(err) {
			d.found.Store(int32(g))
		}
		return err
	}
	if d.found.Swap(0) != 0 { // upgraded, perhaps: look again at the next call
		return err
	}
	return envelope.Reworded(err, vendors.BadResponse, "At this address there is no RAGFlow server of the configured generation.",
		"Check that RAGFLOW_BASE_URL is the server's root, and leave RAGFLOW_API_GENERATION at auto.")
}

// detect checks whether a server without the current API has the preview's, one
// caller at a time. A nil error means that it has.
func (d *Driver) detect(ctx context.Context) error {
	select {
	case d.probing <- struct{}{}:
		defer func() { <-d.probing }()
	case <-ctx.Done():
		return vendors.Errorf(vendors.Timeout, "The call ended before the server's version was known.")
	}
	if generation(d.found.Load()) == preview {
		return nil
	}
	var out envelope.Answer[[]dataset]
	err := d.before.rc.Do(ctx, rest.Call{Method: http.MethodGet, Path: d.before.path(), Query: url.Values{"count": {"1"}}}, &out)
	switch kind := vendors.KindOf(err); {
	case err == nil, kind == vendors.Unauthenticated: // then the credential is the wrong one for it
		d.found.Store(int32(preview))
	case kind == vendors.Unsupported: // no such path, or not with GET
		return envelope.Reworded(err, kind, "This server has neither RAGFlow's current API nor that of versions 0.8 - 0.10: kb-mcp needs RAGFlow 0.14 or newer.",
			"Upgrade RAGFlow to 0.14 or newer; or, if it is, check that RAGFLOW_BASE_URL is the server's root.")
	}
	return err
}
