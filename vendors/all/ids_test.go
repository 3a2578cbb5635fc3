package all

import (
	"testing"

	"kb-mcp/vendors"
	"kb-mcp/vendors/connection"
)

func TestForeign(t *testing.T) {
	for _, tt := range []struct {
		platform, id string
		document     bool
		want         string // the platform it is of; "" where nobody can tell
	}{
		{"coze", "426b81d0-3121-45a3-aeba-2340453846f5", false, "Dify"},
		{"coze", "426B81D0-3121-45A3-AEBA-2340453846F5", true, "Dify"},
		{"coze", "2a47c6bee61611f1a05202fc00000001", true, "RAGFlow"},
		{"coze", "kb-b39e0a0ed54cb94e", false, "Volcengine"},
		{"coze", "7446", false, ""},
		{"coze", "a name", false, ""},
		{"dify", "7446312476208142546", true, "Coze"},
		{"dify", "20250306150245647595", true, ""}, // a batch of Dify
		{"dify", "2a47c6bee61611f1a05202fc00000001", false, "RAGFlow"},
		{"ragflow", "426b81d0-3121-45a3-aeba-2340453846f5", false, "Dify"},
		{"ragflow", "12345678901234567890123456789012", false, ""},
		{"ragflow", "kb1", false, ""},
		{"ragflow", "_sys_auto_gen_doc_id-4711", true, "Volcengine"},
		{"volcengine", "product_manual", false, ""},
		{"volcengine", "a2345678901234567890123456789012", false, ""}, // may be a name
		{"volcengine", "12345678901234567890123456789012", false, "RAGFlow"},
		{"volcengine", "426b81d0-3121-45a3-aeba-2340453846f5", false, "Dify"},
		{"volcengine", "426b81d0-3121-45a3-aeba-2340453846f5", true, ""}, // people choose them
		{"volcengine", "7446312476208142546", false, "Coze"},
		{"coze", "", false, ""},
		{"volcengine", "", false, ""},
		{"another", "7446312476208142546", false, ""},
	} {
		var own vendors.IDForm
		for _, f := range idForms() {
			if f.Platform == tt.platform {
				own = f
			}
		}
		of, want, foreign := connection.New("v", tt.platform, nil).Recognize(own, idForms()).Foreign(tt.id, tt.document)
		if of.Name != tt.want || foreign != (tt.want != "") || foreign && want == "" {
			t.Errorf("%s on %s: %q, %q, %v, want %q", tt.id, tt.platform, of.Name, want, foreign, tt.want)
		}
	}
}
