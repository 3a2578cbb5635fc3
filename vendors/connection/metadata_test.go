package connection

import (
	"encoding/json"
	"strings"
	"testing"

	"kb-mcp/vendors"
	"kb-mcp/vendors/internal/normal"
)

// TestMetadataFitsEveryReader: what somebody wrote into metadata does not make
// the whole answer unreadable.
func TestMetadataFitsEveryReader(t *testing.T) {
	read := func(text string) map[string]any {
		dec := json.NewDecoder(strings.NewReader(text))
		dec.UseNumber()
		var m map[string]any
		if err := dec.Decode(&m); err != nil {
			t.Fatal(err)
		}
		return m
	}
	deep := strings.Repeat("[", 9000) + strings.Repeat("]", 9000)
	for text, want := range map[string]string{
		`{"team":"产品","year":2026,"tags":["a",{"b":null}],"id":12345678901234567890}`:                                           `{"id":"12345678901234567890","tags":["a",{"b":null}],"team":"产品","year":2026}`,
		`{"n":[9007199254740992,9007199254740993,-9007199254740992,-9007199254740993,0.1,1.50,-0.0,1e300,0.30000000000000004]}`: `{"n":[9007199254740992,"9007199254740993",-9007199254740992,"-9007199254740993",0.1,1.50,-0.0,1e300,0.30000000000000004]}`,
		`{"a":{"b":[{"order":1915883588174806058}]},"pi":3.14159265358979323846,"f":9007199254740993.0,"tiny":1e-400}`:          `{"a":{"b":[{"order":"1915883588174806058"}]},"f":"9007199254740993.0","pi":"3.14159265358979323846","tiny":"1e-400"}`,
		"{\"te\u200bam\":\"产\u202e品\\nx\",\"team\":1,\"l\u200b\":[\"\u200b\"]}":                                                 `{"\"te\\u200bam\"":"产品\nx","l":[""],"team":1}`,
		`{"size":1e999,"small":[-1e999]}`: `{"size":"1e999","small":["-1e999"]}`,
		`{"deep":` + deep + `,"a":1}`:     `{"a":1,"deep":` + strings.Repeat("[", 31) + "null" + strings.Repeat("]", 31) + `}`,
	} {
		d := vendors.Document{Status: vendors.Completed, Metadata: read(text)}
		normal.Document(&d, "conn", "kb")
		got, err := json.Marshal(d.Metadata)
		if err != nil || string(got) != want {
			t.Errorf("%.60s became %.100s, %v, want %s", text, got, err, want)
		}
		var all any
		if err := json.Unmarshal(got, &all); err != nil {
			t.Error(err)
		}
	}
}
