package ragflow

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"kb-mcp/vendors"
	"kb-mcp/vendors/rest"
)

// generation is a state of RAGFlow's API.
type generation int32

const (
	auto    generation = iota + 1 // ask the server
	current                       // v0.14 and newer
	preview                       // v0.8 - v0.10
)

// Marks on errors (in their cause) that say something about the server.
var (
	errRouteAbsent = errors.New("the server does not have this path")
	errOldEnvelope = errors.New("the server answers in retcode and retmsg")
)

// ask makes a call in the server's generation.
//
// As long as that is unknown, the call itself is the first step of detection:
// nearly every server is a current one, so a current request goes out, and only
// an answer of another API (no such path, or the old envelope) costs a look at
// the preview's path. Nothing is remembered before a server has answered.
func ask[T any](ctx context.Context, d *Driver, call func(api) (T, error)) (T, error) {
	g := generation(d.found.Load())
	if d.configured != auto {
		g = d.configured
	}
	if g == preview {
		out, err := call(d.before)
		return out, d.judge(preview, err)
	}
	out, err := call(d.now)
	foreign := errors.Is(err, errRouteAbsent) || errors.Is(err, errOldEnvelope)
	if g == current || !foreign {
		return out, d.judge(current, err)
	}
	if err := d.detect(ctx); err != nil {
		var none T
		return none, err
	}
	return call(d.before)
}

// judge remembers the generation that answered, and says what a missing path
// means: on the first call a wrong address, later something the server cannot do.
func (d *Driver) judge(g generation, err error) error {
	var e *vendors.Error
	answered := err == nil || errors.As(err, &e) && e.VendorCode != ""
	switch {
	case !errors.Is(err, errRouteAbsent):
		if answered {
			d.found.Store(int32(g))
		}
		return err
	case d.found.Swap(0) != 0: // upgraded, perhaps: look again at the next call
		return err
	}
	c := *e
	c.Kind = vendors.BadResponse
	c.Message = "At this address there is no RAGFlow server of the configured generation."
	c.Hint = "Check that RAGFLOW_BASE_URL is the server's root, and leave RAGFLOW_API_GENERATION at auto."
	return &c
}

// detect asks whether a server without the current API has the preview's, one
// caller at a time. No error means that it has.
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
	var out answer[[]dataset]
	err := d.before.rc.Do(ctx, rest.Call{
		Method: http.MethodGet, Path: []string{"api", "v1", "dataset"}, Query: url.Values{"count": {"1"}},
	}, &out)
	var e *vendors.Error
	switch {
	case err == nil:
		d.found.Store(int32(preview))
	case !errors.As(err, &e):
	case e.Kind == vendors.Unsupported: // no such path, or not with GET
		return tooOld(*e)
	case e.Kind == vendors.Unauthenticated:
		// It is a preview server, and the credential is the wrong one for it.
		d.found.Store(int32(preview))
	}
	return err
}

// tooOld is the error for a server between the two generations.
func tooOld(e vendors.Error) error {
	e.Kind = vendors.Unsupported
	e.Message = "This server has neither RAGFlow's current API nor that of versions 0.8 - 0.10: kb-mcp needs RAGFlow 0.14 or newer."
	e.Hint = "Upgrade RAGFlow to 0.14 or newer; or, if it is, check that RAGFLOW_BASE_URL is the server's root."
	return &e
}
