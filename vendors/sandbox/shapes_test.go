package sandbox_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"kb-mcp/vendors/sandbox"
	"kb-mcp/vendors/sandbox/coze"
	"kb-mcp/vendors/sandbox/sandboxtest"
	"kb-mcp/vendors/sandbox/world"
)

// TestShapes sends the request of every sample of the Coze and Dify sheets and
// compares keys and JSON types. The oldest samples lack "detail" and the studio
// sample, made from response types, lacks BaseResp.
func TestShapes(t *testing.T) {
	d := sandboxtest.NewDesk(t, sandbox.Options{})
	image := d.S.Store(world.Coze).Document(d.S.DocumentID(world.Coze, "poster.png"))
	file := d.S.Store(world.Dify).Document(d.S.DocumentID(world.Dify, "快速入门.docx"))
	process := "/v1/datasets/" + image.KB + "/process"
	difyKB := "/datasets/" + file.KB + "/documents"
	send := func(method, path, body, key string) sandboxtest.Reply {
		return d.Send(method, path, body, "Authorization: Bearer "+key, "Content-Type: application/json", "Agw-Js-Conv: str")
	}
	answers := map[string]sandboxtest.Reply{
		"coze process":   send("POST", "/coze"+process, `{"document_ids":["`+image.ID+`"]}`, sandbox.CozeToken),
		"coze list":      send("POST", "/coze/open_api/knowledge/document/list", `{"dataset_id":"`+image.KB+`","page":0,"size":10}`, sandbox.CozeToken),
		"coze datasets":  send("GET", "/coze/v1/datasets?space_id="+coze.SpaceID, "", sandbox.CozeToken),
		"studio process": send("POST", "/coze-studio"+process, `{"document_ids":[`+image.ID+`]}`, sandbox.CozeToken),
		"dify status":    send("GET", "/dify/v1"+difyKB+"/"+file.Batch+"/indexing-status", "", sandbox.DifyKey),
		"dify list":      send("GET", "/dify/v1"+difyKB+"?keyword=Installation", "", sandbox.DifyKey),
		"dify detail":    send("GET", "/dify/v1"+difyKB+"/"+file.ID, "", sandbox.DifyKey),
	}
	data, err := os.ReadFile("testdata/shapes.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		var sample struct {
			Case string
			Body any
		}
		if err := json.Unmarshal([]byte(line), &sample); err != nil {
			t.Fatal(err)
		}
		var got any
		if err := json.Unmarshal([]byte(answers[sample.Case].Text), &got); err != nil {
			t.Errorf("%s: %v", sample.Case, err)
		}
		for _, diff := range sandboxtest.ShapeDiff("", sample.Body, got) {
			if !strings.HasPrefix(diff, ".detail: not in") && !strings.HasPrefix(diff, ".BaseResp: not in") {
				t.Errorf("%s%s", sample.Case, diff)
			}
		}
	}
}
