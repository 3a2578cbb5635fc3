package rest

import "testing"

func TestWords(t *testing.T) {
	for _, c := range []struct {
		text, pattern string
		want          bool
	}{
		{"Use `/documents/ingest` instead.", "/documents/ingest instead", true},
		{"Use /documents/ingest, instead", "/documents/ingest instead", true},
		{"Can’t parse document", "can't parse", true},
		{"cant parse", "Can't parse", true},
		{"LookupError('Model(bge@x) not authorized')", "lookuperror*model*not authorized", true},
		{"LookupError(\"Model bge@x: not authorized\")", "lookuperror*model*not authorized", true},
		{"not authorized: Model", "model*not authorized", false},
		{"文档不存在。", "文档不存在", true},
		{"Documents not found: ['x']", "document not found", false},
		{"DOC_STOP_PARSING_INVALID_STATE", "doc stop parsing invalid state", true},
		{"", "x", false},
		{"anything", "", true},
	} {
		if got := WordsOf(c.text).Have(c.pattern); got != c.want {
			t.Errorf("%q has %q: %v", c.text, c.pattern, got)
		}
	}
	if WordsOf("  a,, b\n“C” ") != "a b c" {
		t.Errorf("%q", WordsOf("  a,, b\n“C” "))
	}
	if !WordsOf("no chunk").HaveAny("x", "no chunk") || WordsOf("a").HaveAny() {
		t.Error("HaveAny")
	}
}
