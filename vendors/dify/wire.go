package dify

import (
	"bytes"
	"cmp"
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
	Page  rest.Num `json:"page"` // as asked for

	version string    // X-Version: the server's release
	date    time.Time // the server's clock; zero when not said
}

// accept implements payload. Every array may be null when there is nothing.
func (p *page[T]) accept(h http.Header) bool {
	p.version = h.Get("X-Version")
	p.date, _ = http.ParseTime(h.Get("Date"))
	return p.Data != nil || p.Total.Valid && p.Total.Int == 0
}

// left is how many pages follow page number n of this size. A server that gives
// more rows than asked for, or neither total nor page, has not read what was asked
// (the segments of 1.1): all rows are here, and every further page would be this
// one again. Where a page says its number but no total, a full one promises one.
func (p *page[T]) left(n, size int) int {
	switch {
	case len(p.Data) > size:
		return 0
	case p.Total.Valid:
		return max(0, int((p.Total.Int+int64(size)-1)/int64(size))-n)
	case len(p.Data) == size && p.Page.Valid && p.Page.Int == int64(n):
		return 1
	}
	return 0
}

// since reports whether a server's version is at least a release.
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
	AverageLength  rest.Num  `json:"average_segment_length"`
	CreatedAt      rest.Num  `json:"created_at"`
	UpdatedAt      rest.Num  `json:"updated_at"`
	CompletedAt    rest.Num  `json:"completed_at"`
	Form           rest.Str  `json:"doc_form"`
	CreatedFrom    rest.Str  `json:"created_from"` // web, api or rag-pipeline
	Metadata       []field   `json:"doc_metadata"`
	Rule           rule      `json:"dataset_process_rule"` // in the detail
}

// source is where a document came from.
type source struct {
	URL        rest.Str `json:"url"`
	UploadFile file     `json:"upload_file"`
}

// file is an uploaded file.
type file struct {
	Size      rest.Num `json:"size"` // bytes; of a text its characters
	Extension rest.Str `json:"extension"`
	Type      rest.Str `json:"mime_type"`
	CreatedAt rest.Num `json:"created_at"` // of the newest upload
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
		Status: s.status, VendorStatus: s.raw, Error: failure(s.status, w.Error),
		Format: w.format(), Source: sources[w.SourceType], SourceURL: rest.PublicURL(string(w.SourceInfo.URL)),
		SizeBytes: w.size(), HitCount: w.HitCount.Count(),
		Enabled: w.Enabled.Ptr(), Archived: w.Archived.Ptr(),
		CreatedAt: vendors.Seconds(w.CreatedAt.Int), UpdatedAt: vendors.Seconds(w.UpdatedAt.Int),
		Metadata:  metadata(w.Metadata),
		Ingestion: vendors.Ingestion{Stage: s.stage, NewestAt: w.uploadedAt()},
	}
	if s.status == vendors.Queued {
		d.Ingestion.MovedAt = w.uploadedAt()
	}
	// What an earlier ingestion left beside a younger status is not said of
	// this one: characters and chunks are counted by splitting, tokens at the end.
	if !s.early {
		d.CharCount, d.ChunkCount, d.Ingestion.ChunksTotal = w.WordCount.Count(), w.SegmentCount.Count(), w.SegmentCount.Positive()
	}
	if s.status == vendors.Completed {
		if n := cmp.Or(d.ChunkCount, d.CharCount); n != nil && *n == 0 {
			d.Warnings = []string{noChunks}
		}
		d.TokenCount = w.Tokens.Positive() // 0 in economy knowledge bases: not counted
		d.Ingestion.FinishedAt = vendors.Seconds(w.CompletedAt.Int)
	}
	return d
}

// uploadedAt is when the document was last uploaded. It keeps its created_at
// when new content replaces it; the file is of the newest content.
func (w *document) uploadedAt() time.Time {
	return vendors.Seconds(max(w.CreatedAt.Int, w.UpdatedAt.Int, w.SourceInfo.UploadFile.CreatedAt.Int, w.SourceDetail.UploadFile.CreatedAt.Int))
}

// format is the file's suffix.
func (w *document) format() string {
	ext := cmp.Or(w.SourceInfo.UploadFile.Extension, w.SourceDetail.UploadFile.Extension)
	return cmp.Or(strings.ToLower(strings.TrimPrefix(rest.Text(string(ext)), ".")), rest.Suffix(string(w.Name)))
}

// size is the file's size in bytes. Of a text that came by the API, Dify says the
// characters instead, and everything else is said of a file sent as text/plain,
// too: there the size is given only where it surely counts more than characters.
func (w *document) size() *int64 {
	f := w.file()
	chars := max(w.WordCount.Float, w.SegmentCount.Float*w.AverageLength.Float)
	if w.CreatedFrom == "api" && f.Type == "text/plain" && f.Extension == "txt" && (chars <= 0 || f.Size.Float <= 1.5*chars) {
		return nil
	}
	return f.Size.Count()
}

// file returns the uploaded file from either place.
func (w *document) file() file {
	if f := w.SourceInfo.UploadFile; f.Size.Valid {
		return f
	}
	return w.SourceDetail.UploadFile
}

// noChunks is the warning of a completed document that searches cannot find.
const noChunks = "Dify found nothing to make chunks of in this document, so searches cannot find it. Check that it holds text (a scan needs OCR), or choose another rule or form in the Dify console; uploading it again under the same name replaces it."

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

// sources is the table of data_source_type.
var sources = map[rest.Str]string{
	"upload_file": "file", "local_file": "file", "notion_import": "notion", "website_crawl": "web",
	"online_document": "connector", "online_drive": "connector",
}

// state is what indexing_status says.
type state struct {
	status vendors.Status
	stage  string
	early  bool // splitting is not over, so counts are an earlier ingestion's

	raw string // the platform's word
}

// states is the table of indexing_status.
var states = map[string]state{
	"waiting":   {status: vendors.Queued, early: true},
	"parsing":   {status: vendors.Processing, stage: "parsing", early: true},
	"cleaning":  {status: vendors.Processing, stage: "cleaning", early: true},
	"splitting": {status: vendors.Processing, stage: "splitting", early: true},
	"indexing":  {status: vendors.Processing, stage: "indexing"},
	"paused":    {status: vendors.Paused},
	"completed": {status: vendors.Completed},
	"error":     {status: vendors.Failed},
}

// stateOf reads a status. In list and detail a paused document keeps the word of
// its stage, and only display_status says that it is paused; the status of a
// batch says "paused" itself and has no display_status.
func stateOf(indexing, display rest.Str) state {
	raw := rest.Text(string(indexing))
	s, known := states[raw]
	if s.raw = raw; !known {
		s.status = vendors.Unknown
	}
	if display == "paused" && s.status.Working() {
		s.status, s.raw = vendors.Paused, "paused"
	}
	return s
}
