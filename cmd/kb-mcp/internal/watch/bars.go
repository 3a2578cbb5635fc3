package watch

import (
	"io"
	"sync"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"kb-mcp/vendors/connection"
)

// bars draws one bar per document.
type bars struct {
	pool *mpb.Progress
	mu   sync.Mutex
	bars map[string]*mpb.Bar // by document
	text map[string]string
}

func newBars(w io.Writer) *bars {
	return &bars{pool: mpb.New(mpb.WithOutput(w), mpb.WithWidth(30)), bars: map[string]*mpb.Bar{}, text: map[string]string{}}
}

// Add implements Display.
func (b *bars) Add(id, label string) {
	bar := b.pool.AddBar(100, mpb.PrependDecorators(decor.Name("  "+label+" ", decor.WCSyncSpaceR)),
		mpb.AppendDecorators(decor.Any(func(decor.Statistics) string { return " " + b.words(id) })))
	b.mu.Lock()
	defer b.mu.Unlock()
	b.bars[id] = bar
}

func (b *bars) words(id string) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text[id]
}

// Show implements Display.
func (b *bars) Show(p connection.Progress) {
	b.mu.Lock()
	b.text[p.DocumentID] = words(p)
	bar := b.bars[p.DocumentID]
	b.mu.Unlock()
	if p.ProgressPercent != nil {
		bar.SetCurrent(int64(*p.ProgressPercent))
	}
	if p.Status.Settled() && !p.Status.IsCompleted() {
		bar.Abort(false)
	}
}

// Close implements Display: it draws the last state. A bar that is not full
// stays as it is.
func (b *bars) Close() {
	for _, bar := range b.bars {
		bar.Abort(false)
	}
	b.pool.Wait()
}
