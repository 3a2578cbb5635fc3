package vendors

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
	hash := queryHash("list_documents", "kb")
	cursor := start(hash, 20).see(0, ids[0], at, true).turn("token", nil).cursor()
	b.ReportAllocs()
	for b.Loop() {
		p, err := parseCursor(cursor, hash)
		if err != nil {
			b.Fatal(err)
		}
		for i, id := range ids {
			p = p.see(i, id, at, true)
		}
		if p.turn("token", nil).cursor() == "" {
			b.Fatal("no cursor")
		}
	}
}
