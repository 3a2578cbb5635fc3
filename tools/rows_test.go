package tools

import (
	"encoding/json"
	"testing"
	"time"

	"kb-mcp/vendors"
)

// rowJSON is a row as a client gets it.
func rowJSON(t *testing.T, d vendors.Document) string {
	t.Helper()
	b, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestBriefRows(t *testing.T) {
	yes, no, part, at := true, false, 40, time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	size := int64(9)
	whole := func(change func(d *vendors.Document)) vendors.Document {
		d := vendors.Document{Vendor: "v", KnowledgeBaseID: "k", DocumentID: "d", Name: "n", Status: vendors.Completed, VendorStatus: "3",
			ProgressPercent: &part, SizeBytes: &size, Enabled: &yes, Archived: &no, CreatedAt: at, UpdatedAt: at, Metadata: map[string]any{"a": 1}}
		change(&d)
		return d
	}
	tests := []struct {
		name   string
		change func(d *vendors.Document)
		want   string
	}{
		{"completed", func(*vendors.Document) {}, `{"document_id":"d","name":"n","status":"completed"}`},
		{"processing", func(d *vendors.Document) { d.Status = vendors.Processing },
			`{"document_id":"d","name":"n","status":"processing","progress_percent":40,"updated_at":"2026-01-02T03:04:05Z"}`},
		{"failed", func(d *vendors.Document) {
			d.Status, d.ProgressPercent, d.Error = vendors.Failed, nil, &vendors.Failure{Message: "m"}
		},
			`{"document_id":"d","name":"n","status":"failed","error":{"message":"m"},"updated_at":"2026-01-02T03:04:05Z"}`},
		{"switched off", func(d *vendors.Document) { d.Enabled, d.Searchable = &no, &no },
			`{"document_id":"d","name":"n","status":"completed","enabled":false,"searchable":false}`},
		{"archived", func(d *vendors.Document) { d.Archived, d.Searchable = &yes, &no },
			`{"document_id":"d","name":"n","status":"completed","archived":true,"searchable":false}`},
		{"with warnings", func(d *vendors.Document) { d.Warnings = []string{"no chunks"} },
			`{"document_id":"d","name":"n","status":"completed","warnings":["no chunks"]}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			docs := []vendors.Document{whole(tt.change)}
			before := rowJSON(t, docs[0])
			if _, _, rows := rowsOf(docs, ""); rowJSON(t, rows[0]) != tt.want {
				t.Errorf("%s, want %s", rowJSON(t, rows[0]), tt.want)
			}
			if rowJSON(t, docs[0]) != before {
				t.Error("the document itself was changed")
			}
			_, _, rows := rowsOf(docs, inFull)
			if rows[0].Vendor = "v"; rows[0].KnowledgeBaseID == "" {
				rows[0].KnowledgeBaseID = "k"
			}
			if rowJSON(t, rows[0]) != before {
				t.Errorf("full: %s, want %s", rowJSON(t, rows[0]), before)
			}
		})
	}
}

func TestSharedColumnsStandOnTop(t *testing.T) {
	doc := func(vendor, kb string) vendors.Document { return vendors.Document{Vendor: vendor, KnowledgeBaseID: kb} }
	tests := []struct {
		name               string
		docs               []vendors.Document
		vendor, kb         string
		rowVendor, rowBase string // of the last row
	}{
		{"none", nil, "", "", "", ""},
		{"one knowledge base", []vendors.Document{doc("v", "k"), doc("v", "k")}, "v", "k", "", ""},
		{"one connection", []vendors.Document{doc("v", "k"), doc("v", "l")}, "v", "", "", "l"},
		{"two connections with the same id", []vendors.Document{doc("v", "k"), doc("w", "k")}, "", "", "w", "k"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			vendor, kb, rows := rowsOf(tt.docs, "")
			if vendor != tt.vendor || kb != tt.kb || len(rows) != len(tt.docs) || rows == nil {
				t.Fatalf("%q, %q, %+v", vendor, kb, rows)
			}
			if n := len(rows); n > 0 && (rows[n-1].Vendor != tt.rowVendor || rows[n-1].KnowledgeBaseID != tt.rowBase) {
				t.Errorf("%+v", rows[n-1])
			}
		})
	}
}
