package nearest

import (
	"strings"
	"testing"
)

func TestOf(t *testing.T) {
	known := []string{"vendor", "knowledge_base_id", "document_ids", "limit", "cursor", "url", "DIFY_API_KEY"}
	for given, want := range map[string]string{
		"limits": "limit", "LIMIT": "limit", "limti": "limit", "knowledgeBaseId": "knowledge_base_id", "knowledge-base-id": "knowledge_base_id",
		"documentId": "document_ids", "DIFY_APIKEY": "DIFY_API_KEY", "dify_api_kye": "DIFY_API_KEY", "vendro": "vendor", "curser": "cursor",
		"verbosity": "", "x": "", "": "", "uri": "url", "ur": "", "limit\x00": "limit", "手册": "",
		strings.Repeat("limit", 1<<16): "",
	} {
		if got := Of(given, known); got != want {
			t.Errorf("Of(%.20q) = %q, want %q", given, got, want)
		}
	}
	if got := Of("list", nil); got != "" {
		t.Errorf("of nothing %q", got)
	}
}

func TestEdits(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"a", "", 1}, {"", "abc", 3}, {"ab", "ba", 1}, {"abcd", "acbd", 1}, {"kitten", "sitting", 3}, {"ca", "abc", 3}} {
		if got := edits(tt.a, tt.b); got != tt.want {
			t.Errorf("edits(%q, %q) = %d, want %d", tt.a, tt.b, got, tt.want)
		}
	}
}
