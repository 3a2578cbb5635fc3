// Package coze speaks the knowledge APIs of Coze: hosted (coze.cn, coze.com) and
// the open-source server coze-studio, over the same knowledge bases.
package coze

import (
	"crypto/rsa"
	"maps"
	"net/http"
	"strings"

	"kb-mcp/vendors/sandbox/internal/web"
	"kb-mcp/vendors/sandbox/world"
)

// object is a JSON object whose keys come out sorted, hence always the same.
type object = map[string]any

// args is the members of a request.
type args = web.Args

// hosted is the hosted Coze API (coze.cn, coze.com). Its facts are those of
// the developer guide's knowledge pages.
type hosted struct {
	s     *tables
	opts  Options
	app   *app
	files files
}

// Name is the face's name.
const Name = "coze"

// Options are what the hosted face can be told.
type Options struct {
	Key         func() *rsa.PrivateKey // of the JWT app
	Spent       bool                   // the free calls are used up: code 4028 with HTTP 200
	PlainStates bool                   // only the documented statuses 0, 1 and 9 are shown
}

// action gives the members of an answer's top level, or panics with a *refusal.
type action func(*http.Request) object

// New serves the hosted API.
func New(w *world.World, o Options) http.Handler {
	c := &hosted{s: &tables{w.Side(world.Coze), o.PlainStates}, opts: o, app: newApp(w, o.Key)}
	mux := http.NewServeMux()
	for pattern, call := range map[string]struct {
		permission string
		action     action
	}{
		"GET /v1/workspaces":                       {"listWorkspace", c.workspaces},
		"GET /v1/datasets":                         {"listKnowledge", c.datasets},
		"POST /v1/datasets":                        {"createKnowledge", c.createKB},
		"PUT /v1/datasets/{id}":                    {"update", c.updateKB},
		"DELETE /v1/datasets/{id}":                 {"delete", c.deleteKB},
		"POST /v1/datasets/{id}/process":           {"readDocumentProgress", c.process},
		"GET /v1/datasets/{id}/images":             {"listPhoto", c.images},
		"PUT /v1/datasets/{id}/images/{document}":  {"updatePhoto", c.caption},
		"POST /open_api/knowledge/document/list":   {"listDocument", c.documents},
		"POST /open_api/knowledge/document/create": {"createDocument", c.createDocuments},
		"POST /open_api/knowledge/document/update": {"updateDocument", c.updateDocument},
		"POST /open_api/knowledge/document/delete": {"deleteDocument", c.deleteDocuments},
		"POST /v1/files/upload":                    {"uploadFile", c.uploadFile},
		"GET /v1/files/retrieve":                   {"retrieveFile", c.file},
	} {
		mux.HandleFunc(pattern, c.serve(func(r *http.Request) object {
			c.admit(r, call.permission)
			return call.action(r)
		}))
	}
	mux.HandleFunc("POST /api/permission/oauth2/token", c.app.exchange)
	mux.HandleFunc("POST /api/permission/oauth2/account/{account}/token", c.app.exchange)
	mux.HandleFunc("/", c.serve(func(*http.Request) object { panic(&refusal{404, 4000, "Request path not found"}) }))
	return mux
}

// tables is what both servers of Coze know of the world.
type tables struct {
	*world.Side
	plainStates bool
}

// refusal is an answer that says no: the HTTP status and Coze's own code
// are independent of each other.
type refusal struct {
	status, code int
	msg          string
}

func badToken() *refusal { return &refusal{401, 700012006, "access token invalid"} }
func notFound() *refusal { return &refusal{200, 4200, "Requested resource not found."} }
func badField(name string) *refusal {
	return &refusal{200, 4000, "Request parameter error: the field " + name + " is missing or not valid."}
}

// serve puts the envelope round what an action gives.
func (c *hosted) serve(call action) http.HandlerFunc {
	answer := func(r *http.Request) (out object, no *refusal) {
		defer web.Catch(&no)
		return call(r), nil
	}
	return func(w http.ResponseWriter, r *http.Request) {
		members, no := answer(r)
		if no == nil {
			no = &refusal{status: 200}
		}
		now := c.s.Now()
		logid := now.UTC().Format("20060102150405") + strings.ToUpper(web.Fingerprint(r, now)[:18])
		w.Header().Set("X-Tt-Logid", logid)
		out := object{"code": no.code, "msg": no.msg, "detail": object{"logid": logid}}
		maps.Copy(out, members)
		web.WriteJSON(w, no.status, out)
	}
}

// admit checks the token, its permission and the rate.
func (c *hosted) admit(r *http.Request, permission string) {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	switch {
	case !ok:
		panic(badToken())
	case token == TokenNoScope:
		panic(&refusal{200, 4101, "Access to this resource is not permitted: the token lacks the permission " + permission + "."})
	case token != Token && !c.app.valid(token):
		panic(badToken())
	case c.opts.Spent:
		panic(&refusal{200, 4028, "You have used up the free API calls of your plan."})
	case !c.s.Limited(Name, false):
		return
	}
	status := http.StatusTooManyRequests // the two forms in which Coze limits the rate take turns
	if c.s.Refusals(Name)%2 == 0 {
		status = http.StatusOK
	}
	panic(&refusal{status, 4009, "Too many requests. Please try again later."})
}
