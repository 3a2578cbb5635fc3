package tools

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"kb-mcp/vendors"
)

// roots are the folders in which the server may read files to upload and write
// downloads. They are opened through os.Root, so that no ".." and no link leads
// out of them.
type roots []string

// find gives the root that holds path, and the path inside it. A relative path
// is taken in the first root.
func (r roots) find(path string) (root, inside string, err error) {
	if len(r) == 0 {
		return "", "", vendors.Errorf(vendors.PermissionDenied, "This server may not read or write files.").
			WithHint("Its owner can allow folders with KB_MCP_UPLOAD_ROOTS; or pass the content as `text`.")
	}
	if !filepath.IsAbs(path) {
		return r[0], path, nil
	}
	for _, root := range r {
		if rel, err := filepath.Rel(root, filepath.Clean(path)); err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
			return root, rel, nil
		}
	}
	return "", "", r.outside()
}

func (r roots) outside() error {
	return vendors.Errorf(vendors.PermissionDenied, "`path` is not in a folder that this server may use.").
		WithHint("Allowed folders: " + strings.Join(r, ", ") + ".")
}

// file gives a file to upload. It is opened anew for every try.
func (r roots) file(path string) (vendors.File, error) {
	root, inside, err := r.find(path)
	if err != nil {
		return vendors.File{}, err
	}
	dir, err := os.OpenRoot(root)
	if err != nil {
		return vendors.File{}, r.refused(err)
	}
	defer dir.Close()
	info, err := dir.Stat(inside) // before opening: opening a pipe would wait for its writer
	switch {
	case err != nil:
		return vendors.File{}, r.refused(err)
	case !info.Mode().IsRegular():
		return vendors.File{}, invalid("`path` is not a file.")
	case info.Size() == 0:
		return vendors.File{}, invalid("`path` is an empty file.")
	}
	f, err := dir.Open(inside)
	if err != nil {
		return vendors.File{}, r.refused(err)
	}
	defer f.Close()
	return vendors.File{Size: info.Size(), Open: func() (io.ReadCloser, error) { return os.OpenInRoot(root, inside) }}, nil
}

// refused says why a path could not be opened, without the system's view of it.
func (r roots) refused(err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return invalid("`path` does not exist.").WithHint("Allowed folders: " + strings.Join(r, ", ") + ".")
	case errors.Is(err, fs.ErrExist):
		return vendors.Errorf(vendors.Conflict, "`path` exists already.").WithHint("Choose a name that is free; nothing is overwritten.")
	case errors.Is(err, fs.ErrPermission):
		return vendors.Errorf(vendors.PermissionDenied, "The server may not open `path`.")
	}
	return r.outside()
}

// create makes a new file under a root, never over an existing one. done ends
// it, and removes it unless it is to be kept.
func (r roots) create(path string) (f *os.File, done func(keep bool) error, err error) {
	root, inside, err := r.find(path)
	if err != nil {
		return nil, nil, err
	}
	dir, err := os.OpenRoot(root)
	if err != nil {
		return nil, nil, r.refused(err)
	}
	f, err = dir.OpenFile(inside, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		dir.Close()
		return nil, nil, r.refused(err)
	}
	return f, func(keep bool) error {
		defer dir.Close()
		err := f.Close()
		if err == nil && keep {
			return nil
		}
		return errors.Join(err, dir.Remove(inside))
	}, nil
}
