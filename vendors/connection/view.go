package connection

import (
	"time"

	"kb-mcp/vendors"
)

// Progress is the ingestion view of a document.
type Progress struct {
	DocumentID      string           `json:"document_id"`
	Name            string           `json:"name,omitempty"`
	Status          vendors.Status   `json:"status"`
	VendorStatus    string           `json:"vendor_status"`
	ProgressPercent *int             `json:"progress_percent,omitempty"`
	Stage           string           `json:"stage,omitempty"`
	ChunksDone      *int64           `json:"chunks_done,omitempty"`
	ChunksTotal     *int64           `json:"chunks_total,omitempty"`
	ETASeconds      *int64           `json:"eta_seconds,omitempty"`
	StartedAt       time.Time        `json:"started_at,omitzero"`
	FinishedAt      time.Time        `json:"finished_at,omitzero"`
	ElapsedSeconds  *float64         `json:"elapsed_seconds,omitempty"`
	Error           *vendors.Failure `json:"error,omitempty"`
	Searchable      *bool            `json:"searchable,omitempty"`
	Warnings        []string         `json:"warnings,omitempty"`
	Stalled         *vendors.Stalled `json:"stalled,omitempty"`
}

// progressOf is the ingestion view of a settled document.
func progressOf(d *vendors.Document) Progress {
	p := Progress{
		DocumentID: d.DocumentID, Name: d.Name, Status: d.Status, VendorStatus: d.VendorStatus,
		ProgressPercent: d.ProgressPercent, Stage: d.Ingestion.Stage,
		ChunksDone: d.Ingestion.ChunksDone, ChunksTotal: d.Ingestion.ChunksTotal,
		StartedAt: d.Ingestion.StartedAt, FinishedAt: d.Ingestion.FinishedAt, Error: d.Error,
		Searchable: d.Searchable, Warnings: d.Warnings,
	}
	if !d.Status.Settled() {
		p.ETASeconds = d.Ingestion.ETASeconds
		p.FinishedAt = time.Time{}
	} else {
		p.ElapsedSeconds = d.Ingestion.ElapsedSeconds
	}
	return p
}
