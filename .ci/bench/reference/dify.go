package main

// difyList is Dify's list of documents, with every member that its API
// reference has.
type difyList struct {
	Data    []difyDocument `json:"data"`
	HasMore bool           `json:"has_more"`
	Limit   int            `json:"limit"`
	Total   int            `json:"total"`
	Page    int            `json:"page"`
}

type difyDocument struct {
	ID                   string         `json:"id"`
	Position             int            `json:"position"`
	DataSourceType       string         `json:"data_source_type"`
	DataSourceInfo       difySourceInfo `json:"data_source_info"`
	DataSourceDetailDict difyDetail     `json:"data_source_detail_dict"`
	DatasetProcessRuleID string         `json:"dataset_process_rule_id"`
	Name                 string         `json:"name"`
	CreatedFrom          string         `json:"created_from"`
	CreatedBy            string         `json:"created_by"`
	CreatedAt            int64          `json:"created_at"`
	Tokens               int64          `json:"tokens"`
	IndexingStatus       string         `json:"indexing_status"`
	Error                string         `json:"error"`
	Enabled              bool           `json:"enabled"`
	DisabledAt           int64          `json:"disabled_at"`
	DisabledBy           string         `json:"disabled_by"`
	Archived             bool           `json:"archived"`
	DisplayStatus        string         `json:"display_status"`
	WordCount            int64          `json:"word_count"`
	HitCount             int64          `json:"hit_count"`
	DocForm              string         `json:"doc_form"`
	DocMetadata          []difyField    `json:"doc_metadata"`
	SummaryIndexStatus   string         `json:"summary_index_status"`
	NeedSummary          bool           `json:"need_summary"`
}

type difySourceInfo struct {
	UploadFileID string `json:"upload_file_id"`
	URL          string `json:"url"`
}

type difyDetail struct {
	UploadFile difyFile `json:"upload_file"`
}

type difyFile struct {
	ID        string  `json:"id"`
	Name      string  `json:"name"`
	Size      int64   `json:"size"`
	Extension string  `json:"extension"`
	MIMEType  string  `json:"mime_type"`
	CreatedBy string  `json:"created_by"`
	CreatedAt float64 `json:"created_at"`
}

type difyField struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Type  string `json:"type"`
	Value any    `json:"value"`
}
