package coze

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"

	"kb-mcp/vendors"
	"kb-mcp/vendors/rest"
)

// payload is the content of an answer beside its envelope.
type payload interface {
	given() bool // it is present
}

// answer is an answer with its payload, which some calls put under data and
// others at the top.
type answer[P payload] struct {
	head
	Data P `json:"data"`
	top  P
}

func (a *answer[P]) envelope() *head { return &a.head }
func (a *answer[P]) given() bool     { return a.Data.given() || a.top.given() }
func (a *answer[P]) atTop() any      { return &a.top }

func (a *answer[P]) payload() P {
	if a.Data.given() {
		return a.Data
	}
	return a.top
}

// listing is a payload of rows that come page by page.
type listing interface {
	payload
	counted() (rows int, total rest.Num)
}

// documents is a page of POST /open_api/knowledge/document/list.
type documents struct {
	Total rest.Num   `json:"total"`
	List  []document `json:"document_infos"` // null when empty
}

func (p documents) given() bool              { return p.List != nil || p.Total.Valid }
func (p documents) counted() (int, rest.Num) { return len(p.List), p.Total }

// stubs is the answer to a create: rows of which only id, name and status count.
type stubs struct{ documents }

func (p stubs) given() bool { return p.first().ID != "" }

// first is the one document that was made.
func (p stubs) first() document {
	for _, w := range p.List {
		if w.ID != "" {
			return w
		}
	}
	return document{}
}

// processAnswer is the answer of POST /v1/datasets/{id}/process: {"data":[...]}, or
// the list itself.
type processAnswer struct {
	List []document
	is   bool
}

func (p processAnswer) given() bool { return p.is }

// UnmarshalJSON implements json.Unmarshaler.
func (p *processAnswer) UnmarshalJSON(b []byte) error {
	var in struct {
		Data []document `json:"data"`
		Code rest.Num   `json:"code"` // the whole answer's: its data is missing
	}
	target := any(&in)
	if b[0] == '[' {
		target = &in.Data
	}
	err := json.Unmarshal(b, target)
	*p = processAnswer{in.Data, err == nil && b[0] != 'n' && !in.Code.Valid}
	return err
}

// document is a row of a list, or what a process call says of a document. Its
// signed links are never read.
type document struct {
	ID         rest.ID  `json:"document_id"`
	Name       rest.Str `json:"name"`
	Type       rest.Str `json:"type"`
	Size       rest.Num `json:"size"`
	CharCount  rest.Num `json:"char_count"`
	SliceCount rest.Num `json:"slice_count"`
	HitCount   rest.Num `json:"hit_count"`
	CreateTime rest.Num `json:"create_time"` // seconds; 0: not a row of the list, and zeros say nothing
	UpdateTime rest.Num `json:"update_time"`
	FormatType rest.Num `json:"format_type"`
	SourceType rest.Num `json:"source_type"`
	Status     rest.Str `json:"status"`
	Descript   rest.Str `json:"status_descript"` // a reason; of process on studio a state word on every document
	WebURL     rest.Str `json:"web_url"`
	TosURI     rest.Str `json:"tos_uri"` // the stored file's key; never shown

	UpdateType     rest.Num        `json:"update_type"`     // 1: a web page that is fetched again by itself
	UpdateInterval rest.Num        `json:"update_interval"` // hours
	TableMeta      json.RawMessage `json:"table_meta"`      // studio: a table's columns

	// Of process only, where all but id and status may be absent.
	DocumentName rest.Str `json:"document_name"`
	Percent      rest.Num `json:"progress"` // 100 on some that failed
	Remaining    rest.Num `json:"remaining_time"`

	processed bool // process has reported the state
}

// normal is the document as tools show it. On studio web_url is a signed link to the
// stored file, not where the document came from.
func (w document) normal(onStudio bool) vendors.Document {
	status, raw, enabled := statusOf(w.Status)
	count := rest.Num.Count
	if w.CreateTime.Int <= 0 {
		count = rest.Num.Positive
	}
	d := vendors.Document{
		DocumentID: string(w.ID), Name: string(w.Name), Status: status, VendorStatus: raw, Enabled: enabled,
		Error:  failure(status, raw, w.Descript),
		Format: format(w.Type), Kind: nameOf(kinds, w.FormatType), Source: nameOf(sources, w.SourceType),
		SizeBytes: count(w.Size), CharCount: count(w.CharCount), ChunkCount: count(w.SliceCount), HitCount: count(w.HitCount),
		CreatedAt: vendors.Seconds(w.CreateTime.Int), UpdatedAt: vendors.Seconds(w.UpdateTime.Int),
	}
	if w.refreshes() && w.CreateTime.Int > 0 { // the platform fetches it again, and may change its id
		d.Metadata = map[string]any{"update_interval_hours": w.UpdateInterval.Int}
	}
	if onStudio {
		w.studio(&d)
	} else if d.Source == "web" {
		d.SourceURL = rest.PublicURL(string(w.WebURL))
	}
	if w.processed && d.Status == vendors.Processing && d.Warnings == nil {
		d.ProgressPercent, d.Ingestion.ETASeconds = percent(w.Percent), w.Remaining.Count()
	}
	return d
}

// studio corrects fields that studio uses differently: size counts the
// characters of the chunks, char_count and hit_count are always 0, and the
// status alone misleads: a document that will be tried again is 9, a table that
// has not begun is 1, a disabled document is 0.
func (w document) studio(d *vendors.Document) {
	d.SizeBytes, d.CharCount, d.HitCount = nil, w.Size.Positive(), nil
	begun := !w.Percent.Valid || w.Percent.Int >= 100
	switch {
	case d.Status == vendors.Processing && w.processed && w.Descript == disabled:
		d.Status, d.Enabled, d.CharCount = vendors.Completed, new(bool), w.Size.Count()
	case d.Status == vendors.Completed:
		d.CharCount = w.Size.Count()
		if !begun {
			d.Status = vendors.Processing
		}
	case d.Status == vendors.Failed && !begun && !lasting(d.Error):
		d.Status = vendors.Processing
		d.Warnings = append(d.Warnings, "It failed and coze-studio tries again by itself: "+strings.TrimSuffix(d.Error.Message, ".")+". "+d.Error.Hint)
		d.Error = nil
	}
}

// with is a row with what a process call says of the document. On studio, whose
// process call has a word for every state, the list may know the reason.
func (w document) with(p document, onStudio bool) document {
	if !onStudio || p.Descript != "" && p.Descript != gaveUp {
		w.Descript = p.Descript
	}
	w.Status, w.Percent, w.Remaining, w.processed = p.Status, p.Percent, p.Remaining, true
	return w
}

// begun returns a document that was just made, without what is not known yet.
func (w document) begun(name string) vendors.Document {
	if w.Name == "" {
		w.Name = rest.Str(name)
	}
	d := w.normal(true)
	if w.CreateTime.Int <= 0 {
		d.Kind, d.Source = "", ""
	}
	return d
}

// isText, isImage report what a document surely is: where no row was found, its
// suffix tells.
func (w document) isText() bool {
	if w.FormatType.Valid {
		return w.FormatType.Int == formatText
	}
	switch format(w.Type) {
	case "pdf", "txt", "doc", "docx", "md":
		return true
	}
	return false
}

func (w document) isImage() bool { return w.FormatType.Valid && w.FormatType.Int == formatImage }

// refreshes reports whether the platform fetches a document again by itself.
func (w document) refreshes() bool { return w.UpdateType.Int > 0 }

// percent is below 100 while a document is at work, whatever the platform says.
func percent(n rest.Num) *int {
	if !n.Valid {
		return nil
	}
	p := int(min(max(n.Int, 0), 99))
	return &p
}

// statuses are the platform's numbers. It has none for a document that waits.
var statuses = map[string]vendors.Status{
	"0":      vendors.Processing, // new
	"1":      vendors.Completed,
	"2":      vendors.Completed, // and disabled: searches leave it out
	"3":      vendors.Deleting,
	"4":      vendors.Processing, // being split again
	"5":      vendors.Processing, // being fetched again
	"9":      vendors.Failed,
	rejected: vendors.Failed,
}

// statusOf maps the platform's number; raw is its text.
func statusOf(s rest.Str) (status vendors.Status, raw string, enabled *bool) {
	raw = string(s)
	if f, err := strconv.ParseFloat(raw, 64); err == nil && f == math.Trunc(f) && math.Abs(f) < 1<<53 {
		raw = strconv.FormatInt(int64(f), 10)
	}
	status, known := statuses[raw]
	if !known {
		status = vendors.Unknown
	}
	if raw == "2" {
		enabled = new(bool)
	}
	return status, raw, enabled
}

// format is a file's suffix. Studio writes "0" for a file without one.
func format(suffix rest.Str) string {
	s := strings.ToLower(strings.TrimPrefix(strings.TrimSpace(string(suffix)), "."))
	if s == "0" {
		return ""
	}
	return s
}

// The numbers of format_type: from 3 on, databases and Volcano's, on which no
// other endpoint works.
const (
	formatText  = 0
	formatTable = 1
	formatImage = 2
)

var kinds = map[int64]string{formatText: "text", formatTable: "table", formatImage: "image"}

// sources are the numbers of source_type; those from 2 on stand in the platform's
// interface definitions only.
var sources = map[int64]string{
	0: "file", 1: "web", 2: "text", 3: "connector", 4: "web", 5: "file",
	101: "notion", 102: "connector", 103: "lark", 104: "lark", 109: "connector",
}

// nameOf is the word for a number, "" where it is not said or not known.
func nameOf(names map[int64]string, n rest.Num) string {
	if !n.Valid {
		return ""
	}
	return names[n.Int]
}

// datasets is a page of GET /v1/datasets.
type datasets struct {
	Total rest.Num  `json:"total_count"`
	List  []dataset `json:"dataset_list"`
}

func (p datasets) given() bool              { return p.List != nil || p.Total.Valid }
func (p datasets) counted() (int, rest.Num) { return len(p.List), p.Total }

// dataset is a knowledge base.
type dataset struct {
	ID          rest.ID  `json:"dataset_id"`
	Name        rest.Str `json:"name"`
	Description rest.Str `json:"description"`
	Status      rest.Num `json:"status"` // 1 enabled, 3 not
	FormatType  rest.Num `json:"format_type"`
	DatasetType rest.Num `json:"dataset_type"` // 1: Volcano's
	DocCount    rest.Num `json:"doc_count"`
	SliceCount  rest.Num `json:"slice_count"`
	FileSize    rest.Num `json:"all_file_size"` // bytes, a decimal string; on studio characters of chunks
	CreateTime  rest.Num `json:"create_time"`   // seconds
	// Busy are ids, Failed names; null when the platform does not list them.
	Busy       []rest.ID  `json:"processing_file_id_list"`
	Failed     []rest.Str `json:"failed_file_list"`
	UpdateTime rest.Num   `json:"update_time"`
	CanEdit    rest.Flag  `json:"can_edit"` // false: of another owner, every write is refused
}

// foreign reports whether no other endpoint works on the knowledge base.
func (w dataset) foreign() bool { return w.DatasetType.Int == 1 || w.FormatType.Int > formatImage }

// readOnly reports whether the platform says that writes will be refused.
func (w dataset) readOnly() bool { return w.CanEdit.Valid && !w.CanEdit.Set }

// normal is the knowledge base as tools show it.
func (w dataset) normal(onStudio bool) vendors.KnowledgeBase {
	k := vendors.KnowledgeBase{
		KnowledgeBaseID: string(w.ID), Name: string(w.Name), Description: string(w.Description),
		Kind:          nameOf(kinds, w.FormatType),
		DocumentCount: w.DocCount.Count(), ChunkCount: w.SliceCount.Count(), SizeBytes: w.FileSize.Count(),
		CreatedAt: vendors.Seconds(w.CreateTime.Int), UpdatedAt: vendors.Seconds(w.UpdateTime.Int),
	}
	if onStudio {
		k.SizeBytes = nil
	}
	if w.Busy != nil && w.Failed != nil {
		k.Pending = new(len(w.Busy) + len(w.Failed))
		for _, id := range w.Busy {
			k.Busy = append(k.Busy, string(id))
		}
	}
	if on := w.Status.Int == 1; on || w.Status.Int == 3 {
		k.Enabled = &on
	}
	return k
}

// workspaces is a page of GET /v1/workspaces.
type workspaces struct {
	Total rest.Num `json:"total_count"`
	List  []struct {
		ID rest.ID `json:"id"`
	} `json:"workspaces"`
}

func (p workspaces) given() bool              { return p.List != nil || p.Total.Valid }
func (p workspaces) counted() (int, rest.Num) { return len(p.List), p.Total }

// images is a page of GET /v1/datasets/{id}/images.
type images struct {
	Total rest.Num `json:"total_count"`
	List  []struct {
		ID      rest.ID  `json:"document_id"`
		Name    rest.Str `json:"name"`
		Caption rest.Str `json:"caption"`
	} `json:"photo_infos"`
}

func (p images) given() bool              { return p.List != nil || p.Total.Valid }
func (p images) counted() (int, rest.Num) { return len(p.List), p.Total }

// created names the knowledge base that was made.
type created struct {
	ID rest.ID `json:"dataset_id"`
}

func (p created) given() bool { return p.ID != "" }

// stored is an uploaded file.
type stored struct {
	ID  rest.ID  `json:"id"`
	URI rest.Str `json:"uri"` // studio: the storage key
}

func (p stored) given() bool { return p.ID != "" || p.URI != "" }

// nothing is the payload of an answer that has only a code.
type nothing struct {
	Code rest.Num `json:"code"`
}

func (p nothing) given() bool { return p.Code.Valid }
