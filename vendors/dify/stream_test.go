package dify_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"testing"

	"kb-mcp/ratelimit"
	"kb-mcp/vendors"
	"kb-mcp/vendors/dify"
	"kb-mcp/vendors/rest"
)

// zeros is a file of any size that nobody holds.
type zeros struct{ left int64 }

func (z *zeros) Read(p []byte) (int, error) {
	if z.left == 0 {
		return 0, io.EOF
	}
	n := int(min(int64(len(p)), z.left))
	clear(p[:n])
	z.left -= int64(n)
	return n, nil
}

func (z *zeros) Close() error { return nil }

// A file is never whole in memory, and the options come before it.
func TestLargeFileIsStreamed(t *testing.T) {
	const size = 64 << 20
	const kb = `{"id":"4d9e6c1a-2b3f-4a5d-8c7e-9f0a1b2c3d4e","indexing_technique":"economy","doc_form":"text_model","document_count":1}`
	var got int64
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			io.WriteString(w, kb)
			return
		}
		parts, err := r.MultipartReader()
		if err != nil {
			t.Error(err)
			return
		}
		data, err := parts.NextPart()
		if err != nil || data.FormName() != "data" {
			t.Errorf("the first part is %v, %v", data, err)
			return
		}
		if text, _ := io.ReadAll(data); !bytes.Equal(text, []byte(`{"indexing_technique":"economy","doc_form":"text_model"}`)) {
			t.Errorf("options %s", text)
		}
		file, err := parts.NextPart()
		if err != nil || file.FileName() != "large.pdf" {
			t.Errorf("the second part is %v, %v", file, err)
			return
		}
		got, _ = io.Copy(io.Discard, file)
		io.WriteString(w, `{"document":{"id":"a8e0e5b5-78c6-4130-a5ce-25feb0e0b4ac","name":"large.pdf","indexing_status":"waiting"},"batch":"20261122120000123456"}`)
	}))
	defer srv.Close()
	d := dify.New(dify.Config{APIKey: "dataset-x", BaseURL: srv.URL}, rest.Conn{
		Transport: srv.Client().Transport, Limiter: ratelimit.New(ratelimit.Rate{}, nil), Secrets: &rest.Secrets{},
	})
	file := &vendors.File{Size: size, Open: func() (io.ReadCloser, error) { return &zeros{size}, nil }}
	peak := memory(t, func() {
		if _, err := d.Upload(t.Context(), vendors.Upload{KnowledgeBaseID: "4d9e6c1a-2b3f-4a5d-8c7e-9f0a1b2c3d4e", Name: "large.pdf", File: file}); err != nil {
			t.Error(err)
		}
	})
	if got != size {
		t.Errorf("%d bytes came, want %d", got, size)
	}
	if peak > 16<<20 {
		t.Errorf("%d bytes were allocated for a file of %d", peak, size)
	}
}

// memory is how many bytes f allocates.
func memory(t *testing.T, f func()) uint64 {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}
