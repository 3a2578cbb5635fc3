package dify

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"kb-mcp/vendors/sandbox/internal/web"
	"kb-mcp/vendors/sandbox/world"
)

// linkTime is how long a signed address serves.
const linkTime = 5 * time.Minute

// download answers GET /datasets/{id}/documents/{document}/download: a signed
// address, which opens the file without a key.
func (f *face) download(r request) reply {
	d := f.in(r)
	switch {
	case d == nil:
		return noDocument()
	case source(d.Source) != "upload_file":
		return problem(404, "not_found", "Document does not have an uploaded file to download.")
	}
	now := f.s.Now().Unix()
	q := url.Values{
		"timestamp": {strconv.FormatInt(now, 10)}, "nonce": {d.ID}, "sign": {sign(d, now)}, "as_attachment": {"true"},
	}
	return reply{200, object{"url": "http://" + r.Host + "/dify/files/" + world.HexID(world.Dify, "file", d.Seq) + "/file-preview?" + q.Encode()}}
}

func sign(d *world.Document, at int64) string {
	return world.Digest("sign/"+d.ID, world.Dify, int(at))[:43]
}

// files is the host of signed addresses.
type files struct{ s *world.Side }

// NewFiles serves them.
func NewFiles(w *world.World) http.Handler { return &files{w.Side(world.Dify)} }

// ServeHTTP gives a file to a caller that has its address. Like an object store it takes
// no other credential beside the signature.
func (f *files) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	at, err := strconv.ParseInt(q.Get("timestamp"), 10, 64)
	d := f.s.Document(q.Get("nonce"))
	age := f.s.Now().Sub(time.Unix(at, 0))
	switch {
	case r.Header.Get("Authorization") != "":
		web.WriteJSON(w, 400, object{"code": "bad_request", "message": "Only one authorization mechanism is allowed.", "status": 400})
	case err != nil || d == nil || age < -time.Minute || age > linkTime || q.Get("sign") != sign(d, at),
		!strings.HasPrefix(r.URL.Path, "/"+world.HexID(world.Dify, "file", d.Seq)+"/"):
		web.WriteJSON(w, 404, object{"code": "not_found", "message": "File not found or signature is invalid", "status": 404})
	default:
		w.Header().Set("Content-Disposition", "attachment; filename*=UTF-8''"+url.PathEscape(d.Name))
		w.Header().Set("Content-Length", strconv.Itoa(len(d.Text)))
		web.WriteRaw(w, 200, mimeType(d.Format), d.Text)
	}
}
