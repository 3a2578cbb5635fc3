package ragflow

import (
	"context"
	"errors"
	"maps"
	"testing"

	"kb-mcp/vendors"
)

// A whole knowledge base is counted in one request; servers that cannot are
// asked once.
func TestCountByStatus(t *testing.T) {
	const counts = `{"unstart_count":1,"running_count":2,"cancel_count":0,"done_count":190,"fail_count":3}`
	f := &fake{answer: map[string]string{"/api/v1/datasets/k/ingestions/summary": `{"code":0,"data":{"doc_num":198,"status":` + counts + `}}`}}
	d := f.driver(t, "auto")
	got, err := d.CountByStatus(context.Background(), "k")
	want := map[vendors.Status]int{
		vendors.NotStarted: 1, vendors.Processing: 2, vendors.Completed: 190, vendors.Failed: 3, vendors.Unknown: 2,
	}
	if err != nil || !maps.Equal(got, want) {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
	if asked := f.take(); asked != "datasets/k/ingestions/summary" {
		t.Errorf("asked %s", asked)
	}

	for _, generation := range []string{"current", "preview"} {
		f := &fake{answer: map[string]string{}}
		d := f.driver(t, generation)
		for range 2 {
			_, err := d.CountByStatus(context.Background(), "k")
			if e := (*vendors.Error)(nil); !errors.As(err, &e) || e.Kind != vendors.Unsupported {
				t.Errorf("%s: %v", generation, err)
			}
		}
		if asked := f.take(); generation == "preview" && asked != "" || generation == "current" && asked != "datasets/k/ingestions/summary" {
			t.Errorf("%s: asked %q", generation, asked)
		}
	}
}
