package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestDocsNameWhatExists: the pages for contributors name files and folders that
// are there. "<platform>" and the like stand for any.
func TestDocsNameWhatExists(t *testing.T) {
	made := regexp.MustCompile(`count_documents|HELD`) // the examples of CONTRIBUTING.md
	for _, page := range []string{"ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md"} {
		text, err := os.ReadFile("../../" + page)
		if err != nil {
			t.Fatal(err)
		}
		names := 0
		for _, m := range regexp.MustCompile("`([.a-z][^`\\s]*/[^`\\s]*)`").FindAllStringSubmatch(string(text), -1) {
			name := regexp.MustCompile(`<\w+>`).ReplaceAllString(m[1], "*")
			if made.MatchString(name) || strings.HasSuffix(m[1], "<name>") {
				continue
			}
			names++
			if found, err := filepath.Glob("../../" + name); err != nil || len(found) == 0 {
				t.Errorf("%s names %s, which is not there", page, m[1])
			}
		}
		if names == 0 {
			t.Errorf("%s names no file", page)
		}
	}
}
