package paging

import (
	"fmt"
	"testing"
	"time"
)

// BenchmarkCursor is what a page of 20 rows costs a cursor: the next one read,
// every row remembered, the new one written.
func BenchmarkCursor(b *testing.B) {
	ids := make([]string, 20)
	for i := range ids {
		ids[i] = fmt.Sprintf("2a8a0218e61611f1a2e002fc%08d", i)
	}
	at := time.Unix(1_800_000_000, 0)
	hash := Hash("list_documents", "kb")
	cursor := Start(hash, 20).See(0, ids[0], at, true).turn("token", nil).Cursor()
	b.ReportAllocs()
	for b.Loop() {
		p, err := ParseCursor(cursor, hash)
		if err != nil {
			b.Fatal(err)
		}
		for i, id := range ids {
			p = p.See(i, id, at, true)
		}
		if p.turn("token", nil).Cursor() == "" {
			b.Fatal("no cursor")
		}
	}
}
