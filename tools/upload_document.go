package tools

import (
	"cmp"
	"context"
	"fmt"
	"net/url"

	"kb-mcp/vendors"
	"kb-mcp/vendors/connection"
)

const uploadDocumentDoc = `Adds a document to a knowledge base from exactly one of text, url (the platform fetches it) or path; with document_id it replaces the content of that document (Dify, Volcengine). Returns it with its id, a batch_id where there is one, and notes on what you may not expect: that it was renamed, replaced another, or needs start_ingestion. Then use wait_for_ingestion. After an error look with find_documents before you repeat it.`

type uploadDocumentArgs struct {
	Vendor          string `arg:"vendor"`
	KnowledgeBaseID string `arg:"knowledge_base_id" required:"true"`
	DocumentID      string `arg:"document_id"`
	Name            string `arg:"name" max:"255"`
	Text            string `arg:"text"`
	URL             string `arg:"url" max:"2048"`
	Path            string `arg:"path" max:"4096"`
}

func (s *Set) uploadDocumentTool() tool {
	return on(s, face{
		name: "upload_document", title: "Upload a document", doc: uploadDocumentDoc,
		brief:  "adds a document from text, a URL, or a file under `KB_MCP_UPLOAD_ROOTS`, or replaces one's content",
		effect: adds, needs: connection.Can[vendors.Uploader],
	}, s.uploadDocument)
}

func (s *Set) uploadDocument(ctx context.Context, c *connection.Connection, in uploadDocumentArgs) (connection.UploadResult, error) {
	u := vendors.Upload{KnowledgeBaseID: in.KnowledgeBaseID, DocumentID: in.DocumentID, Name: in.Name, Text: in.Text, URL: in.URL}
	if in.Path != "" {
		if err := s.file(in.Path, &u); err != nil {
			return connection.UploadResult{}, err
		}
	}
	return c.Upload(ctx, u)
}

// conflicts holds that there is exactly one source of the document.
func (in *uploadDocumentArgs) conflicts() (list []problem) {
	given := 0
	for _, source := range []string{in.Text, in.URL, in.Path} {
		if source != "" {
			given++
		}
	}
	if given != 1 {
		list = append(list, problem{text: fmt.Sprintf("%d of `text`, `url` and `path` are given", given), hint: "Give exactly one of them."})
	}
	if in.Text != "" && in.Name == "" && in.DocumentID == "" {
		list = append(list, problem{arg: "name", text: "`name` is missing", hint: "A text needs a name, such as \"notes.md\"."})
	}
	if a, err := url.Parse(in.URL); in.URL != "" && (err != nil || a.Host == "" || a.Scheme != "http" && a.Scheme != "https" && a.Scheme != "tos") {
		list = append(list, problem{arg: "url", text: "`url` is not the address of a document", hint: "Allowed: http://, https:// (and tos://bucket/key on Volcengine)."})
	}
	return list
}

// file adds the file at path to an upload.
func (s *Set) file(path string, u *vendors.Upload) error {
	f, name, err := s.roots.File(path)
	if err != nil {
		return err
	}
	u.File, u.Name = &f, cmp.Or(u.Name, name)
	return nil
}
