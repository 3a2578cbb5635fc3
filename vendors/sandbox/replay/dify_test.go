package replay_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"kb-mcp/vendors/sandbox"
	"kb-mcp/vendors/sandbox/dify"
	"kb-mcp/vendors/sandbox/internal/web"
	"kb-mcp/vendors/sandbox/world"
)

func TestReplayDify(t *testing.T) {
	for _, version := range []string{"1.12.1", "1.8.1"} {
		server := "dify-" + version
		t.Run(version, func(t *testing.T) { replay(t, server, newDifyPlayer(exchanges(t, server), version).play) })
	}
}

const keywordMethod = "keyword_search"

// difyPlayer knows of a whole recording what it says of knowledge bases and
// documents: an exchange alone does not say what it met.
type difyPlayer struct {
	version string
	all     []exchange
	bases   map[string][]seen // by id
	docs    map[string][]seen
}

// seen is what an exchange said of something.
type seen struct {
	line int
	row  map[string]any
	kb   string // of a document
}

func newDifyPlayer(all []exchange, version string) *difyPlayer {
	p := &difyPlayer{version: version, all: all, bases: map[string][]seen{}, docs: map[string][]seen{}}
	for _, x := range all {
		kb, _, _ := difyPathIDs(x.Path)
		for _, row := range difyRowsIn(x.Answer) {
			id, _ := row["id"].(string)
			if _, is := row["retrieval_model_dict"]; is {
				p.bases[id] = append(p.bases[id], seen{x.Line, row, ""})
			}
			if _, is := row["indexing_status"]; is {
				p.docs[id] = append(p.docs[id], seen{x.Line, row, kb})
			}
		}
	}
	return p
}

// difyRowsIn is every object of an answer that may be a row.
func difyRowsIn(answer any) []map[string]any {
	top, _ := answer.(map[string]any)
	rows := []map[string]any{top}
	list, _ := top["data"].([]any)
	for _, one := range list {
		if row, ok := one.(map[string]any); ok {
			rows = append(rows, row)
		}
	}
	if doc, ok := top["document"].(map[string]any); ok {
		rows = append(rows, doc)
	}
	return rows
}

// difyPathIDs gives what a path names: knowledge base, and document or batch.
func difyPathIDs(path string) (kb, doc, batch string) {
	part := strings.Split(strings.TrimPrefix(path, "/v1/"), "/")
	if len(part) > 1 && isUUID(part[1]) {
		kb = strings.ToLower(part[1])
	}
	if len(part) > 3 && part[2] == "documents" {
		if isUUID(part[3]) {
			doc = strings.ToLower(part[3])
		} else if part[len(part)-1] == "indexing-status" {
			batch = part[3]
		}
	}
	return kb, doc, batch
}

var uuid = regexp.MustCompile(`^(?i:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$`)

func isUUID(text string) bool { return uuid.MatchString(text) }

// at is the newest that was said by a line, or else the oldest after it.
func at(list []seen, line int) map[string]any {
	var row map[string]any
	for _, s := range list {
		if row == nil || s.line <= line {
			row = s.row
		}
	}
	return row
}

func text(row map[string]any, key string) string {
	s, _ := row[key].(string)
	return s
}

// play implements player.
func (p *difyPlayer) play(_ *testing.T, x exchange) (*sandbox.Sandbox, *http.Request) {
	now := time.Unix(1795960000, 0).UTC()
	o := sandbox.Options{Now: func() time.Time { return now }, Dify: dify.Options{Version: p.version}}
	answer, _ := x.Answer.(map[string]any)
	message := text(answer, "message")
	kb, doc, batch := difyPathIDs(x.Path)
	method := difyMethodOf(x.Body)
	p.troubles(&o, x, message)
	s := sandbox.New(o)
	for _, known := range s.Store(world.Dify).KBs() {
		s.Store(world.Dify).RemoveKB(known.ID)
	}
	if message == "Dataset name already exists" || x.Status == 409 {
		var named struct{ Name string }
		json.Unmarshal(x.Body, &named)
		s.Store(world.Dify).AddKB(world.KnowledgeBase{Name: named.Name, Created: now})
	}
	if kb == "" && x.Path == "/v1/datasets" && x.Method == http.MethodGet {
		rows := difyRowsIn(answer)[1:]
		for i, row := range rows {
			p.addBase(s, text(row, "id"), row, now.Add(-time.Duration(i)*time.Second))
		}
		for i := range (max(1, difyInt(x.Query, "page", 1)) - 1) * difyInt(x.Query, "limit", 20) {
			if len(rows) > 0 {
				s.Store(world.Dify).AddKB(world.KnowledgeBase{Name: fmt.Sprint("filler ", i), Created: now})
			}
		}
	}
	own := x.Auth == "B" && !strings.HasPrefix(message, "Dataset not found") || !strings.HasPrefix(message, "Dataset not found") && !strings.HasPrefix(message, "Dataset does not exist")
	if kb != "" && (own || x.Auth == "B" && p.bases[kb] != nil) {
		base := p.baseBefore(kb, x.Line)
		if answer["retrieval_model_dict"] != nil && x.Method == http.MethodGet {
			base = answer
		}
		p.addBase(s, kb, base, now)
		if strings.HasPrefix(message, "Dataset api access") {
			s.Store(world.Dify).UpdateKB(kb, func(kb *world.KnowledgeBase) { kb.Disabled = true })
		}
		p.addDocuments(s, x, kb, doc, batch, now)
	}
	if found, _ := answer["records"].([]any); len(found) > 0 {
		if method == keywordMethod { // it has, or had, an index of words
			s.Store(world.Dify).UpdateKB(kb, func(kb *world.KnowledgeBase) { kb.Dify.Words = now })
		}
		p.addHits(s, x, kb, now)
	}
	if o.Quota > 0 {
		first := httptest.NewRequest(http.MethodGet, "/dify/v1/datasets", nil)
		first.Header.Set("Authorization", "Bearer "+dify.Key)
		s.ServeHTTP(httptest.NewRecorder(), first)
	}
	return s, p.request(x, message)
}

// troubles reads off an answer what did not work behind the server.
func (p *difyPlayer) troubles(o *sandbox.Options, x exchange, message string) {
	switch {
	case strings.HasPrefix(message, "Failed to request plugin daemon"):
		o.Dify.DaemonDown = true
	case strings.HasPrefix(message, "Default model not found"):
		o.Dify.NoDefaultModel = true
	case x.Status == 403 && strings.Contains(message, "reached the limit of your subscription"):
		o.Dify.Plan = message
	case strings.Contains(message, "rate limit of your subscription"):
		o.Quota = 1
	case strings.HasPrefix(message, "[fake]"), strings.HasPrefix(message, "Provider "), strings.HasPrefix(message, `{"detail"`):
		o.Dify.Model = message
	}
}

func difyMethodOf(body json.RawMessage) string {
	var b struct {
		Model struct {
			Method string `json:"search_method"`
		} `json:"retrieval_model"`
	}
	json.Unmarshal(body, &b)
	return b.Model.Method
}

// baseBefore is what a knowledge base was like when an exchange met it. Its first
// document gave it a technique and a form that no answer may have shown since.
func (p *difyPlayer) baseBefore(kb string, line int) map[string]any {
	row := map[string]any{}
	for k, v := range at(p.bases[kb], line-1) {
		row[k] = v
	}
	for _, x := range p.all {
		id, _, _ := difyPathIDs(x.Path)
		if x.Line >= line || id != kb || x.Status != 200 || !strings.Contains(x.Path, "/document/create") {
			continue
		}
		row["document_count"] = 1.0
		if row["indexing_technique"] == nil {
			row["indexing_technique"] = "economy"
			if strings.Contains(string(x.Body), "high_quality") {
				row["indexing_technique"] = "high_quality"
			}
		}
		document := x.Answer.(map[string]any)["document"].(map[string]any)
		row["doc_form"] = document["doc_form"]
	}
	return row
}

func (p *difyPlayer) addBase(s *sandbox.Sandbox, id string, row map[string]any, now time.Time) {
	kb := world.KnowledgeBase{
		ID: id, Name: text(row, "name"), Description: text(row, "description"), Technique: text(row, "indexing_technique"),
		Created: now.Add(-time.Hour), Updated: now.Add(-time.Hour),
	}
	kb.Dify.Provider, kb.Dify.Permission = text(row, "provider"), text(row, "permission")
	kb.Dify.DataSource = row["data_source_type"] != nil
	kb.Dify.BuiltIns = row["built_in_field_enabled"] == true
	external, _ := row["external_knowledge_info"].(map[string]any)
	kb.Dify.External = [2]string{text(external, "external_knowledge_id"), text(external, "external_knowledge_api_id")}
	fields, _ := row["doc_metadata"].([]any)
	for i := range fields {
		if m := fields[i].(map[string]any); m["id"] != "built-in" {
			kb.Dify.Fields = append(kb.Dify.Fields, world.DifyMeta{ID: world.HexID(world.Dify, "recorded", i), Name: text(m, "name"), Type: text(m, "type")})
		}
	}
	s.Store(world.Dify).AddKB(kb)
	if n, _ := row["document_count"].(float64); n > 0 {
		s.Store(world.Dify).Add(world.Document{
			KB: id, Name: "there before.txt", Format: "txt", Source: "file", Text: "zzzz", Size: 4, Created: now.Add(-100 * time.Hour),
			Updated: now.Add(-100 * time.Hour), Started: now.Add(-100 * time.Hour), Plan: world.Immediate(world.Completed), Dify: world.DifyPart{Form: text(row, "doc_form")},
		})
	}
}

// difyPlans are the lives that show each recorded status.
func difyPlanOf(row map[string]any) world.Plan {
	status, display := text(row, "indexing_status"), text(row, "display_status")
	stage := func(p world.Phase, raw string) world.Plan {
		return world.Plan{Stages: []world.Stage{{Phase: p, For: 1000 * time.Hour, Raw: raw}}}
	}
	switch status {
	case "waiting":
		return stage(world.Queued, "")
	case "parsing", "cleaning", "splitting", "indexing":
		if display == "paused" {
			return world.Plan{Stages: []world.Stage{{Phase: world.Phase(status), For: time.Second}}, Outcome: world.Paused}
		}
		return stage(world.Phase(status), "")
	case "paused":
		return world.Plan{Stages: []world.Stage{{Phase: world.Indexing, For: time.Second}}, Outcome: world.Paused}
	case "error":
		message := text(row, "error")
		return world.Plan{Stages: []world.Stage{{Phase: world.Parsing, For: time.Second}}, Outcome: world.Failed, Message: message}
	case "completed", "":
		return world.Plan{Stages: []world.Stage{{Phase: world.Parsing, For: time.Second}, {Phase: world.Splitting, For: time.Second}, {Phase: world.Indexing, For: time.Second}}}
	}
	return stage(world.Other, status)
}

func difyDocumentOf(kb string, row map[string]any, at time.Time) world.Document {
	d := world.Document{
		KB: kb, ID: text(row, "id"), Name: text(row, "name"), Format: world.Suffix(text(row, "name")), Source: "file",
		Text: "recorded words", Size: 14, Created: at, Updated: at, Started: at, Plan: difyPlanOf(row), Archived: row["archived"] == true, Disabled: row["enabled"] == false,
	}
	switch text(row, "data_source_type") {
	case "website_crawl":
		d.Source, d.URL = "web", "https://example.com/"
	case "notion_import":
		d.Source = "notion"
	case "online_document", "online_drive":
		d.Source = "connector"
	}
	d.Dify.Form = text(row, "doc_form")
	fields, _ := row["doc_metadata"].([]any)
	for _, one := range fields {
		m := one.(map[string]any)
		if m["id"] != "built-in" {
			d.Metadata = append(d.Metadata, world.Field{Name: text(m, "name"), Type: text(m, "type"), Value: m["value"]})
		}
	}
	return d
}

// addDocuments makes the documents that an exchange met.
func (p *difyPlayer) addDocuments(s *sandbox.Sandbox, x exchange, kb, doc, batch string, now time.Time) {
	answer, _ := x.Answer.(map[string]any)
	message := text(answer, "message")
	before := now.Add(-50 * time.Hour)
	rows := difyRowsIn(answer)[1:]
	_, segments := answer["doc_form"]
	switch {
	case strings.HasSuffix(x.Path, "/documents") && x.Method == http.MethodGet:
		for _, known := range s.Store(world.Dify).Documents(kb).Window(0, -1) {
			s.Store(world.Dify).Remove(known.ID)
		}
		for i, row := range rows {
			s.Store(world.Dify).Add(difyDocumentOf(kb, row, before.Add(-time.Duration(i)*time.Second)))
		}
		p.fill(s, x, kb, now)
	case batch != "":
		for _, row := range rows {
			d := difyDocumentOf(kb, row, before)
			d.Batch = batch
			s.Store(world.Dify).Add(d)
		}
	case strings.HasSuffix(x.Path, "/segments") && segments:
		d := difyDocumentOf(kb, map[string]any{"id": doc, "name": "recorded.txt", "doc_form": answer["doc_form"]}, before)
		d.Edited = []world.Chunk{}
		for i := range difyInt(x.Query, "limit", 20) * (difyInt(x.Query, "page", 1) - 1) {
			d.Edited = append(d.Edited, world.Chunk{Number: i, Text: "filler"})
		}
		for _, row := range rows {
			d.Edited = append(d.Edited, world.Chunk{Number: len(d.Edited), Text: text(row, "content")})
		}
		s.Store(world.Dify).Add(d)
	case doc != "" && x.Status != 404:
		row := answer
		if x.Status != 200 || text(answer, "indexing_status") == "" {
			row = at(p.docs[doc], x.Line)
		}
		d := difyDocumentOf(kb, row, before)
		d.ID = doc
		info, is := answer["data_source_info"].(map[string]any)
		d.Dify.Lost = is && len(info) == 0
		d.Archived = d.Archived || text(answer, "code") == "archived_document_immutable"
		s.Store(world.Dify).Add(d)
	case strings.Contains(x.Path, "/documents/status/"):
		p.addSwitched(s, x, kb, message, before, now)
	case strings.Contains(x.Path, "/document/create") && x.Status == 200:
		created := answer["document"].(map[string]any)
		first := p.docs[text(created, "id")][0]
		if first.line < x.Line { // it was there
			row := at(p.docs[text(created, "id")], x.Line-1)
			s.Store(world.Dify).Add(difyDocumentOf(kb, row, before))
		}
	}
}

func difyInt(query, name string, usual int) int {
	q, _ := url.ParseQuery(query)
	n, err := web.QueryInt(q, name, usual)
	if err != nil {
		return usual
	}
	return n
}

// fill puts newer documents before those of a later page.
func (p *difyPlayer) fill(s *sandbox.Sandbox, x exchange, kb string, now time.Time) {
	if len(difyRowsIn(x.Answer)) == 1 {
		return
	}
	for i := range (max(1, difyInt(x.Query, "page", 1)) - 1) * min(100, difyInt(x.Query, "limit", 20)) {
		s.Store(world.Dify).Add(difyDocumentOf(kb, map[string]any{"name": fmt.Sprint("filler ", i)}, now.Add(time.Duration(i-40000)*time.Second)))
	}
}

// addSwitched makes the documents of a change of status.
func (p *difyPlayer) addSwitched(s *sandbox.Sandbox, x exchange, kb, message string, before, now time.Time) {
	var asked struct {
		IDs []string `json:"document_ids"`
	}
	json.Unmarshal(x.Body, &asked)
	for _, id := range asked.IDs {
		row := at(p.docs[id], x.Line-1)
		if row == nil {
			continue
		}
		d := difyDocumentOf(kb, row, before)
		d.ID = id
		if strings.Contains(message, "is being indexed") {
			d.Dify.Locked = now.Add(time.Hour)
		}
		s.Store(world.Dify).Add(d)
	}
}

// addHits makes documents that a search finds.
func (p *difyPlayer) addHits(s *sandbox.Sandbox, x exchange, kb string, now time.Time) {
	answer := x.Answer.(map[string]any)
	query := text(answer["query"].(map[string]any), "content")
	for i, one := range answer["records"].([]any) {
		record := one.(map[string]any)
		segment := record["segment"].(map[string]any)
		row := map[string]any{"name": text(segment["document"].(map[string]any), "name")}
		if record["child_chunks"] != nil {
			row["doc_form"] = "hierarchical_model"
		}
		d := difyDocumentOf(kb, row, now.Add(-time.Duration(60+i)*time.Hour))
		d.Text = strings.ReplaceAll(text(segment, "content"), "\n", " ") + " " + query
		s.Store(world.Dify).Add(d)
	}
}
