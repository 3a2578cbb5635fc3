package vendors

import (
	"encoding/json"
	"strings"
	"testing"
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
		`{"team":"产品","year":2026,"tags":["a",{"b":null}],"id":12345678901234567890}`: `{"id":12345678901234567890,"tags":["a",{"b":null}],"team":"产品","year":2026}`,
		`{"size":1e999,"small":[-1e999]}`:                                             `{"size":"1e999","small":["-1e999"]}`,
		`{"deep":` + deep + `,"a":1}`:                                                 `{"a":1,"deep":` + strings.Repeat("[", 31) + "null" + strings.Repeat("]", 31) + `}`,
	} {
		d := Document{Status: Completed, Metadata: read(text)}
		d.settle("conn", "kb")
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
