package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// slowFile is a RAGFlow server that sends half of a file and then nothing; begun
// is told when it has.
func slowFile(t *testing.T) (url string, begun chan bool) {
	begun = make(chan bool, 1)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, "/documents/d1") {
			w.Header().Set("Content-Type", "application/json")
			w.Write([]byte(`{"code":0,"message":"success","data":{"total":1,"docs":[{"id":"d1","name":"a.txt","size":1000,"run":"DONE"}]}}`))
			return
		}
		w.Header().Set("Content-Disposition", `attachment; filename="a.txt"`)
		w.Write([]byte("half"))
		w.(http.Flusher).Flush()
		begun <- true
		<-r.Context().Done()
	}))
	t.Cleanup(srv.Close)
	return srv.URL, begun
}

// TestASignalLeavesNoHalfFile: whatever ends the process in order takes a
// download's beginnings with it; what kills it leaves nothing under the file's
// name, and nothing that the next process would trip over.
func TestASignalLeavesNoHalfFile(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGHUP, syscall.SIGINT, syscall.SIGKILL} {
		t.Run(sig.String(), func(t *testing.T) {
			if signal.Ignored(sig) {
				t.Skip("the tests run where this signal is ignored, as under nohup")
			}
			root := t.TempDir()
			url, begun := slowFile(t)
			environ := []string{"RAGFLOW_API_KEY=ragflow-0123456789", "RAGFLOW_BASE_URL=" + url, "RAGFLOW_API_GENERATION=current", "KB_MCP_ALLOW_WRITES=true", "KB_MCP_UPLOAD_ROOTS=" + root}
			p := launch(t, environ)
			p.send(hello)
			p.answer(1)
			p.send("%s", callLine(2, "download_document", `{"knowledge_base_id":"kb1","document_id":"d1","path":"new.txt"}`))
			wait(t, begun, "the file begins")
			names := func() string {
				list, err := os.ReadDir(root)
				if err != nil {
					t.Fatal(err)
				}
				var all []string
				for _, e := range list {
					all = append(all, e.Name())
				}
				return strings.Join(all, " ")
			}
			if got := names(); !strings.HasSuffix(got, ".part") || strings.Contains(got, "new.txt") {
				t.Errorf("on the way: %q", got)
			}
			p.cmd.Process.Signal(sig)
			p.ended()
			got := names()
			if sig != syscall.SIGKILL && got != "" {
				t.Errorf("left %q", got)
			}
			if _, err := os.Stat(filepath.Join(root, "new.txt")); err == nil {
				t.Error("half a file looks whole")
			}
		})
	}
}
