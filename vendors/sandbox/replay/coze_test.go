package replay_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"kb-mcp/vendors/sandbox"
	"kb-mcp/vendors/sandbox/coze"
	"kb-mcp/vendors/sandbox/internal/web"
	"kb-mcp/vendors/sandbox/sandboxtest"
	"kb-mcp/vendors/sandbox/world"
)

func TestReplayStudio(t *testing.T) { replay(t, "coze-studio", playStudio) }

// playStudio makes what an exchange shows: the knowledge bases and documents
// that it names, whose owner its answer tells.
func playStudio(t *testing.T, x exchange) (*sandbox.Sandbox, *http.Request) {
	s := sandbox.New(sandbox.Options{Now: func() time.Time { return sandboxtest.Start() }})
	p := studioPlay{s: s, x: x, code: -1}
	if answer, ok := x.Answer.(map[string]any); ok {
		if code, ok := answer["code"].(float64); ok {
			p.code = int(code)
		}
	}
	json.Unmarshal(x.Body, &p.in)
	p.prepare()
	return s, p.request(t)
}

// studioPlay is one exchange with studio.
type studioPlay struct {
	s    *sandbox.Sandbox
	x    exchange
	in   map[string]any // the request's body, if it is an object
	code int
}

// owner is who must own what the exchange is about.
func (p *studioPlay) owner() string {
	caller := p.x.Auth == "bob"
	if (p.code == 105000001) != caller { // somebody else than the caller, or the caller
		return "other"
	}
	return ""
}

var cozePathID = regexp.MustCompile(`^/v1/datasets/([0-9]+)`)

// prepare puts into the store what the request is about.
func (p *studioPlay) prepare() {
	if p.code == 105000011 || p.x.Status >= 500 && p.emptyOrUnknown() {
		return
	}
	if m := cozePathID.FindStringSubmatch(p.x.Path); m != nil {
		p.knowledgeBase(m[1], map[string]any{})
	}
	if id, ok := p.in["dataset_id"].(string); ok {
		p.knowledgeBase(id, map[string]any{})
	}
	answer, _ := p.x.Answer.(map[string]any)
	data, _ := answer["data"].(map[string]any)
	for i, row := range objects(data["dataset_list"]) {
		p.knowledgeBase(fmt.Sprint(row["dataset_id"]), row)
		for j, name := range objects(row["file_list"], "name") {
			p.document(fmt.Sprint(i, "00", j), fmt.Sprint(row["dataset_id"]), map[string]any{"name": name["name"], "type": "txt"})
		}
	}
	for total, _ := data["total_count"].(float64); len(p.basesOf()) < int(total); {
		p.knowledgeBase(fmt.Sprint("9", len(p.basesOf())), map[string]any{})
	}
	for _, row := range objects(data["photo_infos"]) {
		row["format_type"] = 2.0
		p.document(fmt.Sprint(row["document_id"]), cozePathID.FindStringSubmatch(p.x.Path)[1], row)
	}
	kb, _ := p.in["dataset_id"].(string)
	rows := append(objects(answer["document_infos"]), objects(data["data"])...)
	for i := 0; strings.HasSuffix(p.x.Path, "/list") && i < int(number(answer["total"]))-len(rows); i++ {
		p.document(fmt.Sprint("8", i), kb, map[string]any{"type": "txt", "status": 1.0}) // on other pages
	}
	for _, row := range rows {
		if !strings.HasSuffix(p.x.Path, "/create") {
			p.document(fmt.Sprint(row["document_id"]), kb, row)
		}
	}
	if strings.HasSuffix(p.x.Path, "/list") || p.x.Method == "GET" {
		if p.code == 105000001 && kb != "" {
			p.document("7300000000000000123", kb, map[string]any{"type": "txt", "status": 1.0})
		}
	}
	for _, id := range p.named() {
		if p.code != 0 || !strings.HasSuffix(p.x.Path, "/process") && !strings.HasSuffix(p.x.Path, "/list") {
			p.document(id, kb, map[string]any{"type": "txt", "status": 1.0})
		}
	}
}

// emptyOrUnknown reports whether an internal error was about something that is
// not there: a request that is whole.
func (p *studioPlay) emptyOrUnknown() bool {
	bases := objects(p.in["document_bases"])
	for _, b := range bases {
		if b["source_info"] == nil {
			return false
		}
	}
	return p.in["format_type"] != 2.0
}

// named are the documents that the request names.
func (p *studioPlay) named() (ids []string) {
	if id, ok := p.in["document_id"].(string); ok && web.Digits(id) {
		ids = append(ids, id)
	}
	var raw struct {
		IDs []json.Number `json:"document_ids"`
	}
	if json.Unmarshal(p.x.Body, &raw) == nil {
		for _, id := range raw.IDs {
			ids = append(ids, id.String())
		}
	}
	for _, id := range listOf(p.in["document_ids"]) {
		if text, ok := id.(string); ok && web.Digits(text) {
			ids = append(ids, text)
		}
	}
	return ids
}

func (p *studioPlay) space() string {
	if p.code == 105000001 { // the space itself is somebody else's
		return coze.OtherSpaceID
	}
	if m := regexp.MustCompile(`space_id=([0-9]+)`).FindStringSubmatch(p.x.Query); m != nil {
		return m[1]
	}
	return coze.SpaceID
}

func (p *studioPlay) basesOf() (kbs []*world.KnowledgeBase) {
	for _, kb := range p.s.Store(world.Coze).KBs() {
		if cmp.Or(kb.Space, coze.SpaceID) == p.space() {
			kbs = append(kbs, kb)
		}
	}
	return kbs
}

func (p *studioPlay) knowledgeBase(id string, row map[string]any) {
	if p.s.Store(world.Coze).KB(id) != nil || !web.Digits(id) {
		return
	}
	p.s.Store(world.Coze).AddKB(world.KnowledgeBase{
		ID: id, Name: fmt.Sprint(row["name"]), Owner: p.owner(), Space: p.space(),
		Kind: []string{"text", "table", "image"}[int(number(row["format_type"]))], Created: sandboxtest.Start(), Updated: sandboxtest.Start(),
	})
}

func (p *studioPlay) document(id, kb string, row map[string]any) {
	if p.s.Store(world.Coze).Document(id) != nil {
		return
	}
	if kb == "" || p.s.Store(world.Coze).KB(kb) == nil {
		kb = "7300000000000000777"
		p.knowledgeBase(kb, map[string]any{})
	}
	plan := world.Immediate(world.Completed)
	switch number(row["status"]) {
	case 0:
		plan = world.Plan{Stages: []world.Stage{{Phase: world.Queued, For: time.Hour}}}
	case 9:
		plan = world.Plan{Outcome: world.Failed, Message: "a reason"}
	}
	columns, _ := json.Marshal(row["table_meta"])
	p.s.Store(world.Coze).Add(world.Document{
		ID: id, KB: kb, Name: fmt.Sprint(row["name"]), Format: fmt.Sprint(row["type"]), Source: "file", Text: "a\nb",
		Created: sandboxtest.Start(), Updated: sandboxtest.Start(), Started: sandboxtest.Start(), Plan: plan,
		Coze: world.CozeDetail{Kind: []string{"text", "table", "image"}[int(number(row["format_type"]))], Columns: string(columns), NoStrategy: row["chunk_strategy"] == nil && row["tos_uri"] != nil},
	})
}

// request is the recorded request, addressed to the sandbox.
func (p *studioPlay) request(t *testing.T) *http.Request {
	t.Helper()
	body, contentType := []byte(p.x.Body), p.x.Type
	if text := ""; json.Unmarshal(body, &text) == nil { // no object: as it was sent
		body = []byte(text)
	}
	query := p.x.Query
	if p.code == 105000001 {
		query = regexp.MustCompile(`space_id=[0-9]+`).ReplaceAllString(query, "space_id="+coze.OtherSpaceID)
		body = regexp.MustCompile(`("space_id": ?)"[0-9]+"`).ReplaceAll(body, []byte(`${1}"`+coze.OtherSpaceID+`"`))
	}
	if parts := objects(p.in["multipart"]); strings.HasPrefix(contentType, "multipart/") {
		body, contentType = multipartOf(parts), "multipart/form-data; boundary=b"
	}
	target := "/coze-studio" + p.x.Path
	if query != "" {
		target += "?" + query
	}
	r := httptest.NewRequest(p.x.Method, target, bytes.NewReader(body))
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	r.Header.Set("Agw-Js-Conv", "str")
	switch p.x.Auth {
	case "none":
	case "alice", "alice-expired":
		r.Header.Set("Authorization", "Bearer "+coze.Token)
	case "bob":
		r.Header.Set("Authorization", "Bearer "+coze.TokenNoScope)
	case "other":
		r.Header.Set("Authorization", "Basic YTpi")
	default:
		r.Header.Set("Authorization", "Bearer pat_wrong")
	}
	return r
}

// multipartOf makes a body of parts that the recording has as headers and sizes.
func multipartOf(parts []map[string]any) []byte {
	var b bytes.Buffer
	for _, part := range parts {
		fmt.Fprintf(&b, "--b\r\n%s\r\n\r\n%s\r\n", part["headers"], strings.Repeat("x", int(number(part["bytes"]))))
	}
	b.WriteString("--b--\r\n")
	return b.Bytes()
}

// list is a list of objects, or of texts as objects with one member.
func objects(v any, key ...string) (out []map[string]any) {
	for _, e := range listOf(v) {
		if m, ok := e.(map[string]any); ok {
			out = append(out, m)
		} else if len(key) > 0 {
			out = append(out, map[string]any{key[0]: e})
		}
	}
	return out
}

func listOf(v any) []any {
	l, _ := v.([]any)
	return l
}

func number(v any) float64 {
	switch v := v.(type) {
	case float64:
		return v
	case string:
		n, _ := strconv.ParseFloat(v, 64)
		return n
	}
	return 0
}
