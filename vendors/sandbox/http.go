package sandbox

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"path"
	"strings"
	"time"
)

// maxBody bounds what a face reads of a request; a platform's own limit of
// 15 MB is below it.
const maxBody = 16 << 20

// object is a JSON object whose keys come out sorted, hence always the same.
type object = map[string]any

// body reads the whole request body; false when it is too large or broken off.
// It can be called again: the request keeps the bytes.
func body(r *http.Request) ([]byte, bool) {
	data, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	r.Body = io.NopCloser(bytes.NewReader(data))
	return data, err == nil && len(data) <= maxBody
}

// writeJSON answers with v as one line of JSON, not HTML-escaped.
func writeJSON(w http.ResponseWriter, status int, v any) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	writeRaw(w, status, "application/json", b.String())
}

// writeRaw answers with text as it is.
func writeRaw(w http.ResponseWriter, status int, contentType, text string) {
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(status)
	io.WriteString(w, text)
}

// fingerprint is 64 hex digits that follow from the request (method, path,
// query, body) and the second: request ids are cut from it, so that the same
// request at the same time gets the same answer.
func fingerprint(r *http.Request, now time.Time) string {
	data, _ := body(r)
	h := sha256.New()
	io.WriteString(h, r.Method+" "+r.URL.Path+"?"+r.URL.RawQuery+"\n"+now.UTC().Format(time.RFC3339)+"\n")
	h.Write(data)
	return hex.EncodeToString(h.Sum(nil))
}

// suffix is a name's suffix in lower case without its dot.
func suffix(name string) string {
	return strings.ToLower(strings.TrimPrefix(path.Ext(name), "."))
}

// seconds is t as Unix seconds, 0 for the zero time.
func seconds(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}
