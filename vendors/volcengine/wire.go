package volcengine

import (
	"cmp"
	"encoding/json"
	"strings"
	"time"

	"kb-mcp/vendors"
	"kb-mcp/vendors/rest"
)

// envelope is the form of every answer: the head, and the payload of a success.
type envelope[T any] struct {
	head
	Data *T `json:"data"`
}

func (e *envelope[T]) empty() bool { return e.Data == nil }

// receipt is the envelope of an answer that has no payload.
type receipt struct{ head }

func (*receipt) empty() bool { return false }

// head is what judges an answer. Gateways in front of the service speak the
// form of Volcengine's other products, ResponseMetadata.
type head struct {
	Code      rest.ID  `json:"code"` // a number; a numeric string is accepted
	Message   rest.Str `json:"message"`
	RequestID rest.Str `json:"request_id"`
	Metadata  struct {
		RequestID rest.Str `json:"RequestId"`
		Error     struct {
			Code    rest.ID
			Message rest.Str
		}
	} `json:"ResponseMetadata"`
}

func (h *head) said() (code, text, requestID string) {
	code, text = digits(h.Code), string(h.Message)
	if m := h.Metadata; code == "" {
		code, text = string(m.Error.Code), string(m.Error.Message)
	}
	return code, text, string(cmp.Or(h.RequestID, h.Metadata.RequestID))
}

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
	return vendors.KnowledgeBase{
		KnowledgeBaseID: cmp.Or(string(c.ResourceID), string(c.Name)), Name: string(c.Name), Description: string(c.Description),
		DocumentCount: cmp.Or(c.DocNum.Count(), stat.Docs.Count()), ChunkCount: stat.Points.Count(),
		Kind:      dataTypes[cmp.Or(c.DataType, c.first().DataType)],
		CreatedAt: moment(c.CreateTime), UpdatedAt: moment(c.UpdateTime),
	}
}

// index is the state of a knowledge base's index, as the platform numbers it;
// "" when it does not say. One index that is built is enough for searches.
func (c collection) index() string {
	state := ""
	for _, x := range c.first().Indexes {
		if s := digits(x.Status); s == "1" || state == "" {
			state = s
		}
	}
	return state
}

// documentList is the data of doc/list and doc/v2/list.
type documentList struct {
	Documents []document `json:"doc_list"`  // may be absent or null
	TotalNum  rest.Num   `json:"total_num"` // may be null, and larger than what comes
	HasMore   rest.Flag  `json:"has_more"`  // v2
	NextToken rest.Str   `json:"next_token"`
}

// page returns the rows; a row without an id cannot be asked for and is
// dropped.
func (l *documentList) page() vendors.Page[vendors.Document] {
	page := vendors.Page[vendors.Document]{Items: make([]vendors.Document, 0, len(l.Documents)), Total: l.TotalNum.Rows()}
	for _, w := range l.Documents {
		if w.ID != "" {
			page.Items = append(page.Items, w.normal())
		}
	}
	return page
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
	Meta       meta            `json:"meta"`
	Labels     json.RawMessage `json:"labels"`
	Points     rest.Num        `json:"point_num"`
	Size       rest.Num        `json:"doc_size"`
	Statistics struct {
		Chars rest.Num `json:"chars"`
	} `json:"statistics"`
}

func (w document) normal() vendors.Document {
	raw := digits(w.Status.Process)
	d := vendors.Document{
		DocumentID: string(w.ID), Name: string(w.Name), Status: cmp.Or(statuses[raw], vendors.Unknown), VendorStatus: raw,
		Format: w.format(), Kind: cmp.Or(fileKinds[w.docType()], otherKinds[w.docType()]), Source: sources[string(w.AddType)],
		SizeBytes: w.Size.Count(), ChunkCount: w.Points.Count(), CharCount: w.Statistics.Chars.Positive(),
		CreatedAt: moment(w.CreateTime), UpdatedAt: moment(w.UpdateTime),
		SourceURL: rest.PublicURL(string(w.URL)), Metadata: w.metadata(),
	}
	switch d.Status {
	case vendors.Failed:
		d.Error = failure(digits(w.Status.FailedCode), string(w.Status.FailedMsg))
	case vendors.Completed:
		d.Warnings = w.warnings()
	}
	return d
}

// metadata is the fields by name, and the labels under "labels" unless a field
// has that name.
func (w document) metadata() map[string]any {
	values := w.Meta.values()
	var labels map[string]any
	if _, taken := values["labels"]; !taken && rest.Parse(string(w.Labels), &labels) == nil && len(labels) > 0 {
		if values == nil {
			values = map[string]any{}
		}
		values["labels"] = labels
	}
	return values
}

// warnings says what a completed document lacks.
func (w document) warnings() []string {
	var list []string
	if f := failure(digits(w.Status.FailedCode), string(w.Status.FailedMsg)); f.Code != "" || w.Status.FailedMsg != "" {
		list = append(list, "Volcengine completed the document, but reported an error on the way: "+f.Message)
	}
	if w.Points.Valid && w.Points.Int == 0 {
		list = append(list, "Volcengine made no chunks of the document, so that searches cannot find it: check that the file holds text, and add it in another form.")
	}
	return list
}

// dataTypes are the kinds of knowledge bases.
var dataTypes = map[rest.Str]string{"structured_data": "table", "unstructured_data": "text"}

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

// fileKinds are the kinds of content by doc_type.
var fileKinds = map[string]string{
	"txt": "text", "doc": "text", "docx": "text", "pdf": "text", "markdown": "text", "pptx": "text", "ppt": "text",
	"xlsx": "table", "faq.xlsx": "table", "csv": "table", "jsonl": "table",
	"jpeg": "image", "png": "image", "webp": "image", "bmp": "image",
	"mp3": "audio", "wav": "audio", "aac": "audio", "flac": "audio", "ogg": "audio", "mp4": "video",
}

// otherKinds are those of what is only in Lark, and of old names.
var otherKinds = map[string]string{
	"wiki": "text", "folder": "text", "file": "text", "sheet": "table", "bitable": "table", "md": "text", "jpg": "image",
}

// sources are where documents come from by add_type; tos_fe is the console.
var sources = map[string]string{"url": "web", "tos": "object_storage", "tos_fe": "file", "lark": "lark"}

// statuses are those of process_status. 3 is "queued" in the pages of 2025 and
// "updating" since 2026; 4 was never documented.
var statuses = map[string]vendors.Status{
	"0": vendors.Completed, "1": vendors.Failed, "2": vendors.Queued, "3": vendors.Processing, "5": vendors.Deleting, "6": vendors.Processing,
}

// digits is an integer's text, also when it was written as a float.
func digits(n rest.ID) string { return strings.TrimSuffix(string(n), ".0") }

// hitList is the data of search_knowledge.
type hitList struct {
	Hits []point `json:"result_list"` // absent when nothing was found
}

// pointList is the data of point/list.
type pointList struct {
	Points   []point  `json:"point_list"`
	TotalNum rest.Num `json:"total_num"`
}

// point is a chunk, or a hit, whose chunk_id is its number in the document.
type point struct {
	ID        rest.ID  `json:"id"` // hits only, if there is no point_id
	PointID   rest.ID  `json:"point_id"`
	Number    rest.Num `json:"chunk_id"`
	Content   rest.Str `json:"content"`
	MDContent rest.Str `json:"md_content"`
	Updated   rest.Num `json:"update_time"`
	Score     rest.Num `json:"score"`
	Doc       struct {
		ID   rest.ID  `json:"doc_id"`
		Name rest.Str `json:"doc_name"`
	} `json:"doc_info"`
}

func (w point) id() string { return string(cmp.Or(w.PointID, w.ID)) }

func (w point) text() string { return string(cmp.Or(w.Content, w.MDContent)) }

func (w point) hit() vendors.Hit {
	h := vendors.Hit{DocumentID: string(w.Doc.ID), DocumentName: string(w.Doc.Name), ChunkID: w.id(), Content: w.text()}
	if w.Score.Valid {
		h.Score = &w.Score.Float
	}
	return h
}

// page returns the chunks of document. Those of another one mean that the
// server does not know the filter; then its total is that of the knowledge
// base.
func (l *pointList) page(document string) vendors.Page[vendors.Chunk] {
	page := vendors.Page[vendors.Chunk]{Items: make([]vendors.Chunk, 0, len(l.Points)), Total: l.TotalNum.Rows(), Filtered: true}
	for _, w := range l.Points {
		if w.Doc.ID != "" && string(w.Doc.ID) != document {
			page.Total, page.Filtered = nil, false
			continue
		}
		if id := w.id(); id != "" {
			page.Items = append(page.Items, vendors.Chunk{ChunkID: id, Position: w.Number.Count(), Content: w.text(), UpdatedAt: moment(w.Updated)})
		}
	}
	return page
}

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
