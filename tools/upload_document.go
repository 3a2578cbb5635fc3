package tools

import (
	"context"
	"net/url"
	"path/filepath"

	"kb-mcp/vendors"
)

const uploadDocumentDoc = `Adds one document to a knowledge base from exactly one of text, url (the platform fetches it) or path (a file on the server, under its upload roots). Returns the document with its id, the batch_id where there is one (Dify), and notes on what the platform did that you may not expect, for example that it renamed or replaced a document, or that start_ingestion is needed (RAGFlow). Then use wait_for_ingestion. Never repeat it after an error without looking with list_documents first.`

type uploadDocumentArgs struct {
	Vendor          string `arg:"vendor"`
	KnowledgeBaseID string `arg:"knowledge_base_id" required:"true"`
	Name            string `arg:"name" max:"255"`
	Text            string `arg:"text"`
	URL             string `arg:"url" max:"2048"`
	Path            string `arg:"path" max:"4096"`
}

func (s *Set) uploadDocument(ctx context.Context, in uploadDocumentArgs) (vendors.UploadResult, error) {
	v, err := s.vendor(in.Vendor)
	if err != nil {
		return vendors.UploadResult{}, err
	}
	u := vendors.Upload{KnowledgeBaseID: in.KnowledgeBaseID, Name: in.Name, Text: in.Text, URL: in.URL}
	if err := s.content(in, &u); err != nil {
		return vendors.UploadResult{}, err
	}
	return v.Upload(ctx, u)
}

// content checks that there is exactly one source of the document.
func (s *Set) content(in uploadDocumentArgs, u *vendors.Upload) error {
	given := 0
	for _, source := range []string{in.Text, in.URL, in.Path} {
		if source != "" {
			given++
		}
	}
	if given != 1 {
		return invalid("%d of `text`, `url` and `path` are given.", given).WithHint("Give exactly one of them.")
	}
	switch {
	case in.Text != "" && in.Name == "":
		return invalid("`name` is missing.").WithHint("A text needs a name, such as \"notes.md\".")
	case in.URL != "":
		if a, err := url.Parse(in.URL); err != nil || a.Host == "" || a.Scheme != "http" && a.Scheme != "https" && a.Scheme != "tos" {
			return invalid("`url` is no address of a document.").WithHint("Allowed: http://, https:// (and tos://bucket/key on Volcengine).")
		}
	case in.Path != "":
		f, err := s.roots.file(in.Path)
		if err != nil {
			return err
		}
		u.File = &f
		if u.Name == "" {
			u.Name = filepath.Base(in.Path)
		}
	}
	return nil
}
