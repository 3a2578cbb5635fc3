package tools

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"kb-mcp/vendors"
	"kb-mcp/vendors/connection"
)

// TestNamesAsAModelWritesThem: composed letters and plain spaces, or an address.
func TestNamesAsAModelWritesThem(t *testing.T) {
	const decomposed, narrow = "シ\u3099ョフ\u3099 e\u0301.txt", "Shot 10.00\u202fAM.png"
	root, out := t.TempDir(), t.TempDir()
	must(t, os.Mkdir(filepath.Join(root, "re\u0301sume\u0301s"), 0o755), os.Mkdir(filepath.Join(root, "twice"), 0o755))
	for name, content := range map[string]string{
		decomposed: "kana", narrow: "shot", "a b.txt": "space", "100%.txt": "percent", "a#b?.txt": "marks", ".secret plan.txt": "x",
		filepath.Join("re\u0301sume\u0301s", "e\u0301lan.md"): "deep", "quarterly report 2026.pdf": "near",
		filepath.Join("twice", "e\u0301.md"): "one", filepath.Join("twice", "\u00e9.md"): "two",
		filepath.Join("twice", "x\u00a0y.md"): "three", filepath.Join("twice", "x\u202fy.md"): "four",
	} {
		must(t, os.WriteFile(filepath.Join(root, name), []byte(content), 0o600))
	}
	must(t, os.WriteFile(filepath.Join(out, "o\u0301.txt"), []byte("outside"), 0o600), os.Symlink(out, filepath.Join(root, "li\u0301nk")))
	for _, tt := range []struct{ path, sent, as string }{
		{"ジョブ é.txt", "kana", "ジョブ é.txt"},
		{decomposed, "kana", "ジョブ é.txt"},
		{filepath.Join(root, "ジョブ é.txt"), "kana", "ジョブ é.txt"},
		{"Shot 10.00 AM.png", "shot", "Shot 10.00 AM.png"},
		{"résumés/élan.md", "deep", "élan.md"},
		{"./résumés/../résumés/élan.md", "deep", "élan.md"},
		{"twice/é.md", "two", "é.md"}, // what is written exactly so
		{"twice/e\u0301.md", "one", "é.md"},
		{"file://" + root + "/a%20b.txt", "space", "a b.txt"},
		{"FILE://localhost" + root + "/a b.txt", "space", "a b.txt"},
		{"file:" + root + "/100%.txt", "percent", "100%.txt"},
		{"file://" + root + "/a#b?.txt", "marks", "a#b?.txt"},
		{"file://" + root + "/%E3%82%B8%E3%83%A7%E3%83%96%20%C3%A9.txt", "kana", "ジョブ é.txt"},
	} {
		d := &depot{}
		a := ask(t, writeSet(d, t.TempDir(), root), "upload_document", map[string]any{"path": absolute(root, tt.path)})
		if a.Failed || d.sent != tt.sent || d.uploads[0].Name != tt.as {
			t.Errorf("%q: sent %q as %+v: %s", tt.path, d.sent, d.uploads, a.Text)
		}
	}
	for _, tt := range []struct {
		path string
		kind vendors.Kind
		near string // in the hint
	}{
		{"twice/x y.md", vendors.InvalidArgument, `twice/x`}, // which of the two?
		{"Shot.png", vendors.InvalidArgument, "Shot 10.00"},
		{"quarterly report.pdf", vendors.InvalidArgument, "quarterly report 2026.pdf"},
		{"quarterly reprot 2026.pdf", vendors.InvalidArgument, "quarterly report 2026.pdf"},
		{"secret plan.txt", vendors.InvalidArgument, "Allowed folders"},
		{"zzz.md", vendors.InvalidArgument, "Allowed folders"},
		{"lí nk/ó.txt", vendors.InvalidArgument, ""},
		{"línk/ó.txt", vendors.PermissionDenied, "Allowed folders"},
		{"file://elsewhere/a b.txt", vendors.InvalidArgument, "file:///"},
		{"file:a b.txt", vendors.InvalidArgument, "file:///"},
		{"file://" + out + "/o%CC%81.txt", vendors.PermissionDenied, "Allowed folders"},
		{"file://" + root + "/..%2f..%2fetc%2fpasswd", vendors.PermissionDenied, "Allowed folders"},
	} {
		d := &depot{}
		a := ask(t, writeSet(d, root), "upload_document", map[string]any{"path": tt.path})
		if kindOf(t, a) != tt.kind || d.calls != 0 || !strings.Contains(string(a.Text), tt.near) || strings.Contains(string(a.Text), ".secret") {
			t.Errorf("%q: %s", tt.path, a.Text)
		}
	}
}

// absolute puts a relative path under root.
func absolute(root, path string) string {
	if strings.HasPrefix(strings.ToLower(path), "file:") || filepath.IsAbs(path) {
		return path
	}
	return root + "/" + path
}

// TestTheWayToARoot may be written in another form, too.
func TestTheWayToARoot(t *testing.T) {
	root := filepath.Join(t.TempDir(), "De\u0301po\u0302t")
	must(t, os.Mkdir(root, 0o755), os.WriteFile(filepath.Join(root, "a.md"), []byte("x"), 0o600))
	d := &depot{}
	if a := ask(t, writeSet(d, root), "upload_document", map[string]any{"path": filepath.Join(filepath.Dir(root), "Dépôt", "a.md")}); a.Failed || d.sent != "x" {
		t.Errorf("%s", a.Text)
	}
}

// swapper replaces the file by something else before it reads it.
type swapper struct {
	depot
	swap func()
}

func (s *swapper) Upload(ctx context.Context, u vendors.Upload) (vendors.Uploaded, error) {
	s.swap()
	f, err := u.File.Open()
	if err != nil {
		return vendors.Uploaded{}, err
	}
	defer f.Close()
	_, err = io.ReadAll(f)
	return vendors.Uploaded{}, errors.Join(err, errors.New("it was read"))
}

// TestAFileThatChangesItsNature: what is opened for the upload is judged, not
// what the name stood for before; a pipe never holds the call.
func TestAFileThatChangesItsNature(t *testing.T) {
	root, out := t.TempDir(), t.TempDir()
	path := filepath.Join(root, "a.txt")
	must(t, os.WriteFile(filepath.Join(out, "b.txt"), []byte("outside"), 0o600))
	for name, change := range map[string]func() error{
		"a pipe":               func() error { return syscall.Mkfifo(path, 0o600) },
		"a folder":             func() error { return os.Mkdir(path, 0o700) },
		"a link out":           func() error { return os.Symlink(filepath.Join(out, "b.txt"), path) },
		"a device":             func() error { return os.Symlink("/dev/zero", path) },
		"nothing":              func() error { return nil },
		"a link to a pipe":     func() error { must(t, syscall.Mkfifo(path+".p", 0o600)); return os.Symlink("a.txt.p", path) },
		"a file that is empty": func() error { return os.WriteFile(path, nil, 0o600) },
	} {
		must(t, os.WriteFile(path, []byte("abc"), 0o600))
		s := &swapper{swap: func() { must(t, os.Remove(path), change()) }}
		done := make(chan Answer, 1)
		go func() { done <- ask(t, writeSet(s, root), "upload_document", map[string]any{"path": "a.txt"}) }()
		select {
		case a := <-done:
			if !a.Failed || strings.Contains(string(a.Text), "it was read") && name != "a file that is empty" {
				t.Errorf("%s: %s", name, a.Text)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("%s holds the call", name)
		}
		must(t, os.RemoveAll(path))
	}
}

// TestDownloadsAppearWhole: under its name a file is there when it is whole, and
// never before; what an earlier process left behind is in nobody's way.
func TestDownloadsAppearWhole(t *testing.T) {
	root := t.TempDir()
	must(t, os.WriteFile(filepath.Join(root, ".kb-mcp-OLD.part"), []byte("left"), 0o600))
	seen := ""
	d := &depot{size: 8, body: func() io.ReadCloser {
		return io.NopCloser(io.MultiReader(strings.NewReader("half"), readerFunc(func([]byte) (int, error) {
			names, err := os.ReadDir(root)
			must(t, err)
			for _, n := range names {
				seen += n.Name() + " "
			}
			return 0, io.EOF
		}), strings.NewReader("rest")))
	}}
	a := ask(t, writeSet(d, root), "download_document", map[string]any{"path": "new.txt"})
	b, err := os.ReadFile(filepath.Join(root, "new.txt"))
	if a.Failed || err != nil || string(b) != "halfrest" || strings.Contains(seen, "new.txt") || strings.Count(seen, ".part") != 2 {
		t.Errorf("%s, %q, %v, on the way: %s", a.Text, b, err, seen)
	}
	if left := snapshot(t, root); len(left) != 3 {
		t.Errorf("left %v", left)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// TestDownloadsReplaceNothing that came while they were on their way.
func TestDownloadsReplaceNothing(t *testing.T) {
	root := t.TempDir()
	d := &depot{size: 3, body: func() io.ReadCloser {
		must(t, os.WriteFile(filepath.Join(root, "new.txt"), []byte("theirs"), 0o600))
		return io.NopCloser(strings.NewReader("abc"))
	}}
	a := ask(t, writeSet(d, root), "download_document", map[string]any{"path": "new.txt"})
	b, _ := os.ReadFile(filepath.Join(root, "new.txt"))
	if kindOf(t, a) != vendors.Conflict || string(b) != "theirs" || len(snapshot(t, root)) != 2 {
		t.Errorf("%s, %q, left %v", a.Text, b, snapshot(t, root))
	}
	must(t, os.Mkdir(filepath.Join(root, "e\u0301"), 0o700), os.WriteFile(filepath.Join(root, "e\u0301", "u\u0308.txt"), nil, 0o600))
	d.body = nil
	if a := ask(t, writeSet(d, root), "download_document", map[string]any{"path": "é/ü.txt"}); kindOf(t, a) != vendors.Conflict {
		t.Errorf("a name that reads the same: %s", a.Text)
	}
	if a := ask(t, writeSet(d, root), "download_document", map[string]any{"path": "file://" + root + "/é/new.txt"}); a.Failed {
		t.Errorf("a folder that reads the same: %s", a.Text)
	}
	if _, err := os.Stat(filepath.Join(root, "e\u0301", "new.txt")); err != nil {
		t.Error(err)
	}
}

// TestDownloadsHaveABound, in a file and wherever the size is told.
func TestDownloadsHaveABound(t *testing.T) {
	endless := func() io.ReadCloser {
		return io.NopCloser(readerFunc(func(p []byte) (int, error) { return len(p), nil }))
	}
	exact := func() io.ReadCloser { return io.NopCloser(strings.NewReader(strings.Repeat("x", 1000))) }
	for _, tt := range []struct {
		name string
		size int64
		body func() io.ReadCloser
		ok   bool
	}{
		{"told", 1001, endless, false},
		{"not told", -1, endless, false},
		{"told wrong", 5, endless, false},
		{"as large as may be", 1000, exact, true},
		{"as large as may be, not told", -1, exact, true},
	} {
		root := t.TempDir()
		d := &depot{size: tt.size, body: tt.body}
		s := New([]*connection.Connection{connection.New("dify", "dify", d)}, Options{Clean: strings.Clone, Log: discard, AllowWrites: true, Roots: []string{root}, MaxDownload: 1000})
		a := ask(t, s, "download_document", map[string]any{"path": "new"})
		if a.Failed == tt.ok || !tt.ok && (kindOf(t, a) != vendors.BadResponse || !strings.Contains(string(a.Text), "KB_MCP_MAX_DOWNLOAD") || len(snapshot(t, root)) != 1) {
			t.Errorf("%s: %s, left %v", tt.name, a.Text, snapshot(t, root))
		}
	}
}

// TestAnEndThatComesEarly: a connection that ends is not a file that ends.
func TestAnEndThatComesEarly(t *testing.T) {
	size := int64(10)
	for _, told := range []int64{-1, 10} {
		for _, args := range []map[string]any{{}, {"path": "new"}} {
			root := t.TempDir()
			d := &depot{size: told, body: func() io.ReadCloser { return io.NopCloser(strings.NewReader("half")) }}
			d.docs = []vendors.Document{{DocumentID: "d", SizeBytes: &size}}
			a := ask(t, writeSet(d, root), "download_document", args)
			if kindOf(t, a) != vendors.Unavailable || !strings.Contains(string(a.Text), "4 of 10 bytes") || len(snapshot(t, root)) != 1 {
				t.Errorf("told %d, %v: %s, left %v", told, args, a.Text, snapshot(t, root))
			}
		}
	}
}

// TestAFullDisk is not the platform's fault.
func TestAFullDisk(t *testing.T) {
	err := broken(&fs.PathError{Op: "write", Path: "/x", Err: syscall.ENOSPC})
	if r := vendors.ReportOf(err); !strings.Contains(r.Message, "on this server") || strings.Contains(r.Message+r.Hint, "/x") {
		t.Errorf("%+v", r)
	}
}
