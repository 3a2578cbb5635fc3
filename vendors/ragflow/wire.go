package ragflow

import (
	"bytes"
	"cmp"
	"encoding/json"
	"math"
	"slices"
	"strings"
	"time"

	"kb-mcp/vendors"
	"kb-mcp/vendors/ragflow/envelope"
	"kb-mcp/vendors/rest"
)

// dataset is a knowledge base in either generation.
type dataset struct {
	ID            rest.ID  `json:"id"`
	MadeID        rest.ID  `json:"dataset_id"` // preview, of one just made
	Name          rest.Str `json:"name"`
	MadeName      rest.Str `json:"dataset_name"`
	Description   rest.Str `json:"description"`
	DocumentCount rest.Num `json:"document_count"`
	DocNum        rest.Num `json:"doc_num"` // preview
	ChunkCount    rest.Num `json:"chunk_count"`
	ChunkNum      rest.Num `json:"chunk_num"` // preview
	CreateTime    rest.Num `json:"create_time"`
	UpdateTime    rest.Num `json:"update_time"`
	ChunkMethod   rest.Str `json:"chunk_method"`
	ParserID      rest.Str `json:"parser_id"` // preview, Go
}

// datasetKinds is what kind of contents a way of chunking makes.
var datasetKinds = map[string]string{
	"table": "table", "picture": "image", "qa": "faq",
	"naive": "text", "book": "text", "email": "text", "laws": "text", "manual": "text", "one": "text",
	"paper": "text", "presentation": "text", "resume": "text",
}

func (w dataset) normal() vendors.KnowledgeBase {
	return vendors.KnowledgeBase{
		KnowledgeBaseID: string(cmp.Or(w.ID, w.MadeID)), Name: string(cmp.Or(w.Name, w.MadeName)), Description: string(w.Description),
		DocumentCount: cmp.Or(w.DocumentCount, w.DocNum).Count(), ChunkCount: cmp.Or(w.ChunkCount, w.ChunkNum).Count(),
		Kind:      datasetKinds[string(cmp.Or(w.ChunkMethod, w.ParserID))],
		CreatedAt: vendors.Millis(w.CreateTime.Int), UpdatedAt: vendors.Millis(w.UpdateTime.Int),
	}
}

// datasetPage converts rows; it drops those without an id.
func datasetPage(rows []dataset) vendors.Page[vendors.KnowledgeBase] {
	p := vendors.Page[vendors.KnowledgeBase]{Items: make([]vendors.KnowledgeBase, 0, len(rows)), NewestFirst: true}
	for _, w := range rows {
		if w.ID != "" {
			p.Items = append(p.Items, w.normal())
		}
	}
	return p
}

// documentList is the payload of a document list.
type documentList struct {
	Docs          []document `json:"docs"`
	Total         rest.Num   `json:"total"`
	TotalDatasets rest.Num   `json:"total_datasets"`
}

// rows returns the rows of the list. Without rows and a count it is an error.
func (l documentList) rows() ([]document, rest.Num, error) {
	total := cmp.Or(l.Total, l.TotalDatasets)
	if l.Docs == nil && !total.Valid {
		return nil, total, envelope.NoPayload()
	}
	return l.Docs, total, nil
}

// document is a row of a document list in either generation. The names of the
// preview stand behind the newer ones.
type document struct {
	ID              rest.ID         `json:"id"`
	Name            rest.Str        `json:"name"`
	Run             rest.Str        `json:"run"`
	IngestionStatus rest.Str        `json:"ingestion_status"` // Go back end
	Progress        rest.Num        `json:"progress"`         // 0-1; -1 failed
	ProgressMsg     lines           `json:"progress_msg"`
	ProcessBeginAt  rest.Str        `json:"process_begin_at"` // when it was queued
	Duration        rest.Num        `json:"process_duration"` // seconds
	Elapsed         rest.Num        `json:"process_duation"`  // the same in v0.19.1 and before
	ChunkCount      rest.Num        `json:"chunk_count"`
	ChunkNum        rest.Num        `json:"chunk_num"`
	TokenCount      rest.Num        `json:"token_count"`
	TokenNum        rest.Num        `json:"token_num"`
	Size            rest.Num        `json:"size"`
	Type            rest.Str        `json:"type"`
	Suffix          rest.Str        `json:"suffix"`
	SourceType      *rest.Str       `json:"source_type"` // "" is a file; Go does not say
	Status          rest.Str        `json:"status"`      // validity: "1" enabled, "0" disabled
	CreateTime      rest.Num        `json:"create_time"` // epoch milliseconds
	UpdateTime      rest.Num        `json:"update_time"`
	CreateDate      rest.Str        `json:"create_date"` // local time, whatever it claims
	MetaFields      json.RawMessage `json:"meta_fields"`
}

// normal converts rows; it drops those without an id.
func normal(rows []document, g generation) []vendors.Document {
	out := make([]vendors.Document, 0, len(rows))
	for _, w := range rows {
		if w.ID != "" {
			out = append(out, w.normal(g))
		}
	}
	return out
}

// blind reports whether a row has no id.
func blind(rows []document) bool {
	return slices.ContainsFunc(rows, func(w document) bool { return w.ID == "" })
}

func (w document) normal(g generation) vendors.Document {
	status := w.status(g)
	word, _ := w.vendorStatus()
	chunks := cmp.Or(w.ChunkCount, w.ChunkNum)
	d := vendors.Document{
		DocumentID: string(w.ID), Name: string(w.Name),
		Status: status, VendorStatus: word, Error: w.failure(status), Warnings: w.warnings(status),
		Format: w.format(), Kind: w.kind(), Source: w.source(),
		SizeBytes: w.Size.Count(), TokenCount: cmp.Or(w.TokenCount, w.TokenNum).Count(), ChunkCount: chunks.Count(),
		Enabled: w.enabled(), Metadata: w.metadata(),
		CreatedAt: vendors.Millis(w.CreateTime.Int), UpdatedAt: vendors.Millis(w.UpdateTime.Int),
		Ingestion: vendors.Ingestion{ChunksDone: chunks.Positive(), StartedAt: w.startedAt()},
	}
	if n := len(w.ProgressMsg); n > 0 && !w.ProgressMsg[n-1:].waiting() {
		d.Ingestion.Movement = w.ProgressMsg[n-1] // queue lines change by themselves
	}
	if status == vendors.Queued && w.ProcessBeginAt == "" {
		d.Ingestion.MovedAt = d.UpdatedAt // it was never queued, so that nothing moves this time by itself
	}
	if w.Progress.Valid {
		d.ProgressPercent = rest.Percent(w.Progress.Float)
	}
	if elapsed := cmp.Or(w.Duration, w.Elapsed); elapsed.Valid && w.ProcessBeginAt != "" {
		seconds := math.Round(1000*max(elapsed.Float, 0)) / 1000 // slightly negative after a stop
		d.Ingestion.ElapsedSeconds = &seconds
	}
	return d
}

// beforeISO recognizes a server before v0.24, whose dates claim to be GMT.
func (w document) beforeISO() bool { return strings.HasSuffix(string(w.CreateDate), "GMT") }

// startedAt is when the document was queued, in UTC. The platform gives that
// only in the server's local time; create_date and create_time are one moment
// with and without its zone.
func (w document) startedAt() time.Time {
	begin, ok1 := localTime(string(w.ProcessBeginAt))
	created, ok2 := localTime(string(w.CreateDate))
	if !ok1 || !ok2 || w.CreateTime.Int <= 0 {
		return time.Time{}
	}
	zone := created.Sub(time.UnixMilli(w.CreateTime.Int)).Round(15 * time.Minute)
	if zone.Abs() > 14*time.Hour { // no zone is that far: the two times do not belong together
		return time.Time{}
	}
	return vendors.Millis(begin.Add(-zone).UnixMilli())
}

// localTime reads the date forms of v0.8 - v0.23, v0.24 and newer, and Go, as
// if they were UTC.
func localTime(s string) (time.Time, bool) {
	for _, layout := range []string{"2006-01-02T15:04:05", time.DateTime, "Mon, 02 Jan 2006 15:04:05 GMT"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// format is the file suffix; only v0.20 and newer name it.
func (w document) format() string {
	if w.Suffix != "" {
		return strings.ToLower(strings.TrimPrefix(string(w.Suffix), "."))
	}
	return rest.Suffix(string(w.Name))
}

// kinds of documents by type, and of visual ones by suffix: any other is an image.
var kinds = map[rest.Str]string{"pdf": "text", "doc": "text", "aural": "audio", "visual": "image"}

var videos = []string{"mp4", "mov", "avi", "mkv", "mpeg", "mpg", "wmv", "rmvb"}

func (w document) kind() string {
	if w.Type == "visual" && slices.Contains(videos, w.format()) {
		return "video"
	}
	return kinds[w.Type]
}

// sources are where documents came from, by the connector's name.
var sources = map[string]string{
	"": "file", "local": "file", "notion": "notion", "feishu": "lark", "lark": "lark",
	"s3": "object_storage", "r2": "object_storage", "minio": "object_storage", "oss": "object_storage", "oci_storage": "object_storage",
	"google_cloud_storage": "object_storage", "azure_blob": "object_storage", "blob": "object_storage",
}

// source looks a connector's name up, which may have its id behind a slash.
func (w document) source() string {
	if w.SourceType == nil {
		return ""
	}
	name, _, _ := strings.Cut(strings.ToLower(string(*w.SourceType)), "/")
	if source, ok := sources[name]; ok {
		return source
	}
	return "connector"
}

func (w document) enabled() *bool {
	on := w.Status == "1"
	if !on && w.Status != "0" {
		return nil
	}
	return &on
}

// hasNoMetadata reports that there is none: the server does not say (before
// 0.16), or says so.
func (w document) hasNoMetadata() bool {
	switch strings.Join(strings.Fields(string(w.MetaFields)), "") {
	case "", "null", "{}", "[]", `""`, `"{}"`:
		return true
	}
	return false
}

// metadata keeps every digit of numbers; anything else than an object, and an
// empty one, counts as none.
func (w document) metadata() map[string]any {
	var m map[string]any
	dec := json.NewDecoder(bytes.NewReader(w.MetaFields))
	dec.UseNumber()
	if dec.Decode(&m) != nil || len(m) == 0 {
		return nil
	}
	return m
}
