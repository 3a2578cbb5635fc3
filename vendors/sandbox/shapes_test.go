package sandbox

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"kb-mcp/vendors/sandbox/coze"
	"kb-mcp/vendors/sandbox/world"
)

// TestShapes sends the request of every sample of the Coze and Dify sheets and
// compares keys and JSON types. The oldest samples lack "detail" and the studio
// sample, made from response types, lacks BaseResp.
func TestShapes(t *testing.T) {
	d := newDesk(t, Options{})
	image := d.s.Store(world.Coze).Document(d.s.DocumentID(world.Coze, "poster.png"))
	file := d.s.Store(world.Dify).Document(d.s.DocumentID(world.Dify, "快速入门.docx"))
	process := "/v1/datasets/" + image.KB + "/process"
	difyKB := "/datasets/" + file.KB + "/documents"
	answers := map[string]reply{
		"coze process":   d.coze("POST", process, `{"document_ids":["`+image.ID+`"]}`),
		"coze list":      d.coze("POST", cozeList, `{"dataset_id":"`+image.KB+`","page":0,"size":10}`),
		"coze datasets":  d.coze("GET", "/v1/datasets?space_id="+coze.SpaceID, ""),
		"studio process": d.studio("POST", process, `{"document_ids":[`+image.ID+`]}`),
		"dify status":    d.dify(difyKB + "/" + file.Batch + "/indexing-status"),
		"dify list":      d.dify(difyKB + "?keyword=Installation"),
		"dify detail":    d.dify(difyKB + "/" + file.ID),
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
		if err := json.Unmarshal([]byte(answers[sample.Case].text), &got); err != nil {
			t.Errorf("%s: %v", sample.Case, err)
		}
		for _, diff := range shapeDiff("", sample.Body, got) {
			if !strings.HasPrefix(diff, ".detail: not in") && !strings.HasPrefix(diff, ".BaseResp: not in") {
				t.Errorf("%s%s", sample.Case, diff)
			}
		}
	}
}
