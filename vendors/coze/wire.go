package coze

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"

	"kb-mcp/vendors"
	"kb-mcp/vendors/rest"
)

// listRequest asks POST /open_api/knowledge/document/list. Without size studio
// gives everything. document_ids is honoured by studio; hosted defines it in
// its idl only.
type listRequest struct {
	DatasetID   string   `json:"dataset_id"`
	Page        int      `json:"page"`
	Size        int      `json:"size"`
	DocumentIDs []string `json:"document_ids,omitempty"`
}

// listAnswer has its payload at the top, or under data as other calls have.
type listAnswer struct {
	head
	rows
	Data rows `json:"data"`
}

type rows struct {
	Total     rest.Num   `json:"total"`
	Documents []document `json:"document_infos"` // null when empty
}

func (r rows) given() bool        { return r.Documents != nil || r.Total.Valid }
func (a *listAnswer) given() bool { return a.rows.given() || a.Data.given() }
func (a *listAnswer) about() subject {
	return subject{"The knowledge base", "listDocument"}
}

// payload is the rows, wherever they were.
func (a *listAnswer) payload() rows {
	if a.rows.given() {
		return a.rows
	}
	return a.Data
}

// document is a row of the list.
type document struct {
	ID         rest.ID  `json:"document_id"`
	Name       rest.Str `json:"name"`
	Type       rest.Str `json:"type"`
	Size       rest.Num `json:"size"`
	CharCount  rest.Num `json:"char_count"`
	SliceCount rest.Num `json:"slice_count"`
	HitCount   rest.Num `json:"hit_count"`
	CreateTime rest.Num `json:"create_time"` // seconds; 0: a stub, whose zeros say nothing
	UpdateTime rest.Num `json:"update_time"`
	FormatType rest.Num `json:"format_type"`
	SourceType rest.Num `json:"source_type"`
	Status     rest.Str `json:"status"`
	Descript   rest.Str `json:"status_descript"`
	WebURL     rest.Str `json:"web_url"`
	TosURI     rest.Str `json:"tos_uri"` // the stored file's key; never shown

	UpdateType     rest.Num        `json:"update_type"`     // 1: a web page that is fetched again by itself
	UpdateInterval rest.Num        `json:"update_interval"` // hours
	TableMeta      json.RawMessage `json:"table_meta"`      // studio: a table's columns
}

// normal is the row in our words. On studio web_url is a signed link to the
// stored file, not where the document came from; size counts the characters of
// the chunks, and char_count and hit_count are always 0.
func (w document) normal(onStudio bool) vendors.Document {
	status, raw, enabled := statusOf(w.Status)
	count := rest.Num.Count
	if w.CreateTime.Int <= 0 {
		count = rest.Num.Positive
	}
	d := vendors.Document{
		DocumentID: string(w.ID), Name: string(w.Name), Status: status, VendorStatus: raw, Enabled: enabled,
		Error:  failure(status, raw, w.Descript),
		Format: format(w.Type), Kind: kindOfFormat(w.FormatType), Source: sourceOf(w.SourceType),
		SizeBytes: count(w.Size), CharCount: count(w.CharCount), ChunkCount: count(w.SliceCount), HitCount: count(w.HitCount),
		CreatedAt: vendors.Seconds(w.CreateTime.Int), UpdatedAt: vendors.Seconds(w.UpdateTime.Int),
	}
	if w.refreshes() { // it fetches itself again, and may get a new id
		d.Metadata = map[string]any{"update_interval_hours": w.UpdateInterval.Int}
	}
	if onStudio {
		d.SizeBytes, d.CharCount, d.HitCount = nil, studioChars(status, w.Size), nil
	}
	if d.Source == "web" && !onStudio {
		d.SourceURL = rest.PublicURL(string(w.WebURL))
	}
	return d
}

// studioChars is how many characters a document's chunks have: 0 until it is
// done.
func studioChars(status vendors.Status, size rest.Num) *int64 {
	if status != vendors.Completed {
		return size.Positive()
	}
	return size.Count()
}

// processRequest asks POST /v1/datasets/{id}/process. Hosted takes strings;
// studio takes numbers only.
type processRequest struct {
	DocumentIDs any `json:"document_ids"` // []string or []int64
}

type processAnswer struct {
	head
	Data processData `json:"data"`
}

func (a *processAnswer) given() bool { return a.Data.given }
func (a *processAnswer) about() subject {
	return subject{"The knowledge base or a document", "readDocumentProgress"}
}

// processData is {"data":[...]}, or the list itself.
type processData struct {
	Rows  []progress `json:"data"`
	given bool
}

// UnmarshalJSON implements json.Unmarshaler.
func (p *processData) UnmarshalJSON(b []byte) error {
	*p = processData{given: b[0] == '{' || b[0] == '['}
	switch b[0] {
	case '[':
		return json.Unmarshal(b, &p.Rows)
	case '{':
		type plain processData
		return json.Unmarshal(b, (*plain)(p))
	}
	return nil
}

// progress is one document of a process answer. All but id and status may be
// absent. Its url is signed and never read.
type progress struct {
	ID        rest.ID  `json:"document_id"`
	Name      rest.Str `json:"document_name"`
	Type      rest.Str `json:"type"`
	Size      rest.Num `json:"size"`
	Status    rest.Str `json:"status"`
	Percent   rest.Num `json:"progress"` // 100 on some that failed
	Remaining rest.Num `json:"remaining_time"`
	Descript  rest.Str `json:"status_descript"` // studio: a state word on every document
}

// normal is the progress in our words, as hosted Coze means it.
func (w progress) normal() vendors.Document {
	status, raw, enabled := statusOf(w.Status)
	d := vendors.Document{
		DocumentID: string(w.ID), Name: string(w.Name), Status: status, VendorStatus: raw, Enabled: enabled,
		Format: format(w.Type), SizeBytes: w.Size.Positive(),
		Error: failure(status, raw, w.Descript),
	}
	if status == vendors.Processing {
		d.ProgressPercent = percent(w.Percent)
		d.Ingestion.ETASeconds = w.Remaining.Count()
	}
	return d
}

// percent is below 100 while a document is at work, whatever the platform says.
func percent(n rest.Num) *int {
	if !n.Valid {
		return nil
	}
	p := int(min(max(n.Int, 0), 99))
	return &p
}

// statusOf maps the platform's number; raw is its text. Disabled documents are
// completed ones that searches leave out.
func statusOf(s rest.Str) (status vendors.Status, raw string, enabled *bool) {
	raw = string(s)
	if f, err := strconv.ParseFloat(raw, 64); err == nil && f == math.Trunc(f) && math.Abs(f) < 1<<53 {
		raw = strconv.FormatInt(int64(f), 10)
	}
	switch raw {
	case "0", "4", "5": // new, being split again, being fetched again
		return vendors.Processing, raw, nil
	case "1":
		return vendors.Completed, raw, nil
	case "2":
		return vendors.Completed, raw, new(bool)
	case "3":
		return vendors.Deleting, raw, nil
	case "9", rejected:
		return vendors.Failed, raw, nil
	}
	return vendors.Unknown, raw, nil
}

// format is a file's suffix. Studio writes "0" for a file without one.
func format(suffix rest.Str) string {
	s := strings.ToLower(strings.TrimPrefix(strings.TrimSpace(string(suffix)), "."))
	if s == "0" {
		return ""
	}
	return s
}

// The numbers of format_type.
const (
	formatText  = 0
	formatTable = 1
	formatImage = 2
)

func kindOfFormat(n rest.Num) string {
	if kinds := [...]string{"text", "table", "image"}; n.Valid && n.Int >= 0 && n.Int < int64(len(kinds)) {
		return kinds[n.Int]
	}
	return ""
}

// sourceOf maps source_type; the numbers from 2 on stand in the idl only.
func sourceOf(n rest.Num) string {
	if !n.Valid {
		return ""
	}
	switch n.Int {
	case 0, 5:
		return "file"
	case 1, 4:
		return "web"
	case 2:
		return "text"
	case 101:
		return "notion"
	case 103, 104:
		return "lark"
	case 3, 102, 109:
		return "connector"
	}
	return ""
}
