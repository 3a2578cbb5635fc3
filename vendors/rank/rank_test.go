package rank

import (
	"encoding/base64"
	"testing"
	"time"

	"kb-mcp/vendors"
)

func FuzzRank(f *testing.F) {
	f.Add(Of(vendors.Document{Vendor: "v", KnowledgeBaseID: "kb", DocumentID: "d", CreatedAt: time.Unix(1, 0)}).Cursor("q"))
	f.Add(base64.RawURLEncoding.EncodeToString([]byte{rankVersion, 7, 0, 0, 0, 0}))
	f.Add("")
	f.Fuzz(func(t *testing.T, cursor string) {
		r, err := Parse(cursor, "q")
		if err != nil {
			if vendors.KindOf(err) != vendors.InvalidArgument {
				t.Fatalf("%v", err)
			}
			return
		}
		if r.Compare(r) != 0 {
			t.Fatalf("%+v differs from itself", r)
		}
		if again, err := Parse(r.Cursor("q"), "q"); err != nil || again != r {
			t.Fatalf("%+v became %+v, %v", r, again, err)
		}
	})
}
