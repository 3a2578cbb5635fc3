package replay_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"kb-mcp/vendors/sandbox"
	"kb-mcp/vendors/sandbox/internal/web"
	"kb-mcp/vendors/sandbox/ragflow"
	"kb-mcp/vendors/sandbox/ragflow/tables"
	"kb-mcp/vendors/sandbox/world"
)

func TestReplayRAGFlow(t *testing.T) {
	for server, face := range map[string]string{
		"ragflow-main-python": sandbox.FaceRAGFlow, "ragflow-main-go": sandbox.FaceRAGFlowGo, "ragflow-0.24.0-python": sandbox.FaceRAGFlowOld,
	} {
		t.Run(server, func(t *testing.T) { replay(t, server, ragflowPlayer(face)) })
	}
}

// In RAGFlow the texts say what happened, so that those of refusals must agree,
// ids aside.
func TestReplayRAGFlowTexts(t *testing.T) {
	ids := regexp.MustCompile(`[0-9a-f]{32}|127\.0\.0\.1:\d+|example\.com|nosuch\.invalid`)
	words := func(text string) string {
		text = strings.ToLower(ids.ReplaceAllString(text, "X"))
		return strings.Join(strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }), " ")
	}
	for server, face := range map[string]string{
		"ragflow-main-python": sandbox.FaceRAGFlow, "ragflow-main-go": sandbox.FaceRAGFlowGo, "ragflow-0.24.0-python": sandbox.FaceRAGFlowOld,
	} {
		refusals, agreeing := 0, 0
		for _, x := range exchanges(t, server) {
			want, _ := x.Answer.(map[string]any)
			if want["code"] == nil || want["code"] == float64(0) {
				continue
			}
			sb, req := ragflowPlayer(face)(t, x)
			w := httptest.NewRecorder()
			sb.ServeHTTP(w, req)
			var got map[string]any
			json.Unmarshal(w.Body.Bytes(), &got)
			a, b := words(fmt.Sprint(want["message"])), words(fmt.Sprint(got["message"]))
			refusals++
			if agreeing++; a[:min(len(a), 60)] != b[:min(len(b), 60)] { // lists of values differ, and so may long texts
				agreeing--
				t.Logf("%s says\n\t%s, recorded\n\t%s", x.id(), b, a)
			}
		}
		t.Logf("%s: %d of %d refusals have the recorded words", server, agreeing, refusals)
		if float64(agreeing) < minAgreeing*float64(refusals) {
			t.Errorf("%s: %d of %d refusals have the recorded words", server, agreeing, refusals)
		}
	}
}

// ragPlay is one exchange of a RAGFlow server: the state that its answer shows,
// and its request.
type ragPlay struct {
	x       exchange
	s       *sandbox.Sandbox
	face    string
	now     time.Time
	body    map[string]any // the request's, where it is an object
	code    float64
	message string
	data    any
}

var ragPath = regexp.MustCompile(`^/api/v1/datasets/([^/]+)(?:/documents(?:/([^/]+))?|/|$)`)

func ragflowPlayer(face string) player {
	return func(t *testing.T, x exchange) (*sandbox.Sandbox, *http.Request) {
		p := &ragPlay{x: x, face: face, now: time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)}
		json.Unmarshal(x.Body, &p.body)
		if answer, ok := x.Answer.(map[string]any); ok {
			p.code, _ = answer["code"].(float64)
			p.message, _ = answer["message"].(string)
			p.data = answer["data"]
		}
		p.s = sandbox.New(sandbox.Options{Now: func() time.Time { return p.now }, RAGFlowAway: p.away()})
		for _, kb := range p.s.Store(world.RAGFlow).KBs() {
			p.s.Store(world.RAGFlow).RemoveKB(kb.ID)
		}
		p.datasets()
		p.documents()
		return p.s, p.request(t)
	}
}

// away is what the server of the recording could not reach.
func (p *ragPlay) away() string {
	has := func(texts ...string) bool {
		return slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(p.message, text) })
	}
	switch {
	case p.code == 401 && p.x.Status == http.StatusServiceUnavailable:
		return "license"
	case p.code == 401 && p.rightKey():
		return "database"
	case has("access Redis"):
		return "queue"
	case has("Error 1146"):
		return "tables"
	case has("LookupError('Provider", "LookupError('Model", "not found for model"):
		return "model"
	case has("Connection refused", "connection refused", "Failed to update metadata"):
		return "engine"
	case has("This file is empty"):
		return "store"
	}
	return ""
}

// rightKey reports that the request carries an account's key.
func (p *ragPlay) rightKey() bool { return strings.Contains(p.x.Auth, "ragflow-dummy-key-") }

// list is a member of the request's body that is a list of texts.
func (p *ragPlay) list(key string) []string {
	var out []string
	items, _ := p.body[key].([]any)
	for _, item := range items {
		if text, ok := item.(string); ok {
			out = append(out, text)
		}
	}
	return out
}

// refused reports that the answer says that the account has no such thing.
func (p *ragPlay) refused(id string) bool {
	if p.code == 0 || id == "" {
		return false
	}
	plain := strings.ToLower(p.message)
	for _, words := range []string{"own the dataset", "lacks permission", "find the dataset", "only owner of dataset"} {
		if strings.Contains(plain, words) {
			return strings.Contains(p.message, id) || !strings.Contains(plain, "dataset ") && !strings.Contains(plain, "datasets:")
		}
	}
	return false
}

// datasets makes the knowledge bases that the exchange shows.
func (p *ragPlay) datasets() {
	query, _ := url.ParseQuery(p.x.Query)
	ids := slices.Concat(query["id"], p.list("dataset_ids"))
	if m := ragPath.FindStringSubmatch(p.x.Path); m != nil {
		ids = []string{m[1]}
	} else if p.x.Path == "/api/v1/datasets" && p.x.Method == http.MethodDelete {
		ids = p.list("ids")
	}
	for _, id := range ids {
		if !p.refused(id) && len(strings.ReplaceAll(id, "-", "")) == 32 {
			p.dataset(id, "kb "+id)
		}
	}
	if p.x.Path == "/api/v1/documents/ingest" {
		p.dataset("", "kb")
	}
	for _, row := range objectsOf(p.data) {
		if p.x.Path == "/api/v1/datasets" && p.x.Method == http.MethodGet {
			p.dataset(fmt.Sprint(row["id"]), fmt.Sprint(row["name"]))
		}
	}
	answer, _ := p.x.Answer.(map[string]any)
	total, _ := answer["total_datasets"].(float64)
	for n := len(p.s.Store(world.RAGFlow).KBs()); n < int(total); n++ {
		p.dataset("", fmt.Sprintf("other %d", n))
	}
	if name, ok := p.body["name"].(string); ok && strings.HasPrefix(p.x.Path, "/api/v1/datasets") && !strings.Contains(p.x.Path, "/documents") {
		made, _ := p.data.(map[string]any)
		if strings.Contains(p.message, "already exists") || made["name"] == name+"(1)" {
			p.dataset("", strings.ToUpper(name))
		}
	}
}

// dataset makes a knowledge base unless there is one of the id.
func (p *ragPlay) dataset(id, name string) *world.KnowledgeBase {
	if kb := p.s.Store(world.RAGFlow).KB(id); kb != nil {
		return kb
	}
	kb := world.KnowledgeBase{ID: id, Name: name, Created: p.now.Add(-time.Hour), Updated: p.now.Add(-time.Hour)}
	kb.Bare = p.face == sandbox.FaceRAGFlowGo && !strings.Contains(fmt.Sprint(p.data), "layout_recognize")
	if row, _ := p.data.(map[string]any); row["description"] != nil {
		kb.Description, kb.Updated = fmt.Sprint(row["description"]), p.now
	}
	if strings.Contains(p.message, "ingestion pipeline") {
		kb.Pipeline = strings.Repeat("a", 32)
	}
	if strings.Contains(p.message, "NoneType") && p.face == sandbox.FaceRAGFlowOld {
		kb.Kind = "table"
	}
	return p.s.Store(world.RAGFlow).AddKB(kb)
}

// objectsOf is the objects of a list.
func objectsOf(v any) []map[string]any {
	var out []map[string]any
	items, _ := v.([]any)
	for _, item := range items {
		if m, ok := item.(map[string]any); ok {
			out = append(out, m)
		}
	}
	return out
}

// documents makes the documents that the exchange shows.
func (p *ragPlay) documents() {
	kbs := p.s.Store(world.RAGFlow).KBs()
	if len(kbs) == 0 {
		return
	}
	kb := kbs[0].ID
	if m := ragPath.FindStringSubmatch(p.x.Path); m != nil {
		kb = m[1]
		p.named(kb, m[2])
	}
	data, _ := p.data.(map[string]any)
	for _, row := range objectsOf(data["docs"]) {
		p.row(kb, row)
	}
	if total, _ := data["total"].(float64); strings.HasSuffix(p.x.Path, "/documents") {
		for n := p.s.Store(world.RAGFlow).Documents(kb).Len(); n < int(min(total, 300)); n++ {
			p.document(kb, "", fmt.Sprintf("other %d.txt", n), world.Plan{})
		}
	}
	for _, id := range slices.Concat(p.list("document_ids"), p.list("doc_ids")) {
		p.named(kb, id)
	}
	if p.x.Method == http.MethodDelete && strings.HasSuffix(p.x.Path, "/documents") {
		for _, id := range p.list("ids") {
			p.named(kb, id)
		}
	}
	if strings.HasSuffix(p.x.Path, "/retrieval") || strings.HasSuffix(p.x.Path, "/search") {
		p.searched(kb)
	}
	if p.x.Method == http.MethodPost && strings.HasSuffix(p.x.Path, "/documents") {
		p.uploaded(kb)
	}
	if name, ok := p.body["name"].(string); ok && strings.Contains(strings.ToLower(p.message), "duplicated document name") {
		p.document(kb, "", strings.ToUpper(name), world.Plan{})
	}
}

// named makes a document of an id that the request names, in the state that the
// answer shows, unless the answer says that there is none.
func (p *ragPlay) named(kb, id string) {
	query, _ := url.ParseQuery(p.x.Query)
	missing := strings.Contains(p.message, "ocument not found") || strings.Contains(p.message, "own the document") || strings.Contains(p.message, "no authorization")
	switch {
	case id == "", p.s.Store(world.RAGFlow).KB(kb) == nil, len(id) != 32, query.Get("id") == id && p.code != 0:
		return
	case p.code != 0 && (strings.Contains(p.message, id) && !strings.Contains(p.message, "Duplicate") && !strings.Contains(p.message, "Error 1146") || missing && !strings.Contains(p.message, "Not Found: ")):
		return
	}
	d, _ := p.data.(map[string]any)
	row, _ := d["doc"].(map[string]any)
	if row == nil {
		row = d
	}
	name, plan := "a.txt", world.Plan{}
	if old, ok := row["name"].(string); ok {
		name = old
	}
	if new, ok := p.body["name"].(string); ok && p.code == 0 {
		name = "old name" + new[strings.LastIndex("."+new, ".")-1+btoi(!strings.Contains(new, ".")):]
	}
	if run, ok := row["run"].(string); ok {
		plan = planOf(run, fmt.Sprint(row["progress_msg"]))
	}
	if chunks, _ := d["chunks"].([]any); len(chunks) > 0 {
		plan = world.Immediate(world.Completed)
	}
	starts := p.x.Method == http.MethodPost
	switch {
	case strings.HasSuffix(p.x.Path, "/chunks") && p.list("document_ids") != nil && starts:
		name, plan = p.startOf(id)
	case strings.HasSuffix(p.x.Path, "/chunks") && p.list("document_ids") != nil && p.code == 0:
		plan = world.Plan{Stages: []world.Stage{{Phase: world.Queued, For: time.Hour}}}
	}
	p.document(kb, id, name, plan)
}

// btoi is 1 for true.
func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// startOf is the document of a start: the last one is what the answer complains of.
func (p *ragPlay) startOf(id string) (string, world.Plan) {
	ids := p.list("document_ids")
	last := id == ids[len(ids)-1]
	switch {
	case last && strings.Contains(p.message, "currently being processed"), last && strings.Contains(p.message, "already exists, status"):
		return "a.txt", world.Plan{Stages: []world.Stage{{Phase: world.Queued, For: time.Hour}}}
	case last && strings.Contains(p.message, "IndexError"):
		return "broken.pdf", world.Plan{}
	case last && strings.Contains(p.message, "NoneType"):
		return "table.html", world.Plan{}
	}
	return "a.txt", world.Plan{}
}

// planOf is a life that shows a value of run.
func planOf(run, message string) world.Plan {
	switch run {
	case "DONE":
		return world.Immediate(world.Completed)
	case "FAIL":
		return world.Plan{Outcome: world.Failed, Message: "boom"}
	case "CANCEL":
		return world.Immediate(world.Cancelled)
	case "RUNNING":
		if message == "" || message == "<nil>" {
			return tables.Stuck()
		}
		if strings.Contains(message, "queue") {
			return world.Plan{Stages: []world.Stage{{Phase: world.Queued, For: time.Hour}}}
		}
		return world.Plan{Stages: []world.Stage{{Phase: world.Parsing, For: time.Hour}}}
	case "UNSTART", "":
		return world.Plan{}
	}
	return world.Plan{Outcome: world.Other, Raw: run}
}

// row makes a document as a list shows it.
func (p *ragPlay) row(kb string, row map[string]any) {
	run, _ := row["run"].(string)
	d := p.document(kb, fmt.Sprint(row["id"]), fmt.Sprint(row["name"]), planOf(run, fmt.Sprint(row["progress_msg"])))
	meta, _ := row["meta_fields"].(map[string]any)
	if made, ok := row["create_time"].(float64); ok { // rows come newest first
		p.s.Store(world.RAGFlow).Remove(d.ID)
		again := *d
		again.Created = time.UnixMilli(int64(made))
		d = p.s.Store(world.RAGFlow).Add(again)
	}
	p.s.Store(world.RAGFlow).Update(d.ID, func(d *world.Document) {
		d.Metadata, d.Disabled = tables.Fields(meta), row["status"] == "0"
		if suffix, ok := row["suffix"].(string); ok {
			d.Format = suffix
		}
	})
}

// document stores one. A plan means that somebody has started it.
func (p *ragPlay) document(kb, id, name string, plan world.Plan) *world.Document {
	if d := p.s.Store(world.RAGFlow).Document(id); d != nil && id != "" {
		return d
	}
	text := "Text of a document.\nAnd more."
	if question, ok := p.body["question"].(string); ok {
		text = question
	}
	if file, ok := p.x.Answer.(string); ok {
		text = file
	}
	if strings.HasPrefix(name, "broken") {
		text = "broken file"
	}
	d := world.Document{
		KB: kb, ID: id, Name: name, Format: world.Suffix(name), Source: "file", Text: text, Size: len(text),
		Created: p.now.Add(-time.Minute), Updated: p.now.Add(-time.Minute), Plan: plan,
	}
	if len(plan.Stages) > 0 || plan.Outcome != "" {
		d.Started = p.now.Add(-time.Second)
	}
	return p.s.Store(world.RAGFlow).Add(d)
}

// searched makes what a search finds, or does not.
func (p *ragPlay) searched(kb string) {
	data, _ := p.data.(map[string]any)
	chunks, _ := data["chunks"].([]any)
	if p.code == 0 {
		name := "hit.txt"
		d := p.document(kb, "", name, world.Immediate(world.Completed))
		if len(chunks) == 0 {
			p.s.Store(world.RAGFlow).Update(d.ID, func(d *world.Document) { d.Text = "xyzzy" })
		}
	}
}

// uploaded makes what an upload met: documents of the same names.
func (p *ragPlay) uploaded(kb string) {
	stored := objectsOf(p.data)
	for i, name := range p.files() {
		taken := i < len(stored) && stored[i]["name"] != name
		long := strings.Contains(p.message, "not been supported") && !tables.Unread(name)
		if taken || long {
			p.document(kb, "", name, world.Plan{})
		}
	}
}

// files is the names of the files of a multipart request.
func (p *ragPlay) files() []string {
	var names []string
	parts, _ := p.body["multipart"].([]any)
	for _, part := range parts {
		if pair, ok := part.([]any); ok && len(pair) == 2 {
			names = append(names, fmt.Sprint(pair[1]))
		}
	}
	return names
}

// request is the recorded request, to the face.
func (p *ragPlay) request(t *testing.T) *http.Request {
	rd, kind := io.Reader(bytes.NewReader(p.x.Body)), "application/json"
	if p.body["multipart"] != nil {
		rd, kind = p.form(t)
	}
	target := "/" + p.face + (&url.URL{Path: p.x.Path}).EscapedPath()
	if p.x.Query != "" {
		target += "?" + p.x.Query
	}
	r := httptest.NewRequest(p.x.Method, target, rd)
	if len(p.x.Body) > 0 {
		r.Header.Set("Content-Type", kind)
	}
	switch {
	case p.rightKey():
		r.Header.Set("Authorization", "Bearer "+ragflow.Key)
	case p.x.Auth != "":
		r.Header.Set("Authorization", p.x.Auth)
	}
	return r
}

// form is a multipart body. The recording has the names of the parts; their
// contents are what the answer says of them.
func (p *ragPlay) form(t *testing.T) (io.Reader, string) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	parts, _ := p.body["multipart"].([]any)
	for _, part := range parts {
		pair, _ := part.([]any)
		content := "x"
		switch {
		case strings.Contains(p.message, "RequestEntityTooLarge"):
			content = strings.Repeat("x", web.MaxBody)
		case strings.Contains(p.message, "Root object"):
			content = "broken file"
		case len(pair) == 1 && pair[0] == "url":
			content = p.address()
		}
		if len(pair) == 2 {
			f, err := w.CreateFormFile(fmt.Sprint(pair[0]), fmt.Sprint(pair[1]))
			if err != nil {
				t.Fatal(err)
			}
			io.WriteString(f, content)
		} else if len(pair) == 1 {
			w.WriteField(fmt.Sprint(pair[0]), content)
		}
	}
	w.Close()
	return &b, w.FormDataContentType()
}

// address is a URL of which the answer can be what was recorded.
func (p *ragPlay) address() string {
	switch {
	case strings.Contains(p.message, "URL format"):
		return "nowhere"
	case strings.Contains(p.message, "non-public"):
		return "http://127.0.0.1/page"
	case strings.Contains(p.message, "could not resolve"):
		return "http://nosuch.invalid/page"
	}
	return "https://example.com/page"
}
