package replay_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"

	"kb-mcp/vendors/sandbox/dify"
)

var difyBoundary = regexp.MustCompile(`(?:^|> )--([^\r\n]+)\r\n`)

// request is the recorded request, sent to the face.
func (p *difyPlayer) request(x exchange, message string) *http.Request {
	target := strings.Replace(x.Path, "/v1", "/dify/v1", 1)
	if x.Query != "" {
		target += "?" + x.Query
	}
	body, kind := []byte(x.Body), x.Type
	var raw string
	if json.Unmarshal(x.Body, &raw) == nil {
		body = []byte(raw)
		if strings.HasPrefix(kind, "application/json") && x.Status == 200 {
			body = difyMended(raw)
		}
	}
	if strings.HasPrefix(kind, "multipart/") {
		found := difyBoundary.FindStringSubmatch(raw)
		if found == nil {
			return nil
		}
		kind += "; boundary=" + found[1]
		_, after, _ := strings.Cut(raw, "--"+found[1])
		raw = "--" + found[1] + after
		if !strings.HasSuffix(strings.TrimSpace(raw), "--"+found[1]+"--") { // cut by the recorder
			if x.Status == 400 {
				raw += strings.Repeat(" ", 15<<20)
			}
			raw += "\r\n--" + found[1] + "--\r\n"
		}
		body = []byte(raw)
	}
	r := httptest.NewRequest(x.Method, target, bytes.NewReader(body))
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	if auth := difyAuthOf(x.Auth, message); auth != "" {
		r.Header.Set("Authorization", auth)
	}
	return r
}

// difyMended completes the body of a text upload that the recorder has cut.
func difyMended(raw string) []byte {
	if json.Valid([]byte(raw)) {
		return []byte(raw)
	}
	name := regexp.MustCompile(`^\{"name":"([^"]*)"`).FindStringSubmatch(raw)
	if name == nil {
		return []byte(raw)
	}
	out, _ := json.Marshal(map[string]any{"name": name[1], "text": "a long text", "indexing_technique": "high_quality", "process_rule": map[string]any{"mode": "automatic"}})
	return out
}

func difyAuthOf(key, message string) string {
	switch {
	case strings.HasPrefix(message, "Authorization header must"):
		return ""
	case strings.HasPrefix(message, "Authorization scheme must"):
		return "Basic " + dify.Key
	case key == "B":
		return "Bearer " + dify.OtherKey
	case slices.Contains([]string{"wrong", "app", "other"}, key), message == "Access token is invalid":
		return "Bearer " + dify.AppKey
	case key == "none":
		return ""
	}
	return "Bearer " + dify.Key
}
