package coze

import (
	"crypto/rsa"
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

// New serves the hosted API.
func New(w *world.World, o Options) http.Handler {
	return &hosted{s: &tables{w, o.PlainStates}, opts: o, app: newApp(w, o.Key)}
}

// tables is what both servers of Coze know of the world.
type tables struct {
	*world.World
	plainStates bool
}

// refusal is an answer that says no: the HTTP status and Coze's own code
// are independent of each other.
type refusal struct {
	status, code int
	msg          string
}

// The refusals of the hosted API.
func badToken() *refusal { return &refusal{401, 700012006, "access token invalid"} }
func noPath() *refusal   { return &refusal{404, 4000, "Request path not found"} }
func notFound() *refusal { return &refusal{200, 4200, "Requested resource not found."} }
func badField(name string) *refusal {
	return &refusal{200, 4000, "Request parameter error: the field " + name + " is missing or not valid."}
}

// action is what a call gives: members for the top level, or a refusal.
type action = func(*http.Request) (object, *refusal)

// ServeHTTP answers one call: path, token, permission, rate, then the call.
func (c *hosted) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if account, ok := tokenPath(r.URL.Path); ok && r.Method == http.MethodPost {
		c.app.exchange(w, r, account)
		return
	}
	call, permission := c.route(r)
	if call == nil {
		c.refuse(w, r, noPath())
		return
	}
	if no := c.admit(r, permission); no != nil {
		c.refuse(w, r, no)
		return
	}
	payload, no := call(r)
	if no != nil {
		c.refuse(w, r, no)
		return
	}
	c.answer(w, r, 200, 0, "", payload)
}

// route finds the call of a path and the permission that it needs.
func (c *hosted) route(r *http.Request) (action, string) {
	switch r.Method + " " + r.URL.Path {
	case "GET /v1/datasets":
		return c.datasets, "listKnowledge"
	case "GET /v1/workspaces":
		return c.workspaces, "listWorkspace"
	case "POST /open_api/knowledge/document/list":
		return c.documents, "listDocument"
	case "GET /v1/files/retrieve":
		return c.file, "retrieveFile"
	}
	if id, ok := underDataset(r.URL.Path, "/images"); ok && r.Method == http.MethodGet {
		return func(r *http.Request) (object, *refusal) { return c.images(r, id) }, "listPhoto"
	}
	if id, ok := processPath(r.URL.Path); ok && r.Method == http.MethodPost {
		return func(r *http.Request) (object, *refusal) { return c.process(r, id) }, "readDocumentProgress"
	}
	return c.writeRoute(r)
}

// processPath takes the id out of /v1/datasets/{id}/process.
func processPath(path string) (id string, ok bool) { return underDataset(path, "/process") }

// underDataset takes the id out of /v1/datasets/{id} with something behind.
func underDataset(path, behind string) (id string, ok bool) {
	rest, ok := strings.CutPrefix(path, "/v1/datasets/")
	if !ok {
		return "", false
	}
	id, ok = strings.CutSuffix(rest, behind)
	return id, ok && id != "" && !strings.Contains(id, "/")
}

// admit checks the token, its permission and the rate.
func (c *hosted) admit(r *http.Request, permission string) *refusal {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	switch {
	case !ok:
		return badToken()
	case token == TokenNoScope:
		return &refusal{200, 4101, "Access to this resource is not permitted: the token lacks the permission " + permission + "."}
	case token != Token && !c.app.valid(token):
		return badToken()
	case c.opts.Spent:
		return &refusal{200, 4028, "You have used up the free API calls of your plan."}
	case c.s.Limited(Name, false):
		return c.tooMany()
	}
	return nil
}

// tooMany alternates between the two forms in which Coze limits the rate.
func (c *hosted) tooMany() *refusal {
	status := http.StatusTooManyRequests
	if c.s.Refusals(Name)%2 == 0 {
		status = http.StatusOK
	}
	return &refusal{status, 4009, "Too many requests. Please try again later."}
}

func (c *hosted) refuse(w http.ResponseWriter, r *http.Request, no *refusal) {
	c.answer(w, r, no.status, no.code, no.msg, nil)
}

// answer writes the envelope round payload.
func (c *hosted) answer(w http.ResponseWriter, r *http.Request, status, code int, msg string, payload object) {
	now := c.s.Now()
	logid := now.UTC().Format("20060102150405") + strings.ToUpper(web.Fingerprint(r, now)[:18])
	w.Header().Set("X-Tt-Logid", logid)
	out := object{"code": code, "msg": msg, "detail": object{"logid": logid}}
	for k, v := range payload {
		out[k] = v
	}
	web.WriteJSON(w, status, out)
}
