package coze

import (
	"strings"
	"testing"
)

func TestStoredName(t *testing.T) {
	for _, tt := range []struct{ name, fileType, want string }{
		{"a.txt", "txt", "a.txt"},
		{"REPORT.PDF", "pdf", "REPORT.pdf"},
		{"Scan.Pdf", "pdf", "Scan.pdf"},
		{"a.csv", "txt", "a.csv.txt"},
		{"a/b\\c\nd.md", "md", "a_b_c_d.md"},
		{"说明书", "txt", "说明书.txt"},
		{"#?%.TXT", "txt", "#?%.txt"},
		{strings.Repeat("中", 150) + ".pdf", "pdf", strings.Repeat("中", 40) + ".pdf"},
		{"..", "txt", "...txt"},
	} {
		if got := storedName(tt.name, tt.fileType); got != tt.want {
			t.Errorf("%q as %s is %q, want %q", tt.name, tt.fileType, got, tt.want)
		}
	}
}
