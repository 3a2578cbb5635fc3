package coze

import (
	"maps"
	"net/http"
	"strings"

	"kb-mcp/vendors/sandbox/internal/web"
	"kb-mcp/vendors/sandbox/world"
)

// studio is the knowledge API of the open-source server coze-studio: the
// same paths as hosted Coze, other types, pages, words and errors. It limits
// no rate. Its answers are those of a real server, v0.5.1 of 2026-11-29.
type studio struct {
	s     *tables
	files files
}

// NewStudio serves the open-source server's API.
func NewStudio(w *world.World) http.Handler { return &studio{s: &tables{Side: w.Side(world.Coze)}} }

// studioAnswer is a status with the JSON to send; a text answers instead as
// text/plain, and an answer without either is empty.
type studioAnswer struct {
	status int
	json   object
	text   string
	bare   bool // comes before anything that would give the answer a log id
}

// studioUser is the caller: "" is the user of [Token].
type studioUser string

// studioError is an answer with nothing but code and msg.
func studioError(status, code int, msg string) studioAnswer {
	return studioAnswer{status: status, json: object{"code": code, "msg": msg}}
}

// The refusals of studio.
func studioForeign() studioAnswer {
	return studioError(200, 105000001, "unauthorized access : permission denied")
}
func studioBroken() studioAnswer { return studioError(500, 500, "internal server error") }
func studioPanic() studioAnswer  { return studioAnswer{status: 500} }
func studioNoSession() studioAnswer {
	return studioError(401, 401, "missing session_key in cookie")
}
func studioInvalid(what string) studioAnswer {
	return studioError(200, 105000000, "invalid parameter : "+what)
}
func studioTooLong() studioAnswer {
	return studioError(200, 105000003, "MySQL operation failed: Error 1406 (22001): Data too long for column 'name' at row 1")
}

// studioOK is a success; data may be nil.
func studioOK(msg string, members object) studioAnswer {
	out := object{"code": 0, "msg": msg}
	maps.Copy(out, members)
	return studioAnswer{status: 200, json: out}
}

// ServeHTTP answers one call.
func (c *studio) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	out := c.call(r)
	if !out.bare {
		w.Header().Set("X-Log-Id", web.Fingerprint(r, c.s.Now())[:32])
	}
	switch {
	case out.text != "":
		web.WriteRaw(w, out.status, "text/plain; charset=utf-8", out.text)
	case out.json != nil:
		web.WriteJSON(w, out.status, out.json)
	default:
		w.WriteHeader(out.status)
	}
}

// studioCall is a call of a known user.
type studioCall = func(*http.Request, studioUser) studioAnswer

// call finds what a path means. The path decides before the token: what is not
// open to tokens, and an id that is not all digits, meets the check of the web
// session.
func (c *studio) call(r *http.Request) (out studioAnswer) {
	defer web.Catch(&out)
	methods := c.methods(r)
	if methods == nil {
		return studioNoSession()
	}
	if call, ok := methods[r.Method]; ok {
		return c.authorised(r, call)
	}
	if id, ok := strings.CutPrefix(r.URL.Path, "/v1/datasets/"); ok && web.Digits(id) { // a router that looks for the path with a slash
		status := http.StatusTemporaryRedirect
		if r.Method == http.MethodGet {
			status = http.StatusMovedPermanently
		}
		return studioAnswer{status: status, bare: true}
	}
	return c.authorised(r, func(*http.Request, studioUser) studioAnswer { return studioError(404, 404, "not found") })
}

// methods are the calls of a path that is open to tokens, by method.
func (c *studio) methods(r *http.Request) map[string]studioCall {
	calls := map[string]map[string]studioCall{
		"/v1/datasets":                        {"GET": c.datasets, "POST": c.createKB},
		"/v1/files/upload":                    {"POST": c.uploadFile},
		"/open_api/knowledge/document/list":   {"POST": c.documents},
		"/open_api/knowledge/document/create": {"POST": c.createDocuments},
		"/open_api/knowledge/document/update": {"POST": c.updateDocument},
		"/open_api/knowledge/document/delete": {"POST": c.deleteDocuments},
	}[r.URL.Path]
	if calls != nil {
		return calls
	}
	rest, ok := strings.CutPrefix(r.URL.Path, "/v1/datasets/")
	id, what, deeper := strings.Cut(rest, "/")
	if !ok || !web.Digits(id) {
		return nil
	}
	withID := func(call func(*http.Request, studioUser, string) studioAnswer) studioCall {
		return func(r *http.Request, user studioUser) studioAnswer {
			studioInt(id)
			return call(r, user, id)
		}
	}
	switch {
	case !deeper:
		return map[string]studioCall{"PUT": withID(c.updateKB), "DELETE": withID(c.deleteKB)}
	case what == "process":
		return map[string]studioCall{"POST": withID(c.process)}
	case what == "images":
		return map[string]studioCall{"GET": withID(c.images)}
	}
	return nil
}

// authorised makes the call when the token is known. Nobody checks when a token
// expired, and no token has scopes.
func (c *studio) authorised(r *http.Request, call studioCall) studioAnswer {
	refuse := func(why string) studioAnswer { return studioError(200, 700012006, "authentication failed: "+why) }
	header := r.Header.Get("Authorization")
	if header == "" {
		return refuse("missing authorization in header")
	}
	parts := strings.Split(header, "Bearer")
	if len(parts) != 2 || strings.TrimSpace(parts[1]) == "" {
		return refuse("missing api_key in request")
	}
	switch strings.TrimSpace(parts[1]) {
	case Token:
		return call(r, "")
	case TokenNoScope:
		return call(r, "other")
	}
	return refuse("CheckPermission failed")
}

// mayRead reports whether a space is not somebody else's: one that does not
// exist is nobody's.
func (u studioUser) mayRead(space string) bool {
	switch space {
	case SpaceID:
		return u == ""
	case OtherSpaceID:
		return u == "other"
	}
	return true
}

// owns reports whether a knowledge base is not somebody else's.
func (u studioUser) owns(kb *world.KnowledgeBase) bool { return kb == nil || kb.Owner == string(u) }

// ownsAll reports the same of documents.
func (c *studio) ownsAll(u studioUser, docs []*world.Document) bool {
	for _, d := range docs {
		if !u.owns(c.s.KB(d.KB)) {
			return false
		}
	}
	return true
}
