// Package files reads files to upload and writes downloads, in the folders that the
// owner allows and nowhere else.
package files

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"kb-mcp/vendors"
)

// Roots are the folders in which the server may read files to upload and write
// downloads. They are opened through os.Root, so that no ".." and no link leads
// out of them.
type Roots []string

// find gives the root that holds path, and the path inside it. A relative path
// is taken in the first root.
func (r Roots) find(path string) (root, inside string, err error) {
	if len(r) == 0 {
		return "", "", vendors.Errorf(vendors.PermissionDenied, "This server may not read or write files.").
			WithHint("Its owner can allow folders with KB_MCP_UPLOAD_ROOTS; or pass the content as `text`.")
	}
	if path, err = local(path); err != nil {
		return "", "", err
	}
	if !filepath.IsAbs(path) {
		return r[0], path, nil
	}
	for _, root := range r {
		if rel, ok := below(root, filepath.Clean(path)); ok {
			return root, rel, nil
		}
	}
	return "", "", r.outside()
}

// below gives path as seen from root, when it lies there. The way to the root
// may be written in another form of Unicode, as a name may.
func below(root, path string) (string, bool) {
	rel, err := filepath.Rel(root, path)
	if err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
		return rel, true
	}
	want := alike(filepath.Clean(root))
	parts := strings.Split(path, string(filepath.Separator))
	for i := range parts {
		if alike(strings.Join(parts[:i+1], string(filepath.Separator))) == want {
			return filepath.Join(append([]string{"."}, parts[i+1:]...)...), true
		}
	}
	return "", false
}

func (r Roots) outside() error {
	return vendors.Errorf(vendors.PermissionDenied, "`path` is not in a folder that this server may use.").
		WithHint("Allowed folders: " + strings.Join(r, ", ") + ".")
}

// File gives a file to upload, and its name. It is opened again for every try.
func (r Roots) File(path string) (vendors.File, string, error) {
	root, inside, err := r.find(path)
	if err != nil {
		return vendors.File{}, "", err
	}
	dir, err := os.OpenRoot(root)
	if err != nil {
		return vendors.File{}, "", r.refused(err)
	}
	defer dir.Close()
	inside, near := resolve(dir, inside)
	f, size, err := openFile(dir, inside)
	if err != nil {
		return vendors.File{}, "", r.refused(missing(err, near))
	}
	f.Close()
	if size == 0 {
		return vendors.File{}, "", vendors.Errorf(vendors.InvalidArgument, "`path` is an empty file.")
	}
	open := func() (io.ReadCloser, error) {
		dir, err := os.OpenRoot(root)
		if err != nil {
			return nil, r.refused(err)
		}
		defer dir.Close()
		f, _, err := openFile(dir, inside)
		if err != nil {
			return nil, r.refused(err)
		}
		return f, nil
	}
	return vendors.File{Size: size, Open: open}, alike(filepath.Base(inside)), nil
}

// openFile opens a regular file for reading. What a name stands for may change
// at any time, so that the opened file is judged, not the name; and opening
// does not wait, as it would for the writer of a pipe.
func openFile(dir *os.Root, inside string) (*os.File, int64, error) {
	f, err := dir.OpenFile(inside, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, 0, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = vendors.Errorf(vendors.InvalidArgument, "`path` is not a file.")
	}
	if err != nil {
		f.Close()
		return nil, 0, err
	}
	return f, info.Size(), nil
}

// refused says why a path could not be opened, without the system's view of it.
func (r Roots) refused(err error) error {
	var known *vendors.Error
	switch {
	case errors.As(err, &known):
		return known
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		return vendors.Errorf(vendors.InvalidArgument, "`path` does not exist.").WithHint("Allowed folders: " + strings.Join(r, ", ") + ".")
	case errors.Is(err, fs.ErrExist):
		return vendors.Errorf(vendors.Conflict, "`path` exists already.").WithHint("Choose a name that is free; nothing is overwritten.")
	case errors.Is(err, fs.ErrPermission):
		return vendors.Errorf(vendors.PermissionDenied, "The server may not open `path`.")
	case errors.Is(err, syscall.EROFS):
		return vendors.Errorf(vendors.PermissionDenied, "The server may not write into the folder of `path`.")
	case errors.Is(err, syscall.ENXIO): // a socket
		return vendors.Errorf(vendors.InvalidArgument, "`path` is not a file.")
	case errors.Is(err, syscall.ENAMETOOLONG):
		return vendors.Errorf(vendors.InvalidArgument, "`path` is longer than this machine allows.")
	}
	return r.outside()
}
