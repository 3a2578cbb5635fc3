package volcengine

import (
	"cmp"
	"encoding/json"
	"regexp"
	"strings"
	"time"

	"kb-mcp/vendors"
	"kb-mcp/vendors/rest"
)

// collectionList is the data of collection/list.
type collectionList struct {
	Collections []collection `json:"collection_list"` // may be absent or null
}

// collection is a knowledge base.
type collection struct {
	ResourceID  rest.ID    `json:"resource_id"`
	Name        rest.Str   `json:"collection_name"`
	Project     rest.Str   `json:"project"`
	Description rest.Str   `json:"description"`
	DocNum      rest.Num   `json:"doc_num"`
	CreateTime  rest.Num   `json:"create_time"`
	UpdateTime  rest.Num   `json:"update_time"`
	DataType    rest.Str   `json:"data_type"` // here or in the pipeline
	Pipelines   []pipeline `json:"pipeline_list"`
}

type pipeline struct {
	DataType rest.Str `json:"data_type"`
	Indexes  []struct {
		Status rest.ID `json:"status"` // absent in a brief list
	} `json:"index_list"`
	Stat struct {
		Docs      rest.Num `json:"doc_num"`
		Finished  rest.Num `json:"finish_doc_num"`  // imports that ended
		Succeeded rest.Num `json:"success_doc_num"` // those that ended well
		Points    rest.Num `json:"point_num"`
	} `json:"pipeline_stat"`
}

// first is the pipeline that the counters are taken from; the others belong to
// experiments.
func (c collection) first() pipeline {
	if len(c.Pipelines) == 0 {
		return pipeline{}
	}
	return c.Pipelines[0]
}

func (c collection) normal() vendors.KnowledgeBase {
	stat := c.first().Stat
	kb := vendors.KnowledgeBase{
		KnowledgeBaseID: string(c.ResourceID), Name: string(c.Name), Description: string(c.Description),
		DocumentCount: c.DocNum.Count(), ChunkCount: stat.Points.Count(),
		CreatedAt: moment(c.CreateTime), UpdatedAt: moment(c.UpdateTime),
	}
	if kb.KnowledgeBaseID == "" {
		kb.KnowledgeBaseID = kb.Name
	}
	switch cmp.Or(c.DataType, c.first().DataType) {
	case "structured_data":
		kb.Kind = "table"
	case "unstructured_data":
		kb.Kind = "text"
	}
	if kb.DocumentCount == nil {
		kb.DocumentCount = stat.Docs.Count()
	}
	return kb
}

// documentList is the data of doc/list and doc/v2/list.
type documentList struct {
	Documents []document `json:"doc_list"`  // may be absent or null
	TotalNum  rest.Num   `json:"total_num"` // may be null, and larger than what comes
	HasMore   rest.Flag  `json:"has_more"`  // v2
	NextToken rest.Str   `json:"next_token"`
}

// document leaves out added_by (a person's e-mail), total_tokens (tokens spent,
// not the length) and the summaries.
type document struct {
	ID         rest.ID  `json:"doc_id"`
	Name       rest.Str `json:"doc_name"`
	Type       rest.Str `json:"doc_type"`
	AddType    rest.Str `json:"add_type"`
	CreateTime rest.Num `json:"create_time"`
	UpdateTime rest.Num `json:"update_time"`
	Status     struct {
		Process    rest.ID  `json:"process_status"`
		FailedCode rest.ID  `json:"failed_code"`
		FailedMsg  rest.Str `json:"failed_msg"`
	} `json:"status"`
	URL        rest.Str        `json:"url"`
	Meta       json.RawMessage `json:"meta"`
	Labels     json.RawMessage `json:"labels"`
	Points     rest.Num        `json:"point_num"`
	Size       rest.Num        `json:"doc_size"`
	Statistics struct {
		Chars rest.Num `json:"chars"`
	} `json:"statistics"`
}

func (w document) normal() vendors.Document {
	raw := whole(w.Status.Process)
	d := vendors.Document{
		DocumentID: string(w.ID), Name: string(w.Name), Status: statusOf(raw), VendorStatus: raw,
		Format: w.format(), Kind: kindOf(w.docType()), Source: sourceOf(string(w.AddType)),
		SizeBytes: w.Size.Count(), ChunkCount: w.Points.Count(), CharCount: w.Statistics.Chars.Positive(),
		CreatedAt: moment(w.CreateTime), UpdatedAt: moment(w.UpdateTime),
		SourceURL: rest.PublicURL(string(w.URL)), Metadata: metadata(w.Meta, w.Labels),
	}
	switch d.Status {
	case vendors.Failed:
		d.Error = failure(whole(w.Status.FailedCode), string(w.Status.FailedMsg))
	case vendors.Completed:
		d.Warnings = w.warnings()
	}
	return d
}

// warnings says what a completed document lacks.
func (w document) warnings() []string {
	var list []string
	if f := failure(whole(w.Status.FailedCode), string(w.Status.FailedMsg)); f.Code != "" || w.Status.FailedMsg != "" {
		list = append(list, "Volcengine completed the document, but reported an error on the way: "+f.Message)
	}
	if w.Points.Valid && w.Points.Int == 0 {
		list = append(list, "Volcengine made no chunks of the document, so that searches cannot find it: check that the file holds text, and add it in another form.")
	}
	return list
}

func (w document) docType() string { return strings.ToLower(string(w.Type)) }

// format is the file suffix that the type stands for. Lark documents are no
// files: their types ("wiki", "docx") are not suffixes.
func (w document) format() string {
	switch t := w.docType(); {
	case w.AddType == "lark":
		return ""
	case t == "markdown":
		return "md"
	default:
		return rest.Suffix("." + t) // "faq.xlsx" is xlsx
	}
}

func kindOf(docType string) string {
	switch docType {
	case "xlsx", "faq.xlsx", "csv", "jsonl", "sheet", "bitable":
		return "table"
	case "jpeg", "jpg", "png", "webp", "bmp":
		return "image"
	case "mp3", "wav", "aac", "flac", "ogg":
		return "audio"
	case "mp4":
		return "video"
	case "txt", "doc", "docx", "pdf", "markdown", "md", "pptx", "ppt", "wiki", "folder", "file":
		return "text"
	}
	return ""
}

func sourceOf(addType string) string {
	switch addType {
	case "url":
		return "web"
	case "tos":
		return "object_storage"
	case "tos_fe": // uploaded in the console
		return "file"
	case "lark":
		return "lark"
	}
	return ""
}

// statusOf knows 3 as "queued" in the pages of 2025 and "updating" since 2026;
// 4 was never documented.
func statusOf(raw string) vendors.Status {
	switch raw {
	case "0":
		return vendors.Completed
	case "1":
		return vendors.Failed
	case "2":
		return vendors.Queued
	case "3", "6":
		return vendors.Processing
	case "5":
		return vendors.Deleting
	}
	return vendors.Unknown
}

// whole is an integer's text, also when it was written as a float.
func whole(n rest.ID) string { return strings.TrimSuffix(string(n), ".0") }

// moment reads a time that doc/info gives in milliseconds and the lists give in
// seconds. What no date can be counts as not said.
func moment(n rest.Num) time.Time {
	switch {
	case n.Int >= 253402300800_000: // the year 10000 in milliseconds
		return time.Time{}
	case n.Int >= 1e11:
		return vendors.Millis(n.Int)
	}
	return vendors.Seconds(n.Int)
}

// labels is the form of a code or log id.
var labels = regexp.MustCompile(`^[A-Za-z0-9_.:-]{1,100}$`)

// label is a code or log id as it is, "" for what can be neither.
func label(s string) string {
	if !labels.MatchString(s) {
		return ""
	}
	return s
}
