package tools

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// TestReadmeListsTheTools holds the README's tables against the tools.
// KB_UPDATE=1 rewrites them.
func TestReadmeListsTheTools(t *testing.T) {
	const path = "../README.md"
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var reading, writing strings.Builder
	for _, it := range (&Set{}).all() {
		table := &writing
		if it.effect == reads {
			table = &reading
		}
		fmt.Fprintf(table, "| `%s` | %s |\n", it.name, it.brief)
	}
	text := string(b)
	text = retabled(t, text, "| tool | answers |\n|---|---|\n", reading.String())
	text = retabled(t, text, "| tool | does |\n|---|---|\n", writing.String())
	switch {
	case text == string(b):
	case os.Getenv("KB_UPDATE") != "":
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	default:
		t.Error("the README's tables of tools are not those of the code: KB_UPDATE=1 go test ./tools")
	}
}

// retabled is text with other rows in the table under a head.
func retabled(t *testing.T, text, head, rows string) string {
	t.Helper()
	before, rest, ok := strings.Cut(text, head)
	_, after, end := strings.Cut(rest, "\n\n")
	if !ok || !end {
		t.Fatalf("no table with the head %q", head)
	}
	return before + head + rows + "\n" + after
}
