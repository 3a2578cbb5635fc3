package sandbox

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// difyLinkTime is how long a signed address serves.
const difyLinkTime = 5 * time.Minute

// download answers GET /datasets/{id}/documents/{document}/download: a signed
// address, which opens the file without a key.
func (f *difyFace) download(r difyAsk) difyReply {
	d := f.in(r)
	switch {
	case d == nil:
		return difyNoDocument()
	case difySource(d.Source) != "upload_file":
		return difyError(404, "not_found", "Document does not have an uploaded file to download.")
	}
	now := f.s.now().Unix()
	q := url.Values{
		"timestamp": {strconv.FormatInt(now, 10)}, "nonce": {d.ID}, "sign": {difySign(d, now)}, "as_attachment": {"true"},
	}
	return difyReply{200, object{"url": "http://" + r.Host + "/dify/files/" + hexID(Dify, "file", d.Seq) + "/file-preview?" + q.Encode()}}
}

func difySign(d *Document, at int64) string { return digest("sign/"+d.ID, Dify, int(at))[:43] }

// difyFiles is the host of signed addresses.
type difyFiles struct{ s *Sandbox }

func newDifyFiles(s *Sandbox) http.Handler { return &difyFiles{s} }

// ServeHTTP gives a file to whom has its address. Like an object store it takes
// no other credential beside the signature.
func (f *difyFiles) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	at, err := strconv.ParseInt(q.Get("timestamp"), 10, 64)
	d := f.s.store.Document(Dify, q.Get("nonce"))
	age := f.s.now().Sub(time.Unix(at, 0))
	switch {
	case r.Header.Get("Authorization") != "":
		writeJSON(w, 400, object{"code": "bad_request", "message": "Only one authorization mechanism is allowed.", "status": 400})
	case err != nil || d == nil || age < -time.Minute || age > difyLinkTime || q.Get("sign") != difySign(d, at),
		!strings.HasPrefix(r.URL.Path, "/"+hexID(Dify, "file", d.Seq)+"/"):
		writeJSON(w, 404, object{"code": "not_found", "message": "File not found or signature is invalid", "status": 404})
	default:
		w.Header().Set("Content-Disposition", "attachment; filename*=UTF-8''"+url.PathEscape(d.Name))
		w.Header().Set("Content-Length", strconv.Itoa(len(d.Text)))
		writeRaw(w, 200, difyMIME(d.Format), d.Text)
	}
}
