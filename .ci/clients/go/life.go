package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// life lets one agent make, fill, search and delete a knowledge base on every
// platform of the demo, as far as each can: one session, writes allowed.
func (c *checker) life(ctx context.Context, open open) error {
	root, err := os.MkdirTemp("", "kb-mcp-uploads")
	if err != nil {
		return err
	}
	defer os.RemoveAll(root)
	if err := os.WriteFile(filepath.Join(root, "manual.txt"), []byte("The red lever opens the hatch."), 0o600); err != nil {
		return err
	}
	s, process, err := open(ctx, target{args: []string{"stdio", "--demo"},
		env: []string{"KB_MCP_ALLOW_WRITES=true", "KB_MCP_UPLOAD_ROOTS=" + root}})
	if err != nil {
		return err
	}
	var wg sync.WaitGroup
	for _, vendor := range platforms {
		wg.Go(func() {
			c.check(ctx, "the life of a knowledge base on "+vendor, func(ctx context.Context) error { return lifeOn(ctx, s, vendor) })
		})
	}
	wg.Wait()
	return closeSession(s, process)
}

// lifeOn is one platform's life. What a platform cannot do must be unsupported.
func lifeOn(ctx context.Context, s *mcp.ClientSession, vendor string) error {
	var wrong error
	do := func(tool string, args object) object {
		args["vendor"] = vendor
		out, err := ask(ctx, s, tool, args)
		var failure toolError
		if errors.As(err, &failure) && failure.Kind == "unsupported" && failure.Hint != "" {
			return nil
		}
		wrong = errors.Join(wrong, err)
		return out
	}
	made, _ := do("create_knowledge_base", object{"name": "ci_life"})["knowledge_base"].(object)
	kb, _ := made["knowledge_base_id"].(string)
	if kb == "" {
		return errors.Join(wrong, errors.New("no knowledge base"))
	}
	var docs []string
	for _, source := range []object{
		{"name": "note.txt", "text": "The blue valve closes the tank."},
		{"name": "page.pdf", "url": "https://example.com/page.pdf"},
		{"path": "manual.txt"},
	} {
		source["knowledge_base_id"] = kb
		up, _ := do("upload_document", source)["document"].(object)
		if id, _ := up["document_id"].(string); id != "" {
			docs = append(docs, id)
		}
	}
	if len(docs) == 0 {
		return errors.Join(wrong, errors.New("nothing could be uploaded"))
	}
	do("start_ingestion", object{"knowledge_base_id": kb, "document_ids": docs})
	waited, _ := do("wait_for_ingestion", object{"knowledge_base_id": kb, "document_ids": docs, "timeout_seconds": 25})["summary"].(object)
	if waited["done"] != true {
		wrong = errors.Join(wrong, fmt.Errorf("after waiting: %v", waited))
	}
	if hits := do("search_knowledge_base", object{"knowledge_base_id": kb, "query": "blue valve"}); hits != nil && vendor != "volcengine" &&
		!strings.Contains(fmt.Sprint(hits), "blue valve") { // Volcengine takes addresses only
		wrong = errors.Join(wrong, fmt.Errorf("not found: %v", hits))
	}
	do("list_chunks", object{"knowledge_base_id": kb, "document_id": docs[0]})
	do("start_ingestion", object{"knowledge_base_id": kb, "document_ids": docs[:1]})
	do("download_document", object{"knowledge_base_id": kb, "document_id": docs[0]})
	outcomes := column(do("delete_documents", object{"knowledge_base_id": kb, "document_ids": docs}), "results", "outcome")
	if len(outcomes) != len(docs) || slices.Contains(outcomes, "failed") || slices.Contains(outcomes, "not_found") {
		wrong = errors.Join(wrong, fmt.Errorf("deleting gave %v", outcomes))
	}
	do("delete_knowledge_base", object{"knowledge_base_id": kb})
	return errors.Join(wrong, fails(ctx, s, "list_documents", object{"vendor": vendor, "knowledge_base_id": kb}, "not_found"))
}
