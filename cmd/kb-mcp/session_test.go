package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"kb-mcp/vendors/sandbox"
)

// agent is one session of an agent with a process.
type agent struct {
	*process
	t      *testing.T
	id     int
	vendor string
	can    []string
}

// ask calls a tool and gives its result, or its error's kind.
func (a *agent) ask(tool string, args map[string]any) (result map[string]any, kind string) {
	a.t.Helper()
	args["vendor"] = a.vendor
	b, err := json.Marshal(args)
	if err != nil {
		a.t.Fatal(err)
	}
	a.id++
	a.send(`{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"_meta":{"progressToken":"p%[1]d"},"name":%q,"arguments":%s}}`, a.id, tool, b)
	answer := a.answer(a.id)
	r, ok := answer["result"].(map[string]any)
	if !ok {
		a.t.Fatalf("%s %s: %v", tool, b, answer)
	}
	text := r["content"].([]any)[0].(map[string]any)["text"].(string)
	if r["isError"] == true {
		var e struct {
			Error struct{ Kind, Message, Hint string }
		}
		if err := json.Unmarshal([]byte(text), &e); err != nil || e.Error.Hint == "" {
			a.t.Fatalf("%s: %s", tool, text)
		}
		return nil, e.Error.Kind + ": " + e.Error.Message
	}
	if err := json.Unmarshal([]byte(text), &result); err != nil {
		a.t.Fatal(err)
	}
	return result, ""
}

// do is ask for what must work when the connection says so, and must be
// unsupported when it does not; it reports whether it was done.
func (a *agent) do(tool string, args map[string]any) (map[string]any, bool) {
	a.t.Helper()
	result, failure := a.ask(tool, args)
	can := slices.Contains(a.can, tool)
	switch {
	case can && failure != "" && !strings.HasPrefix(failure, "unsupported"):
		a.t.Errorf("%s %v: %s", tool, args, failure)
	case !can && !strings.HasPrefix(failure, "unsupported"):
		a.t.Errorf("%s is not a capability and answers %q, %v", tool, failure, result)
	}
	return result, failure == ""
}

// TestWholeSession is what an agent does with a knowledge base, on every
// platform as far as it can.
func TestWholeSession(t *testing.T) {
	for _, vendor := range []string{"coze", "dify", "ragflow", "volcengine"} {
		t.Run(vendor, func(t *testing.T) {
			t.Parallel()
			session(t, vendor, sandbox.FaceCoze, sandbox.FaceDify, sandbox.FaceRAGFlow, sandbox.FaceVolcengine)
		})
	}
	t.Run("coze-studio", func(t *testing.T) {
		if testing.Short() {
			t.Skip("the platform's estimate makes the wait look again after 15 s")
		}
		t.Parallel()
		session(t, "coze", sandbox.FaceCozeStudio)
	})
	t.Run("ragflow-preview", func(t *testing.T) { t.Parallel(); session(t, "ragflow", sandbox.FaceRAGFlowPreview) })
}

func session(t *testing.T, vendor string, faces ...string) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	sb, err := sandbox.Start(ctx, "127.0.0.1:0", sandbox.Options{Speed: 4})
	if err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	if err := os.WriteFile(filepath.Join(root, "manual.txt"), []byte("The red lever opens the hatch. 红色手柄打开舱门。"), 0o600); err != nil {
		t.Fatal(err)
	}
	env := append(sandbox.Variables("http://"+sb.Addr(), faces...), "KB_MCP_ALLOW_WRITES=true", "KB_MCP_UPLOAD_ROOTS="+root,
		"COZE_RATE_LIMIT=off", "KB_MCP_LOG_LEVEL=warn")
	p := launch(t, env)
	p.send(hello)
	p.answer(1)
	a := &agent{process: p, t: t, id: 1, vendor: vendor}
	a.can = capabilities(a)
	kb := createBase(a)
	docs := uploads(a, kb)
	if started, ok := a.do("start_ingestion", map[string]any{"knowledge_base_id": kb, "document_ids": docs}); ok {
		t.Logf("started: %v", started)
	}
	wait, ok := a.do("wait_for_ingestion", map[string]any{"knowledge_base_id": kb, "document_ids": docs, "timeout_seconds": 45})
	if !ok || wait["summary"].(map[string]any)["done"] != true {
		t.Fatalf("waiting ended with %v\n%s", wait, p.stderr)
	}
	look(a, kb, docs)
	cleanUp(a, kb, docs)
	p.stdin.Close()
	if _, err := p.ended(); err != nil {
		t.Error(err)
	}
}

// capabilities asks list_vendors, which takes no vendor.
func capabilities(a *agent) []string {
	a.id++
	a.send("%s", callLine(a.id, "list_vendors", "{}"))
	r := a.answer(a.id)["result"].(map[string]any)["structuredContent"].(map[string]any)
	var can []string
	for _, v := range r["vendors"].([]any) {
		if v := v.(map[string]any); v["vendor"] == a.vendor {
			for _, tool := range v["capabilities"].([]any) {
				can = append(can, tool.(string))
			}
		}
	}
	// What needs no driver of its own works everywhere.
	return append(can, "wait_for_ingestion")
}

func createBase(a *agent) string {
	made, ok := a.do("create_knowledge_base", map[string]any{"name": "session_kb", "description": "made by a test"})
	if !ok {
		a.t.Fatal("no knowledge base")
	}
	id := made["knowledge_base"].(map[string]any)["knowledge_base_id"].(string)
	a.do("update_knowledge_base", map[string]any{"knowledge_base_id": id, "description": "changed by a test"})
	return id
}

// uploads adds a text, an address and a file as far as each is possible.
func uploads(a *agent, kb string) []string {
	var ids []string
	for _, source := range []map[string]any{
		{"name": "note.txt", "text": "The blue valve closes the tank. 蓝色阀门关闭水箱。"},
		{"name": "page.pdf", "url": "https://example.com/page.pdf"},
		{"path": "manual.txt"},
	} {
		source["knowledge_base_id"] = kb
		if up, ok := a.do("upload_document", source); ok {
			ids = append(ids, up["document"].(map[string]any)["document_id"].(string))
		}
	}
	if len(ids) == 0 {
		a.t.Fatal("nothing could be uploaded")
	}
	return ids
}

// look searches, reads and downloads.
func look(a *agent, kb string, docs []string) {
	if hits, ok := a.do("search_knowledge_base", map[string]any{"knowledge_base_id": kb, "query": "blue valve"}); ok && a.vendor != "volcengine" {
		if !strings.Contains(fmt.Sprint(hits["hits"]), "blue valve") {
			a.t.Errorf("the text is not found: %v", hits)
		}
	}
	if chunks, ok := a.do("list_chunks", map[string]any{"knowledge_base_id": kb, "document_id": docs[0]}); ok && len(chunks["chunks"].([]any)) == 0 {
		a.t.Errorf("no chunks: %v", chunks)
	}
	a.do("update_document", map[string]any{"knowledge_base_id": kb, "document_id": docs[0], "name": "renamed.txt"})
	if d, ok := a.do("download_document", map[string]any{"knowledge_base_id": kb, "document_id": docs[0]}); ok && !strings.Contains(fmt.Sprint(d["text"]), "blue valve") {
		a.t.Errorf("downloaded %v", d)
	}
	if d, ok := a.do("download_document", map[string]any{"knowledge_base_id": kb, "document_id": docs[0], "path": "copy.txt"}); ok && d["path"] != "copy.txt" {
		a.t.Errorf("downloaded %v", d)
	}
	a.do("start_ingestion", map[string]any{"knowledge_base_id": kb, "document_ids": docs[:1]})
	a.do("stop_ingestion", map[string]any{"knowledge_base_id": kb, "document_ids": docs[:1]})
}

// cleanUp deletes what was made.
func cleanUp(a *agent, kb string, docs []string) {
	gone, _ := a.do("delete_documents", map[string]any{"knowledge_base_id": kb, "document_ids": append(docs[:len(docs):len(docs)], otherID(a.vendor))})
	results, ok := gone["results"].([]any)
	if !ok || len(results) != len(docs)+1 {
		a.t.Fatalf("deleted %v", gone)
	}
	for i, r := range results {
		outcome := r.(map[string]any)["outcome"]
		if unknown := i == len(docs); unknown != (outcome == "not_found") || !unknown && outcome != "done" && outcome != "accepted" {
			a.t.Errorf("outcome %d is %v", i, r)
		}
	}
	a.do("delete_knowledge_base", map[string]any{"knowledge_base_id": kb})
	if _, failure := a.ask("list_documents", map[string]any{"knowledge_base_id": kb}); !strings.HasPrefix(failure, "not_found") {
		a.t.Errorf("the deleted knowledge base answers %q", failure)
	}
}

// otherID is an id of the platform's form that nothing has.
func otherID(vendor string) string {
	switch vendor {
	case "coze":
		return "7446312476208140000"
	case "dify":
		return "00000000-0000-4000-8000-000000000000"
	}
	return "0123456789abcdef0123456789abcdef"
}
