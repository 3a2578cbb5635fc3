package coze

import (
	"encoding/json"

	"kb-mcp/vendors/rest"
)

// Requests of the writing calls. Ids go as strings in both dialects; what a
// server does not know of a body it ignores without a word.

// createDataset asks POST /v1/datasets. format_type 0 is text; tables are not
// possible there.
type createDataset struct {
	Name        string `json:"name"`
	SpaceID     string `json:"space_id"`
	FormatType  int    `json:"format_type"`
	Description string `json:"description,omitempty"`
}

// updateDataset asks PUT /v1/datasets/{id}, which resets what is left out.
type updateDataset struct {
	Name        string `json:"name"`
	Description string `json:"description"`
}

// createRequest asks POST /open_api/knowledge/document/create.
type createRequest struct {
	DatasetID     string         `json:"dataset_id"`
	DocumentBases []documentBase `json:"document_bases"`
	ChunkStrategy chunkStrategy  `json:"chunk_strategy"` // required in every call
	FormatType    int            `json:"format_type"`
}

type documentBase struct {
	Name       string     `json:"name"`
	SourceInfo sourceInfo `json:"source_info"`
}

// chunkStrategy of type 0 is Coze's own way to split. Images need to be told who
// describes them: 0 the platform, 1 a person.
type chunkStrategy struct {
	ChunkType   int  `json:"chunk_type"`
	CaptionType *int `json:"caption_type,omitempty"`
}

// sourceInfo is where a document comes from. Hosted reads all but the last;
// studio only the last, and ignores the others.
type sourceInfo struct {
	FileBase64     []byte `json:"file_base64,omitempty"`
	FileType       string `json:"file_type,omitempty"` // pdf txt doc docx
	WebURL         string `json:"web_url,omitempty"`
	SourceFileID   string `json:"source_file_id,omitempty"`  // an image that was stored before
	DocumentSource *int   `json:"document_source,omitempty"` // 0 file, 1 web page, 5 stored file
	TosURI         string `json:"tos_uri,omitempty"`
}

// updateRequest asks POST /open_api/knowledge/document/update, which takes what
// is left out for empty: studio drops the columns of a table that are not named,
// and hosted Coze documents "no refresh" as the default of update_rule.
type updateRequest struct {
	DocumentID   string          `json:"document_id"`
	DocumentName string          `json:"document_name"`
	TableMeta    json.RawMessage `json:"table_meta,omitempty"`
	UpdateRule   *updateRule     `json:"update_rule,omitempty"`
}

// updateRule is when hosted Coze fetches a web page again.
type updateRule struct {
	UpdateType     int64 `json:"update_type"`
	UpdateInterval int64 `json:"update_interval"`
}

// deleteRequest asks POST /open_api/knowledge/document/delete.
type deleteRequest struct {
	DocumentIDs []string `json:"document_ids"`
}

// datasetAnswer names the knowledge base that was made, under data or at the
// top.
type datasetAnswer struct {
	head
	ID   rest.ID `json:"dataset_id"`
	Data struct {
		ID rest.ID `json:"dataset_id"`
	} `json:"data"`
}

func (a *datasetAnswer) given() bool    { return a.id() != "" }
func (a *datasetAnswer) about() subject { return subject{"The space", "createKnowledge"} }

func (a *datasetAnswer) id() string {
	if a.Data.ID != "" {
		return string(a.Data.ID)
	}
	return string(a.ID)
}

// createAnswer is rows as of the list that are stubs: id, name and status; its
// zeros mean "not known".
type createAnswer struct{ listAnswer }

func (a *createAnswer) given() bool { return a.stub() != nil }
func (a *createAnswer) about() subject {
	return subject{"The knowledge base", "createDocument, ownership of the knowledge base"}
}

// stub is the one document that was made.
func (a *createAnswer) stub() *document {
	for _, w := range a.payload().Documents {
		if w.ID != "" {
			return &w
		}
	}
	return nil
}

// fileAnswer is an uploaded file. Its url is signed and never read.
type fileAnswer struct {
	head
	Data struct {
		ID  rest.ID  `json:"id"`
		URI rest.Str `json:"uri"` // studio: the storage key
	} `json:"data"`
}

func (a *fileAnswer) given() bool    { return a.Data.URI != "" || a.Data.ID != "" }
func (a *fileAnswer) about() subject { return subject{"The file", "uploadFile"} }

// done is an answer without data: its code says all.
type done struct{ head }

func (a *done) given() bool { return a.Code.Valid }

// The answers without data, for the words of their errors.
type (
	datasetUpdated  struct{ done }
	datasetDeleted  struct{ done }
	documentUpdated struct{ done }
	documentDeleted struct{ done }
	captionUpdated  struct{ done }
)

// updateCaption asks PUT /v1/datasets/{id}/images/{document}.
type updateCaption struct {
	Caption string `json:"caption"`
}

func (a *captionUpdated) about() subject {
	return subject{"The image", "updatePhoto, ownership of the knowledge base"}
}

func (a *datasetUpdated) about() subject {
	return subject{"The knowledge base", "update (of Knowledge), ownership of the knowledge base"}
}
func (a *datasetDeleted) about() subject {
	return subject{"The knowledge base", "delete (of Knowledge), ownership of the knowledge base"}
}
func (a *documentUpdated) about() subject {
	return subject{"The document", "updateDocument, ownership of the knowledge base"}
}
func (a *documentDeleted) about() subject {
	return subject{"A document", "deleteDocument, ownership of the knowledge base"}
}
