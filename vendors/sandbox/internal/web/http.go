// Package web is what faces do to requests and answers whatever their platform:
// reading bodies and arguments, cutting pages, writing JSON, refusing.
package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"mime/multipart"
	"net/http"
	"time"
)

// MaxBody bounds what a face reads of a request; a platform's own limit of
// 15 MB is below it.
const MaxBody = 16 << 20

// Body reads the whole request body; false when it is too large or broken off.
// It can be called again: the request keeps the bytes.
func Body(r *http.Request) ([]byte, bool) {
	data, err := io.ReadAll(io.LimitReader(r.Body, MaxBody+1))
	r.Body = io.NopCloser(bytes.NewReader(data))
	return data, err == nil && len(data) <= MaxBody
}

// WriteJSON answers with v as one line of JSON, not HTML-escaped.
func WriteJSON(w http.ResponseWriter, status int, v any) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	WriteRaw(w, status, "application/json", b.String())
}

// WriteRaw answers with text as it is.
func WriteRaw(w http.ResponseWriter, status int, contentType, text string) {
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(status)
	io.WriteString(w, text)
}

// Fingerprint is 64 hex digits that follow from the request (method, path,
// query, body) and the second: request ids are cut from it, so that the same
// request at the same time gets the same answer.
func Fingerprint(r *http.Request, now time.Time) string {
	data, _ := Body(r)
	h := sha256.New()
	io.WriteString(h, r.Method+" "+r.URL.Path+"?"+r.URL.RawQuery+"\n"+now.UTC().Format(time.RFC3339)+"\n")
	h.Write(data)
	return hex.EncodeToString(h.Sum(nil))
}

// Seconds is t as Unix Seconds, 0 for the zero time.
func Seconds(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}

// ReadPart is the content of a file of a multipart form.
func ReadPart(head *multipart.FileHeader) (string, error) {
	file, err := head.Open()
	if err != nil {
		return "", err
	}
	defer file.Close()
	data, err := io.ReadAll(file)
	return string(data), err
}

// Catch, deferred, ends a panic with a T and stores it. An operation refuses by
// panicking with what its face answers then, from however deep in the reading
// of a request, as parsers do. Other panics go on.
func Catch[T any](answer *T) {
	switch p := recover().(type) {
	case nil:
	case T:
		*answer = p
	default:
		panic(p)
	}
}
