package sandbox

import (
	"net/http"
	"strings"
)

// cozeFace is the hosted Coze API (coze.cn, coze.com). Its facts are those of
// the developer guide's knowledge pages.
type cozeFace struct {
	s     *Sandbox
	app   *cozeApp
	files cozeFiles
}

func newCoze(s *Sandbox) http.Handler { return &cozeFace{s: s, app: newCozeApp(s)} }

// cozeRefusal is an answer that says no: the HTTP status and Coze's own code
// are independent of each other.
type cozeRefusal struct {
	status, code int
	msg          string
}

// The refusals of the hosted API.
func cozeBadToken() *cozeRefusal { return &cozeRefusal{401, 700012006, "access token invalid"} }
func cozeNoPath() *cozeRefusal   { return &cozeRefusal{404, 4000, "Request path not found"} }
func cozeNotFound() *cozeRefusal { return &cozeRefusal{200, 4200, "Requested resource not found."} }
func cozeBadField(name string) *cozeRefusal {
	return &cozeRefusal{200, 4000, "Request parameter error: the field " + name + " is missing or not valid."}
}

// cozeAnswer is what a call gives: members for the top level, or a refusal.
type cozeAnswer = func(*http.Request) (object, *cozeRefusal)

// ServeHTTP answers one call: path, token, permission, rate, then the call.
func (c *cozeFace) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if account, ok := cozeTokenPath(r.URL.Path); ok && r.Method == http.MethodPost {
		c.app.exchange(w, r, account)
		return
	}
	call, permission := c.route(r)
	if call == nil {
		c.refuse(w, r, cozeNoPath())
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
func (c *cozeFace) route(r *http.Request) (cozeAnswer, string) {
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
	if id, ok := cozeUnderDataset(r.URL.Path, "/images"); ok && r.Method == http.MethodGet {
		return func(r *http.Request) (object, *cozeRefusal) { return c.images(r, id) }, "listPhoto"
	}
	if id, ok := cozeProcessPath(r.URL.Path); ok && r.Method == http.MethodPost {
		return func(r *http.Request) (object, *cozeRefusal) { return c.process(r, id) }, "readDocumentProgress"
	}
	return c.writeRoute(r)
}

// cozeProcessPath takes the id out of /v1/datasets/{id}/process.
func cozeProcessPath(path string) (id string, ok bool) { return cozeUnderDataset(path, "/process") }

// cozeUnderDataset takes the id out of /v1/datasets/{id} with something behind.
func cozeUnderDataset(path, behind string) (id string, ok bool) {
	rest, ok := strings.CutPrefix(path, "/v1/datasets/")
	if !ok {
		return "", false
	}
	id, ok = strings.CutSuffix(rest, behind)
	return id, ok && id != "" && !strings.Contains(id, "/")
}

// admit checks the token, its permission and the rate.
func (c *cozeFace) admit(r *http.Request, permission string) *cozeRefusal {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	switch {
	case !ok:
		return cozeBadToken()
	case token == CozeTokenNoScope:
		return &cozeRefusal{200, 4101, "Access to this resource is not permitted: the token lacks the permission " + permission + "."}
	case token != CozeToken && !c.app.valid(token):
		return cozeBadToken()
	case c.s.opts.Spent:
		return &cozeRefusal{200, 4028, "You have used up the free API calls of your plan."}
	case c.s.limited(FaceCoze, false):
		return c.tooMany()
	}
	return nil
}

// tooMany alternates between the two forms in which Coze limits the rate.
func (c *cozeFace) tooMany() *cozeRefusal {
	status := http.StatusTooManyRequests
	if c.s.refusals(FaceCoze)%2 == 0 {
		status = http.StatusOK
	}
	return &cozeRefusal{status, 4009, "Too many requests. Please try again later."}
}

func (c *cozeFace) refuse(w http.ResponseWriter, r *http.Request, no *cozeRefusal) {
	c.answer(w, r, no.status, no.code, no.msg, nil)
}

// answer writes the envelope round payload.
func (c *cozeFace) answer(w http.ResponseWriter, r *http.Request, status, code int, msg string, payload object) {
	now := c.s.now()
	logid := now.UTC().Format("20060102150405") + strings.ToUpper(fingerprint(r, now)[:18])
	w.Header().Set("X-Tt-Logid", logid)
	out := object{"code": code, "msg": msg, "detail": object{"logid": logid}}
	for k, v := range payload {
		out[k] = v
	}
	writeJSON(w, status, out)
}
