package tools

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"kb-mcp/vendors"
)

// kindOf is the kind of a failed answer; "" of one that is none.
func kindOf(t *testing.T, a Answer) vendors.Kind {
	t.Helper()
	var e struct{ Error vendors.ErrorReport }
	if err := json.Unmarshal(a.Text, &e); err != nil || a.Failed && (e.Error.Message == "" || e.Error.Hint == "") {
		t.Fatalf("%s: %v", a.Text, err)
	}
	return e.Error.Kind
}

// ask calls a tool over the knowledge base kb and the document d.
func ask(t *testing.T, s *Set, tool string, args map[string]any) Answer {
	t.Helper()
	args["knowledge_base_id"] = "kb"
	if tool != "upload_document" {
		args["document_id"] = "d"
	}
	raw, err := json.Marshal(args)
	if err != nil {
		t.Fatal(err)
	}
	a, known := s.Call(t.Context(), tool, raw)
	if !known {
		t.Fatalf("%s is no tool", tool)
	}
	return a
}

func must(t *testing.T, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

// folders makes two roots and a folder outside, with files and links.
func folders(t *testing.T) (one, two, out string) {
	dir := t.TempDir()
	one, two, out = filepath.Join(dir, "one"), filepath.Join(dir, "two"), filepath.Join(dir, "one-more")
	for _, d := range []string{one, two, out, filepath.Join(one, "sub")} {
		must(t, os.Mkdir(d, 0o755))
		must(t, os.WriteFile(filepath.Join(d, "a.md"), []byte("from "+filepath.Base(d)), 0o600))
	}
	must(t,
		os.WriteFile(filepath.Join(one, "empty"), nil, 0o600),
		os.Symlink("sub/a.md", filepath.Join(one, "link-in")),
		os.Symlink("../one-more/a.md", filepath.Join(one, "link-out")),
		os.Symlink(filepath.Join(out, "a.md"), filepath.Join(one, "link-abs")),
		os.Symlink("../one-more", filepath.Join(one, "dir-out")),
		os.Symlink("nowhere", filepath.Join(one, "dangling")),
		os.Symlink("../one-more/new", filepath.Join(one, "dangling-out")),
		syscall.Mkfifo(filepath.Join(one, "pipe"), 0o600),
	)
	return one, two, out
}

// snapshot is every file under a folder with its content.
func snapshot(t *testing.T, dir string) (list []string) {
	t.Helper()
	must(t, filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		line := path
		if err == nil && e.Type().IsRegular() {
			var b []byte
			b, err = os.ReadFile(path)
			line += "=" + string(b)
		}
		list = append(list, line)
		return err
	}))
	return list
}

func TestUploadOfAFile(t *testing.T) {
	one, two, out := folders(t)
	const denied, wrong = vendors.PermissionDenied, vendors.InvalidArgument
	tests := []struct {
		name, path string
		kind       vendors.Kind
		sent, as   string
	}{
		{"relative", "a.md", "", "from one", "a.md"},
		{"relative, in a folder", "sub/a.md", "", "from sub", "a.md"},
		{"absolute", filepath.Join(one, "a.md"), "", "from one", "a.md"},
		{"absolute, in the second root", filepath.Join(two, "a.md"), "", "from two", "a.md"},
		{"dots that stay inside", "sub/../a.md", "", "from one", "a.md"},
		{"absolute dots that stay inside", one + "/sub/../a.md", "", "from one", "a.md"},
		{"a link that stays inside", "link-in", "", "from sub", "link-in"},
		{"dots", "../two/a.md", denied, "", ""},
		{"dots in the middle", "sub/../../one-more/a.md", denied, "", ""},
		{"absolute dots", one + "/../one-more/a.md", denied, "", ""},
		{"absolute, outside", filepath.Join(out, "a.md"), denied, "", ""},
		{"absolute, elsewhere", "/etc/passwd", denied, "", ""},
		{"a link that leads out", "link-out", denied, "", ""},
		{"an absolute link", "link-abs", denied, "", ""},
		{"through a folder that leads out", "dir-out/a.md", denied, "", ""},
		{"a link to nothing", "dangling", wrong, "", ""},
		{"a folder", "sub", wrong, "", ""},
		{"the root", one, wrong, "", ""},
		{"a pipe, which would never end", "pipe", wrong, "", ""},
		{"an empty file", "empty", wrong, "", ""},
		{"missing", "none.md", wrong, "", ""},
		{"below a file", "a.md/b", "", "", ""},
		{"a zero byte", "a\x00.md", "", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := &depot{}
			a := ask(t, writeSet(d, one, two), "upload_document", map[string]any{"path": tt.path})
			if tt.as == "" { // refused, with a kind that is not our fault's
				if k := kindOf(t, a); !a.Failed || d.calls != 0 || tt.kind != "" && k != tt.kind || k == vendors.Internal {
					t.Errorf("%s after %d calls", a.Text, d.calls)
				}
				return
			}
			if a.Failed || d.sent != tt.sent || d.uploads[0].Name != tt.as || d.uploads[0].File.Size != int64(len(tt.sent)) {
				t.Errorf("sent %q as %+v: %s", d.sent, d.uploads, a.Text)
			}
		})
	}
	a := ask(t, writeSet(&depot{}), "upload_document", map[string]any{"path": "a.md"})
	if kindOf(t, a) != denied || !bytes.Contains(a.Text, []byte("KB_MCP_UPLOAD_ROOTS")) {
		t.Errorf("without roots: %s", a.Text)
	}
}

func TestUploadTakesExactlyOneSource(t *testing.T) {
	root := t.TempDir()
	must(t, os.WriteFile(filepath.Join(root, "f"), []byte("x"), 0o600))
	const text, link, path = "text", "url", "path"
	values := map[string]any{text: "t", link: "https://example.com/a.md", path: "f"}
	for n := range 8 {
		args, given := map[string]any{"name": "n.md"}, 0
		for i, source := range []string{text, link, path} {
			if n&(1<<i) != 0 {
				args[source] = values[source]
				given++
			}
		}
		d := &depot{}
		if a := ask(t, writeSet(d, root), "upload_document", args); a.Failed == (given == 1) || d.calls == 1 != (given == 1) {
			t.Errorf("%v: %s", args, a.Text)
		}
	}
	for name, args := range map[string]map[string]any{
		"a text without a name": {text: "t"},
		"a name alone":          {"name": "n"},
		"no address":            {link: "example.com/a"},
		"a file's address":      {link: "file:///etc/passwd"},
		"an address of nothing": {link: "https://"},
		"an unreadable address": {link: "http://[::1"},
		"empty ones":            {text: "", link: "", path: ""},
	} {
		d := &depot{}
		if a := ask(t, writeSet(d, root), "upload_document", args); kindOf(t, a) != vendors.InvalidArgument || d.calls != 0 {
			t.Errorf("%s: %s", name, a.Text)
		}
	}
	d := &depot{}
	ask(t, writeSet(d, root), "upload_document", map[string]any{link: "https://example.com/a.md", text: "", path: nil})
	ask(t, writeSet(d, root), "upload_document", map[string]any{path: "f", "name": "given.md"})
	if len(d.uploads) != 2 || d.uploads[0].URL != "https://example.com/a.md" || d.uploads[0].Name != "" || d.uploads[1].Name != "given.md" {
		t.Errorf("%+v", d.uploads)
	}
}

func TestDownloadIntoAFile(t *testing.T) {
	one, two, out := folders(t)
	const denied, wrong = vendors.PermissionDenied, vendors.InvalidArgument
	tests := []struct {
		name, path string
		kind       vendors.Kind
		file       string
	}{
		{"relative", "new.txt", "", filepath.Join(one, "new.txt")},
		{"in a folder", "sub/new.txt", "", filepath.Join(one, "sub/new.txt")},
		{"absolute", filepath.Join(two, "new.txt"), "", filepath.Join(two, "new.txt")},
		{"there already", "a.md", vendors.Conflict, ""},
		{"a folder", "sub", vendors.Conflict, ""},
		{"a link that stays inside", "link-in", vendors.Conflict, ""},
		{"a link that leads out", "link-out", vendors.Conflict, ""},
		{"a link to nothing yet, outside", "dangling-out", vendors.Conflict, ""},
		{"through a folder that leads out", "dir-out/new.txt", denied, ""},
		{"dots", "../new.txt", denied, ""},
		{"absolute, outside", filepath.Join(out, "new.txt"), denied, ""},
		{"in a folder that is not there", "none/new.txt", wrong, ""},
		{"the root", one, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d, before := &depot{}, snapshot(t, filepath.Dir(one))
			a := ask(t, writeSet(d, one, two), "download_document", map[string]any{"path": tt.path})
			if tt.file == "" {
				if k := kindOf(t, a); !a.Failed || d.calls != 0 || tt.kind != "" && k != tt.kind || k == vendors.Internal {
					t.Errorf("%s after %d calls", a.Text, d.calls)
				}
				if after := snapshot(t, filepath.Dir(one)); !slices.Equal(after, before) {
					t.Errorf("files changed: %v", after)
				}
				return
			}
			b, err := os.ReadFile(tt.file)
			if err != nil || string(b) != "abc" || string(a.Text) != `{"document_id":"d","name":"a.txt","size_bytes":3,"path":"`+tt.path+`"}` {
				t.Errorf("%q, %v, %s", b, err, a.Text)
			}
			must(t, os.Remove(tt.file))
		})
	}
	if a := ask(t, writeSet(&depot{}), "download_document", map[string]any{"path": "a"}); kindOf(t, a) != denied {
		t.Errorf("without roots: %s", a.Text)
	}
}

func TestAFailedDownloadLeavesNoFile(t *testing.T) {
	cut := func() io.ReadCloser {
		return io.NopCloser(io.MultiReader(strings.NewReader("half"), iotest.ErrReader(errors.New("reset"))))
	}
	for name, d := range map[string]*depot{
		"refused": {fake: fake{err: &vendors.Error{Kind: vendors.ErrNotFound, Message: "No such document."}}},
		"cut off": {body: cut},
		"a panic": {fake: fake{panic: true}},
		"too late": {body: func() io.ReadCloser {
			return io.NopCloser(iotest.TimeoutReader(iotest.OneByteReader(strings.NewReader("abc"))))
		}},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			a := ask(t, writeSet(d, root), "download_document", map[string]any{"path": "new"})
			if !a.Failed || d.calls != 1 || len(snapshot(t, root)) != 1 {
				t.Errorf("%s, left %v", a.Text, snapshot(t, root))
			}
		})
	}
}

// A download must not keep folders open: the server runs for months.
func TestDownloadsCloseWhatTheyOpen(t *testing.T) {
	open := func() int {
		list, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Skip("this system does not show open files")
		}
		return len(list)
	}
	root := t.TempDir()
	s := writeSet(&depot{}, root)
	before := open()
	for i := range 50 {
		ask(t, s, "download_document", map[string]any{"path": strings.Repeat("x", i+1)})
	}
	if n := open(); n > before+10 {
		t.Errorf("%d files open, %d before 50 downloads", n, before)
	}
}

func TestDownloadAsText(t *testing.T) {
	tests := []struct {
		name, content string
		size          int64 // as the platform says
		text, whole   bool
	}{
		{"a text", "Größe <b>&\n", 13, true, true},
		{"nothing", "", 0, true, true},
		{"of unsaid size", "abc", -1, true, true},
		{"as much as is read", strings.Repeat("a", 19_000), 19_000, true, true},
		{"too long for an answer", strings.Repeat("a", 40_000), 40_000, true, false},
		{"too long to read", strings.Repeat("a", 200_000), 200_000, true, false},
		{"long, three bytes a character", strings.Repeat("长", 60_000), 180_000, true, false},
		{"long, cut inside a character", "a" + strings.Repeat("长", 60_000), 180_001, true, false},
		{"long, cut inside another", "ab" + strings.Repeat("😀", 60_000), -1, true, false},
		{"lines and quotes", strings.Repeat("\"\n", 15_000), 30_000, true, false},
		{"a true replacement character", strings.Repeat("\uFFFD", 60_000), 180_000, true, false},
		{"binary", "PK\x03\x04\x00\x00", 6, false, true},
		{"long binary", strings.Repeat("\x00\x01", 60_000), 120_000, false, false},
		{"another encoding", "Gr\xf6\xdfe", 5, false, true},
		{"long, another encoding", strings.Repeat("\xb2\xfa\xc6\xb7", 40_000), 160_000, false, false},
		{"a character cut at the very end", "abc\xe9\x95", 5, false, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := &depot{size: tt.size, body: func() io.ReadCloser { return io.NopCloser(strings.NewReader(tt.content)) }}
			a := ask(t, writeSet(d), "download_document", map[string]any{})
			var got downloaded
			if err := json.Unmarshal(a.Text, &got); err != nil || a.Failed || utf8.RuneCount(a.Text) > 20_000 {
				t.Fatalf("%d characters, %v, %.300s", utf8.RuneCount(a.Text), err, a.Text)
			}
			if got.Truncated != (!tt.text || !tt.whole) || got.Truncated != (got.Hint != "") {
				t.Errorf("truncated %v, hint %q", got.Truncated, got.Hint)
			}
			switch {
			case !tt.text:
				if got.Text != "" {
					t.Errorf("%.100q", got.Text)
				}
			case tt.whole:
				if got.Text != tt.content {
					t.Errorf("%.100q", got.Text)
				}
			case !strings.HasPrefix(tt.content, got.Text) || len(got.Text) < 9_000:
				t.Errorf("%d bytes, which are not the beginning: …%q", len(got.Text), got.Text[max(0, len(got.Text)-12):])
			}
			if size := int64(len(tt.content)); tt.size >= 0 && (got.SizeBytes == nil || *got.SizeBytes != size) {
				t.Errorf("size %v, want %d", got.SizeBytes, size)
			}
		})
	}
}

func TestMetadataKeepsItsDigits(t *testing.T) {
	a := ask(t, writeSet(&depot{}), "update_document", map[string]any{"metadata": map[string]any{"id": json.Number("7446312476208142546")}, "enabled": false})
	if a.Failed || !bytes.Contains(a.Text, []byte(`"metadata":{"id":"7446312476208142546"}`)) || !bytes.Contains(a.Text, []byte(`"enabled":false`)) {
		t.Errorf("%s", a.Text)
	}
}
