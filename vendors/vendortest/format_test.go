package vendortest

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestFixturesAreFormatted: every JSON file of testdata is indented by two
// spaces. KB_UPDATE=1 rewrites those that are not.
func TestFixturesAreFormatted(t *testing.T) {
	files := 0
	err := filepath.WalkDir("../../testdata", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".json") {
			return err
		}
		files++
		was, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		is := formatted(t, path, was)
		switch {
		case bytes.Equal(was, is):
		case os.Getenv("KB_UPDATE") != "":
			return os.WriteFile(path, is, 0o644)
		default:
			t.Errorf("%s is not formatted: KB_UPDATE=1 go test ./vendors/vendortest", path)
		}
		return nil
	})
	if err != nil || files < 1000 {
		t.Fatalf("%d files, %v", files, err)
	}
}

// TestFormattingKeepsWhatIsSaid: keys stay in their order, numbers and escapes
// as they are written.
func TestFormattingKeepsWhatIsSaid(t *testing.T) {
	const was = "{\"b\":1.0,\"a\":[1e3,\"\\u00e9<\"],\n\n \"c\":{}}"
	var before, after bytes.Buffer
	if json.Compact(&before, []byte(was)) != nil || json.Compact(&after, formatted(t, "it", []byte(was))) != nil || before.String() != after.String() {
		t.Errorf("%s became %s", &before, &after)
	}
}
