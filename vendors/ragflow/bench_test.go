package ragflow

import (
	"testing"

	"kb-mcp/vendors/ragflow/envelope"
	"kb-mcp/vendors/vendortest"
)

func BenchmarkDecode(b *testing.B) {
	a := vendortest.Page(b, "../../testdata/ragflow/list_documents/list.json")
	b.SetBytes(int64(len(a.Body)))
	b.ReportAllocs()
	for b.Loop() {
		var out envelope.Answer[documentList]
		if err := envelope.Decoder("")(a, &out); err != nil || len(out.Payload().Docs) != 20 {
			b.Fatal(err)
		}
	}
}

func BenchmarkNormalize(b *testing.B) {
	var out envelope.Answer[documentList]
	if err := envelope.Decoder("")(vendortest.Page(b, "../../testdata/ragflow/list_documents/list.json"), &out); err != nil {
		b.Fatal(err)
	}
	rows := out.Payload().Docs
	b.ReportAllocs()
	for b.Loop() {
		if docs := normal(rows, current); len(docs) != 20 {
			b.Fatal(len(docs))
		}
	}
}
