package coze

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"kb-mcp/vendors"
	"kb-mcp/vendors/rest"
)

// endpoint is one call of the API, with the words for its errors.
type endpoint struct {
	method, path string // "*" is an id
	write        rest.Write
	thing        string // what not_found is about
	permission   string // what the token needs
}

// The API. Servers silently ignore what they do not know of a request.
var (
	listSpaces     = endpoint{"GET", "v1/workspaces", rest.Reads, "The account", "listWorkspace (unless COZE_SPACE_ID is set)"}
	listDatasets   = endpoint{"GET", "v1/datasets", rest.Reads, "The space", "listKnowledge"}
	createDataset  = endpoint{"POST", "v1/datasets", rest.Once, "The space", "createKnowledge"}
	updateDataset  = endpoint{"PUT", "v1/datasets/*", rest.Repeatable, "The knowledge base", "update (of Knowledge)" + owned}
	deleteDataset  = endpoint{"DELETE", "v1/datasets/*", rest.Once, "The knowledge base", "delete (of Knowledge)" + owned}
	readProgress   = endpoint{"POST", "v1/datasets/*/process", rest.Reads, "The knowledge base or a document", "readDocumentProgress"}
	listImages     = endpoint{"GET", "v1/datasets/*/images", rest.Reads, "The knowledge base", "listPhoto"}
	updateImage    = endpoint{"PUT", "v1/datasets/*/images/*", rest.Repeatable, "The image", "updatePhoto" + owned}
	uploadFile     = endpoint{"POST", "v1/files/upload", rest.Reads, "The file", "uploadFile"} // changes no knowledge base
	listDocuments  = endpoint{"POST", "open_api/knowledge/document/list", rest.Reads, "The knowledge base", "listDocument"}
	createDocument = endpoint{"POST", "open_api/knowledge/document/create", rest.Once, "The knowledge base", "createDocument" + owned}
	updateDocument = endpoint{"POST", "open_api/knowledge/document/update", rest.Repeatable, "The document", "updateDocument" + owned}
	deleteDocument = endpoint{"POST", "open_api/knowledge/document/delete", rest.Once, "A document", "deleteDocument" + owned}
)

const owned = ", ownership of the knowledge base"

// do makes one request and returns the payload of its answer. c holds what the
// endpoint does not, ids are for its path.
func do[P payload](ctx context.Context, d *Driver, e endpoint, c rest.Call, ids ...string) (P, error) {
	c.Method, c.Write, c.Path = e.method, e.write, strings.Split(e.path, "/")
	for i, segment := range c.Path {
		if segment == "*" {
			c.Path[i], ids = ids[0], ids[1:]
		}
	}
	// Without this header the gateway writes int64 ids as numbers.
	c.Header = http.Header{"Agw-Js-Conv": {"str"}}
	var out answer[P]
	err := d.authorized(ctx, func() error { return d.client.Do(ctx, c, &out) })
	var failure *vendors.Error
	if errors.As(err, &failure) {
		e.name(failure)
	}
	return out.payload(), err
}

// name fills what the call was about into the text of its error.
func (e endpoint) name(err *vendors.Error) {
	if err.VendorCode == "105000012" {
		e.thing = "The document"
	}
	err.Message = strings.Replace(err.Message, "{thing}", e.thing, 1)
	err.Hint = strings.Replace(err.Hint, "{permission}", e.permission, 1)
}

// authorized sends a request with a token that is good. The token of a JWT app is
// renewed once when the platform refuses it, never again within the call.
func (d *Driver) authorized(ctx context.Context, send func() error) error {
	if d.tokens == nil {
		return send()
	}
	token, err := d.tokens.Get(ctx, "")
	if err != nil {
		return vendors.NothingDone(err)
	}
	err = send()
	if !errors.Is(err, errExpired) {
		return err
	}
	if _, err := d.tokens.Get(ctx, token); err != nil {
		return vendors.NothingDone(err)
	}
	return send()
}

// sign puts the token on a request. A JWT app's was obtained in
// [Driver.authorized], above the pacing, so that the exchange takes its own
// turn.
func (d *Driver) sign(r *http.Request, _ []byte) error {
	token := d.token
	if d.tokens != nil {
		token = d.tokens.Cached()
	}
	r.Header.Set("Authorization", "Bearer "+token)
	return nil
}
