package vendors_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"kb-mcp/vendors"
)

// judgements names every method of Status that says yes, for every status: a new
// status and a new method show here first.
var judgements = map[vendors.Status]string{
	vendors.NotStarted: "IsUnstarted NeedsAction NeedsAttention Settled Startable",
	vendors.Queued:     "NeedsAttention Waiting Working",
	vendors.Processing: "NeedsAttention Working",
	vendors.Paused:     "NeedsAction NeedsAttention Settled",
	vendors.Completed:  "IsCompleted Over Settled Startable",
	vendors.Failed:     "IsFailed NeedsAttention Settled Startable",
	vendors.Cancelled:  "IsCancelled Settled Startable",
	vendors.Deleting:   "IsLeaving Over Settled",
	vendors.NotFound:   "IsMissing Over Settled",
	vendors.Unknown:    "NeedsAttention", // never settled, never at work, never started, never guessed
}

func TestEveryStatusIsJudged(t *testing.T) {
	for _, s := range vendors.Statuses() {
		want, ok := judgements[s]
		if !ok {
			t.Errorf("%s is not judged", s)
		}
		v, yes := reflect.ValueOf(s), []string{}
		for i := range v.NumMethod() {
			if v.Method(i).Call(nil)[0].Bool() {
				yes = append(yes, v.Type().Method(i).Name)
			}
		}
		if got := strings.Join(yes, " "); got != want {
			t.Errorf("%s is %s, want %s", s, got, want)
		}
	}
}

// TestStatusesAreComplete: every constant of status.go is in Statuses.
func TestStatusesAreComplete(t *testing.T) {
	values := constants(t)
	listed := vendors.Statuses()
	for name, value := range values {
		if !slices.Contains(listed, vendors.Status(value)) {
			t.Errorf("Statuses lacks %s", name)
		}
	}
	if len(values) != len(listed) || len(listed) != len(judgements) {
		t.Errorf("%d constants, %d statuses, %d of them judged", len(values), len(listed), len(judgements))
	}
}

// constants has the value of each constant of status.go by its name.
func constants(t *testing.T) map[string]string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "status.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if ok && len(spec.Names) == 1 && len(spec.Values) == 1 {
			if text, ok := spec.Values[0].(*ast.BasicLit); ok {
				values[spec.Names[0].Name], _ = strconv.Unquote(text.Value)
			}
		}
		return true
	})
	return values
}

// drivers know the words of one platform: they may ask for one of the statuses
// that they give these. What several statuses have in common, Status says to
// them, too.
var drivers = []string{"coze", "dify", "ragflow", "volcengine"}

// TestStatusesAreJudgedByTheirMethods: outside of status.go nothing compares a
// document's status with constants, so that a new status is judged in one place.
func TestStatusesAreJudgedByTheirMethods(t *testing.T) {
	names := constants(t)
	files := 0
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		path = filepath.ToSlash(path)
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") ||
			strings.HasPrefix(path, "../vendors/sandbox/") || path == "../vendors/status.go" {
			return err
		}
		files++
		most := 0
		if slices.Contains(drivers, filepath.Base(filepath.Dir(path))) {
			most = 1
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			got := compared(n, names)
			if list, ok := n.(*ast.CompositeLit); ok && most == 0 {
				got = listed(list, names)
			}
			if len(got) > most {
				t.Errorf("%s: %s: a method of vendors.Status has to say this", set.Position(n.Pos()), strings.Join(got, ", "))
				return false
			}
			return true
		})
		return nil
	})
	if err != nil || files < 100 {
		t.Fatalf("%d files, %v", files, err)
	}
}

// listed names the status constants that a list consists of. (Keys of a map are
// what a table is about.)
func listed(list *ast.CompositeLit, names map[string]string) (found []string) {
	if array, ok := list.Type.(*ast.ArrayType); !ok || !isStatus(array.Elt) {
		return nil
	}
	for _, e := range list.Elts {
		if s, ok := e.(*ast.SelectorExpr); ok && names[s.Sel.Name] != "" {
			found = append(found, s.Sel.Name)
		}
	}
	return found
}

func isStatus(e ast.Expr) bool {
	s, ok := e.(*ast.SelectorExpr)
	return ok && s.Sel.Name == "Status"
}

// compared names the status constants that a condition or a case compares with.
func compared(n ast.Node, names map[string]string) (found []string) {
	constant := func(e ast.Expr) {
		s, ok := e.(*ast.SelectorExpr)
		if !ok {
			return
		}
		if pkg, ok := s.X.(*ast.Ident); ok && pkg.Name == "vendors" && names[s.Sel.Name] != "" {
			found = append(found, s.Sel.Name)
		}
	}
	switch n := n.(type) {
	case *ast.CaseClause:
		for _, e := range n.List {
			constant(e)
		}
	case *ast.BinaryExpr:
		ast.Inspect(n, func(inner ast.Node) bool {
			if b, ok := inner.(*ast.BinaryExpr); ok && (b.Op == token.EQL || b.Op == token.NEQ) {
				constant(b.X)
				constant(b.Y)
			}
			return true
		})
	}
	return found
}
