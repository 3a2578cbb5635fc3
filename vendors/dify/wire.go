package dify

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"kb-mcp/vendors"
	"kb-mcp/vendors/rest"
)

// page is one page of any list. has_more is not read: it is true on a full last
// page, and only the total tells whether rows follow.
type page[T any] struct {
	Data  []T      `json:"data"`
	Total rest.Num `json:"total"`

	version string    // X-Version: the server's release
	date    time.Time // the server's clock
}

// accept implements payload. Every array may be null when there is nothing.
func (p *page[T]) accept(h http.Header) bool {
	p.version, p.date = h.Get("X-Version"), dateOf(h)
	return p.Data != nil || p.Total.Valid && p.Total.Int == 0
}

// dateOf is the server's clock at an answer; zero when not said.
func dateOf(h http.Header) time.Time {
	t, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return time.Time{}
	}
	return t
}

// left is how many pages follow page number n of this size; without a total, a
// full page promises one.
func (p *page[T]) left(n, size int) int {
	if p.Total.Valid {
		return max(0, int((p.Total.Int+int64(size)-1)/int64(size))-n)
	}
	if len(p.Data) < size {
		return 0
	}
	return 1
}

// since reports whether a server of version surely is of a release.
func since(version string, major, minor, patch int) bool {
	var v [3]int
	n, _ := fmt.Sscanf(version, "%d.%d.%d", &v[0], &v[1], &v[2])
	return n >= 2 && slices.Compare(v[:], []int{major, minor, patch}) >= 0
}

// document is a document in the list's and in the detail's form. The list has
// word_count and the file in data_source_detail_dict; the detail has the file
// in data_source_info, the segment count and more times.
type document struct {
	ID             rest.ID   `json:"id"`
	Name           rest.Str  `json:"name"`
	SourceType     rest.Str  `json:"data_source_type"`
	SourceInfo     source    `json:"data_source_info"`
	SourceDetail   source    `json:"data_source_detail_dict"`
	IndexingStatus rest.Str  `json:"indexing_status"`
	DisplayStatus  rest.Str  `json:"display_status"`
	Error          rest.Str  `json:"error"`
	Enabled        rest.Flag `json:"enabled"`
	Archived       rest.Flag `json:"archived"`
	Tokens         rest.Num  `json:"tokens"`
	WordCount      rest.Num  `json:"word_count"` // characters, whatever the name
	HitCount       rest.Num  `json:"hit_count"`
	SegmentCount   rest.Num  `json:"segment_count"` // in any state
	CreatedAt      rest.Num  `json:"created_at"`
	UpdatedAt      rest.Num  `json:"updated_at"`
	CompletedAt    rest.Num  `json:"completed_at"`
	Form           rest.Str  `json:"doc_form"`
	Metadata       []field   `json:"doc_metadata"`
}

// source is where a document came from.
type source struct {
	URL        rest.Str `json:"url"`
	UploadFile struct {
		Size      rest.Num `json:"size"` // bytes
		Extension rest.Str `json:"extension"`
		CreatedAt rest.Num `json:"created_at"` // of the newest upload
	} `json:"upload_file"`
}

// field is one metadata value.
type field struct {
	Name  rest.Str `json:"name"`
	Value value    `json:"value"`
}

// value keeps a value of any type with all its digits.
type value struct{ any }

// UnmarshalJSON implements json.Unmarshaler.
func (v *value) UnmarshalJSON(b []byte) error {
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	return dec.Decode(&v.any)
}

// accept implements payload.
func (w *document) accept(http.Header) bool { return w.ID != "" }

func (w *document) normal() vendors.Document {
	s := stateOf(w.IndexingStatus, w.DisplayStatus)
	d := vendors.Document{
		DocumentID: string(w.ID), Name: string(w.Name),
		Status: s.status, VendorStatus: s.raw, Error: fault(s.status, w.Error),
		Format: w.format(), Source: sourceOf(w.SourceType), SourceURL: rest.PublicURL(string(w.SourceInfo.URL)),
		SizeBytes: firstCount(w.SourceInfo.UploadFile.Size, w.SourceDetail.UploadFile.Size),
		HitCount:  w.HitCount.Count(), ChunkCount: w.SegmentCount.Count(),
		Enabled: w.Enabled.Ptr(), Archived: w.Archived.Ptr(),
		CreatedAt: vendors.Seconds(w.CreatedAt.Int), UpdatedAt: vendors.Seconds(w.UpdatedAt.Int),
		Metadata:  metadata(w.Metadata),
		Ingestion: vendors.Ingestion{Stage: s.stage},
	}
	if s.status == vendors.Queued {
		d.Ingestion.MovedAt = w.handedIn()
	}
	// What an earlier ingestion left beside a younger status is not said of
	// this one: characters are counted by splitting, tokens at the end.
	if !s.early {
		d.CharCount, d.Ingestion.ChunksTotal = w.WordCount.Count(), w.SegmentCount.Positive()
	}
	if s.status == vendors.Completed {
		d.TokenCount = w.Tokens.Positive() // 0 in economy knowledge bases: not counted
		d.Ingestion.FinishedAt = vendors.Seconds(w.CompletedAt.Int)
	}
	return d
}

// handedIn is when the document was last uploaded. It keeps its created_at when
// new content replaces it; the file is of the newest content.
func (w *document) handedIn() time.Time {
	return vendors.Seconds(max(w.CreatedAt.Int, w.UpdatedAt.Int, w.SourceInfo.UploadFile.CreatedAt.Int, w.SourceDetail.UploadFile.CreatedAt.Int))
}

// format is the file's suffix.
func (w *document) format() string {
	for _, s := range []source{w.SourceInfo, w.SourceDetail} {
		if ext := strings.TrimPrefix(rest.Text(string(s.UploadFile.Extension)), "."); ext != "" {
			return strings.ToLower(ext)
		}
	}
	return rest.Suffix(string(w.Name))
}

func firstCount(a, b rest.Num) *int64 {
	if n := a.Count(); n != nil {
		return n
	}
	return b.Count()
}

func metadata(fields []field) map[string]any {
	m := make(map[string]any, len(fields))
	for _, f := range fields {
		if f.Name != "" && f.Value.any != nil {
			m[string(f.Name)] = f.Value.any
		}
	}
	if len(m) == 0 {
		return nil
	}
	return m
}

// sourceOf is the table of data_source_type.
func sourceOf(t rest.Str) string {
	switch t {
	case "upload_file", "local_file":
		return "file"
	case "notion_import":
		return "notion"
	case "website_crawl":
		return "web"
	case "online_document", "online_drive":
		return "connector"
	}
	return ""
}

// state is what indexing_status says.
type state struct {
	status vendors.Status
	raw    string // the platform's word
	stage  string
	early  bool // splitting is not over, so counts are an earlier ingestion's
}

// stateOf is the table of indexing_status. In list and detail a paused document
// keeps the word of its stage, and only display_status says that it is paused;
// the status of a batch says "paused" itself and has no display_status.
func stateOf(indexing, display rest.Str) state {
	s := state{status: vendors.Unknown, raw: rest.Text(string(indexing))}
	switch s.raw {
	case "waiting":
		s.status, s.early = vendors.Queued, true
	case "parsing", "cleaning", "splitting":
		s.status, s.stage, s.early = vendors.Processing, s.raw, true
	case "indexing":
		s.status, s.stage = vendors.Processing, s.raw
	case "paused":
		s.status = vendors.Paused
	case "completed":
		s.status = vendors.Completed
	case "error":
		s.status = vendors.Failed
	}
	if display == "paused" && (s.status == vendors.Queued || s.status == vendors.Processing) {
		s.status, s.raw = vendors.Paused, "paused"
	}
	return s
}
