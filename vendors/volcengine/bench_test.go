package volcengine

import (
	"testing"

	"kb-mcp/vendors"
	"kb-mcp/vendors/vendortest"
)

func BenchmarkDecode(b *testing.B) {
	a, d := vendortest.Page(b, "../../testdata/volcengine/list_documents/list.json"), &Driver{}
	b.SetBytes(int64(len(a.Body)))
	b.ReportAllocs()
	for b.Loop() {
		var out envelope[documentList]
		if err := d.decode(a, &out); err != nil || len(out.Data.Documents) != 20 {
			b.Fatal(err)
		}
	}
}

func BenchmarkNormalize(b *testing.B) {
	var out envelope[documentList]
	if err := (&Driver{}).decode(vendortest.Page(b, "../../testdata/volcengine/list_documents/list.json"), &out); err != nil {
		b.Fatal(err)
	}
	var docs [20]vendors.Document
	b.ReportAllocs()
	for b.Loop() {
		for i := range docs {
			docs[i] = out.Data.Documents[i].normal()
		}
	}
}
