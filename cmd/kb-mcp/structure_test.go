package main

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What a reader can hold in mind: lines of a package and of a file, without
// tests, and of a function.
const (
	mostPackage  = 2700
	mostFile     = 400
	mostFunction = 60
)

// TestStructure keeps packages, files and functions readable.
func TestStructure(t *testing.T) {
	packages := map[string]int{}
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") && d.Name() != ".." && d.Name() != "."):
			return filepath.SkipDir
		case d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		source, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		lines := bytes.Count(source, []byte("\n"))
		if packages[filepath.Dir(path)] += lines; lines > mostFile {
			t.Errorf("%s has %d lines, at most %d", path, lines, mostFile)
		}
		functions(t, path, source)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for path, lines := range packages {
		if lines > mostPackage {
			t.Errorf("%s has %d lines, at most %d", path, lines, mostPackage)
		}
	}
}

// functions checks the functions of one file.
func functions(t *testing.T, path string, source []byte) {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, path, source, 0)
	if err != nil {
		t.Error(err)
		return
	}
	for _, d := range file.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok {
			continue
		}
		if lines := files.Position(f.End()).Line - files.Position(f.Pos()).Line + 1; lines > mostFunction {
			t.Errorf("%s: %s has %d lines, at most %d", path, f.Name.Name, lines, mostFunction)
		}
	}
}
