// Package dify speaks Dify's knowledge service API, of the release that it is told
// to be, and serves the files that the API gives addresses of.
package dify

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"kb-mcp/vendors/sandbox/internal/web"
	"kb-mcp/vendors/sandbox/world"
)

// object is a JSON object whose keys come out sorted, hence always the same.
type object = map[string]any

// args is the members of a request.
type args = web.Args

// newest is the server that the face behaves like when nobody says another.
const newest = "1.17.1"

// Options are what the Dify face can be told.
type Options struct {
	// Version is the release: "1.8.1", "1.12.1", or "" for the newest.
	Version string
	// Model is why the model provider does not work, in its own words; "" when
	// it does.
	Model string
	// DaemonDown says that the plugin daemon, which knows the models, is away.
	DaemonDown bool
	// NoDefaultModel says that nobody has chosen a default model.
	NoDefaultModel bool
	// Plan is the refusal of uploads whose plan is used up; "" when it is not.
	Plan string
	// FloatTimes says that times are floats where older servers send floats.
	FloatTimes bool
	// OldDeletes says that a delete is answered with 200 and the body 204, as
	// from 1.4 to 1.12.
	OldDeletes bool
}

// Name is the face's name.
const Name = "dify"

// daemonText is what every use of the plugin daemon answers without it.
const daemonText = "Failed to request plugin daemon, url: plugin/66b1401e-fbe7-4a65-8b83-5aae30dce7f1/management/models"

// notFoundPage is what Dify answers to a path that no route has, which includes a
// malformed id: HTML, before any key is looked at.
const notFoundPage = `<!doctype html>
<html lang=en>
<title>404 Not Found</title>
<h1>Not Found</h1>
<p>The requested URL was not found on the server. If you entered the URL manually please check your spelling and try again.</p>
`

// movedPage is what Dify answers to its root without the slash at the end.
const movedPage = `<!doctype html>
<html lang=en>
<title>Redirecting...</title>
<h1>Redirecting...</h1>
<p>You should be redirected automatically to the target URL: <a href="%[1]s">%[1]s</a>. If not, click the link.
`

// face is Dify's knowledge service API.
type face struct {
	s       *world.Side
	opts    Options
	version [3]int
	table   []route
	more    registry
}

func New(w *world.World, o Options) http.Handler {
	f := &face{s: w.Side(world.Dify), opts: o}
	f.opts.Version = cmp.Or(f.opts.Version, newest)
	fmt.Sscanf(f.opts.Version, "%d.%d.%d", &f.version[0], &f.version[1], &f.version[2])
	f.table = f.routes()
	return f
}

// since reports whether the server is of a release or newer.
func (f *face) since(major, minor, patch int) bool {
	return slices.Compare(f.version[:], []int{major, minor, patch}) >= 0
}

// reply is a status and the body to send as JSON; a text is HTML.
type reply struct {
	status int
	body   any
}

// problem is the shape of every JSON error.
func problem(status int, code, message string) reply {
	return reply{status, object{"code": code, "message": message, "status": status}}
}

// broken is the answer of a server that failed internally.
func broken() reply { return problem(500, "unknown", "Internal Server Error") }

// invalid is a refused argument.
func invalid(message string) reply { return problem(400, "invalid_param", message) }

// request is a request that has come as far as its operation.
type request struct {
	*http.Request
	kb  *world.KnowledgeBase // nil where the path names none
	ids []string
	// workspace is whose key it has.
	workspace string
}

// ServeHTTP checks in Dify's order: path, method, and then, from 1.12 on, the
// knowledge base and its API access before the key; rate and operation come last.
func (f *face) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Version", f.opts.Version)
	w.Header().Set("X-Env", "PRODUCTION")
	if r.URL.Path == "" {
		to := "http://" + r.Host + "/dify/v1/"
		w.Header().Set("Location", to)
		web.WriteRaw(w, 308, "text/html; charset=utf-8", fmt.Sprintf(movedPage, to))
		return
	}
	target, ok := f.target(r.URL.Path)
	if !ok {
		web.WriteRaw(w, 404, "text/html; charset=utf-8", notFoundPage)
		return
	}
	reply := f.reply(r, target)
	if reply.body == nil {
		w.WriteHeader(reply.status)
		return
	}
	web.WriteJSON(w, reply.status, reply.body)
}

func (f *face) reply(r *http.Request, t target) (out reply) {
	defer web.Catch(&out)
	run := t.calls[r.Method]
	if run == nil {
		return problem(405, "method_not_allowed", "The method is not allowed for the requested URL.")
	}
	ask := request{Request: r, ids: t.ids}
	if t.kb != "" {
		ask.kb = f.s.KB(t.kb)
	}
	workspace, why := workspaceOf(r.Header.Get("Authorization"))
	ask.workspace = workspace
	unauthorized := problem(401, "unauthorized", why)
	if f.since(1, 9, 0) && t.kb != "" {
		switch {
		case ask.kb == nil:
			return f.unknownKB(r)
		case ask.kb.Disabled:
			return problem(403, "forbidden", "Dataset api access is not enabled.")
		}
	}
	switch {
	case why != "":
		return unauthorized
	case f.s.Limited(Name, true):
		return problem(403, "forbidden", "Sorry, you have reached the knowledge base request rate limit of your subscription.")
	case t.kb != "" && (ask.kb == nil || ask.kb.Dify.Workspace != workspace):
		return f.foreign(r, t, ask.kb != nil)
	}
	return run(ask)
}

// unknownKB is the answer about a knowledge base that does not exist. Where the
// path looks like that of a route, it is suggested.
func (f *face) unknownKB(r *http.Request) reply {
	message := "Dataset not found."
	if strings.Contains(r.URL.Path, "/document/create") {
		const root = "/v1/datasets/<uuid:dataset_id>/document/"
		message += fmt.Sprintf(" You have requested this URI [/v1%s] but did you mean %screate-by-text or %screate_by_text or %screate-by-file ?", r.URL.Path, root, root, root)
	}
	return problem(404, "not_found", message)
}

// foreign refuses a knowledge base that the key's workspace does not have: each
// call looks for it in its own way.
func (f *face) foreign(r *http.Request, t target, exists bool) reply {
	const denied = "You do not have permission to access this dataset."
	switch {
	case t.settings == "write", r.Method == http.MethodDelete && t.settings == "documents":
		return invalid("Dataset does not exist.")
	case !exists || t.settings == "documents":
		return problem(404, "not_found", "Dataset not found.")
	case t.settings == "" && r.Method != http.MethodGet:
		return invalid(denied)
	}
	return problem(403, "forbidden", denied)
}

// workspaceOf gives the workspace of a key, or says what is wrong with the header.
func workspaceOf(header string) (workspace, why string) {
	scheme, key, ok := strings.Cut(header, " ")
	switch {
	case !ok:
		return "", "Authorization header must be provided and start with 'Bearer'"
	case !strings.EqualFold(scheme, "Bearer"):
		return "", "Authorization scheme must be 'Bearer'"
	case key == OtherKey:
		return "other", ""
	case key != Key:
		return "", "Access token is invalid"
	}
	return "", ""
}

// isUUID reports whether s is a dashed UUID in either case.
func isUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i, c := range []byte(strings.ToLower(s)) {
		dash := i == 8 || i == 13 || i == 18 || i == 23
		if dash != (c == '-') || !dash && !(c >= '0' && c <= '9' || c >= 'a' && c <= 'f') {
			return false
		}
	}
	return true
}

// time is a moment in seconds, as an integer or as older servers send it.
func (f *face) time(t time.Time) any {
	if f.opts.FloatTimes {
		return float(t)
	}
	return t.Unix()
}

// float is a moment in seconds with a point in it.
func float(t time.Time) json.RawMessage {
	text := strings.TrimRight(fmt.Sprintf("%d.%06d", t.Unix(), t.Nanosecond()/1000), "0")
	if strings.HasSuffix(text, ".") {
		text += "0"
	}
	return json.RawMessage(text)
}
