package coze

import (
	"testing"

	"kb-mcp/vendors"
	"kb-mcp/vendors/vendortest"
)

func BenchmarkDecode(b *testing.B) {
	a, d := vendortest.Page(b, "../../testdata/coze/list_documents/list.json"), &Driver{}
	b.SetBytes(int64(len(a.Body)))
	b.ReportAllocs()
	for b.Loop() {
		var out answer[documents]
		if err := d.decode(a, &out); err != nil || len(out.payload().List) != 20 {
			b.Fatal(err)
		}
	}
}

func BenchmarkNormalize(b *testing.B) {
	var out answer[documents]
	d := &Driver{}
	if err := d.decode(vendortest.Page(b, "../../testdata/coze/list_documents/list.json"), &out); err != nil {
		b.Fatal(err)
	}
	var docs [20]vendors.Document
	rows := out.payload().List
	b.ReportAllocs()
	for b.Loop() {
		for i := range docs {
			docs[i] = rows[i].normal(false)
		}
	}
}
