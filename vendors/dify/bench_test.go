package dify

import (
	"testing"

	"kb-mcp/vendors"
	"kb-mcp/vendors/vendortest"
)

func BenchmarkDecode(b *testing.B) {
	a := vendortest.Page(b, "../../testdata/dify/list_documents/list.json")
	b.SetBytes(int64(len(a.Body)))
	b.ReportAllocs()
	for b.Loop() {
		var out page[document]
		if err := decode(a, &out); err != nil || len(out.Data) != 20 {
			b.Fatal(err, len(out.Data))
		}
	}
}

func BenchmarkNormalize(b *testing.B) {
	var out page[document]
	if err := decode(vendortest.Page(b, "../../testdata/dify/list_documents/list.json"), &out); err != nil {
		b.Fatal(err)
	}
	var docs [20]vendors.Document
	b.ReportAllocs()
	for b.Loop() {
		for i := range docs {
			docs[i] = out.Data[i].normal()
		}
	}
}
