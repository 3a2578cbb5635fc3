package coze_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"kb-mcp/ratelimit"
	"kb-mcp/vendors"
	"kb-mcp/vendors/connection"
	"kb-mcp/vendors/coze"
	"kb-mcp/vendors/rest"
	"kb-mcp/vendors/sandbox"
)

// TestSandboxConcurrentUploads: uploads at once by an undecided connection.
func TestSandboxConcurrentUploads(t *testing.T) {
	benches(t, func(t *testing.T, b *bench, _ string) {
		kb := b.box.KnowledgeBaseID(sandbox.Coze, "Empty shelf")
		var wg sync.WaitGroup
		for i := range 20 {
			wg.Go(func() {
				u := vendors.Upload{KnowledgeBaseID: kb, Name: fmt.Sprintf("%d.txt", i), Text: fmt.Sprint("text ", i)}
				if _, err := b.Upload(t.Context(), u); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		docs := b.box.Store(sandbox.Coze).Documents(kb)
		for i := range docs.Len() {
			if d := docs.At(i); d.Text != "text "+strings.TrimSuffix(d.Name, ".txt") {
				t.Errorf("%s holds %q", d.Name, d.Text)
			}
		}
		if docs.Len() != 20 {
			t.Errorf("%d documents", docs.Len())
		}
	})
}

// zeros is a file of any size that nobody holds in memory.
type zeros struct{ biggest *int }

func (z zeros) Read(p []byte) (int, error) {
	*z.biggest = max(*z.biggest, len(p))
	clear(p)
	return len(p), nil
}
func (zeros) Close() error { return nil }

// TestStudioStreams: a file goes to studio in small pieces.
func TestStudioStreams(t *testing.T) {
	const size = 64 << 20
	var got int64
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v1/files/upload" {
			got, _ = io.Copy(io.Discard, r.Body)
			io.WriteString(w, `{"code":0,"msg":"success","data":{"id":"1","uri":"k/1.pdf"},"BaseResp":null}`)
			return
		}
		io.WriteString(w, `{"code":0,"msg":"","document_infos":[{"document_id":"5","name":"a.pdf","status":0}],"BaseResp":null}`)
	}))
	defer srv.Close()
	conn := rest.Conn{Transport: http.DefaultTransport, Limiter: ratelimit.New(ratelimit.Rate{}, nil), Secrets: &rest.Secrets{}}
	v := connection.New("live", "coze", coze.New(coze.Config{Token: "pat_x", APIBase: srv.URL, Dialect: "studio"}, conn))
	biggest := 0
	file := &vendors.File{Size: size, Open: func() (io.ReadCloser, error) { return zeros{&biggest}, nil }}
	up, err := v.Upload(t.Context(), vendors.Upload{KnowledgeBaseID: "1", Name: "a.pdf", File: file})
	if err != nil || up.Document.DocumentID != "5" || got < size || biggest > 1<<20 {
		t.Errorf("%+v, %v: %d bytes, %d at once", up, err, got, biggest)
	}
}

// TestTooLarge: what hosted Coze does not take is not even read.
func TestTooLarge(t *testing.T) {
	b := newBench(t, "/coze")
	kb := b.box.KnowledgeBaseID(sandbox.Coze, "Empty shelf")
	biggest := 0
	upload := func(size int64) error {
		file := &vendors.File{Size: size, Open: func() (io.ReadCloser, error) { return zeros{&biggest}, nil }}
		_, err := b.Upload(t.Context(), vendors.Upload{KnowledgeBaseID: kb, Name: "a.pdf", File: file})
		return err
	}
	if err := upload(11_000_001); vendors.KindOf(err) != vendors.InvalidArgument || biggest > 0 {
		t.Errorf("%v after reading %d", err, biggest)
	}
	if err := upload(11_000_000); err != nil {
		t.Errorf("the largest: %v", err)
	}
	big := string(bytes.Repeat([]byte("x"), 11_000_001))
	if _, err := b.Upload(t.Context(), vendors.Upload{KnowledgeBaseID: kb, Name: "a.txt", Text: big}); vendors.KindOf(err) != vendors.InvalidArgument {
		t.Errorf("text: %v", err)
	}
}
