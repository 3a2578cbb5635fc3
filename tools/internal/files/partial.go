package files

import (
	"cmp"
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"kb-mcp/vendors"
)

// Partial is a file on its way into a root: under a name of its own, in the folder
// where it belongs, until it is whole. What ends before (a failure, a panic, the
// end of the process) never leaves a file that looks whole.
type Partial struct {
	*os.File
	dir         *os.Root
	temp, final string
	roots       Roots
}

// Create begins a file, which never replaces an existing one. Its caller calls
// Discard at the end in any case.
func (r Roots) Create(path string) (*Partial, error) {
	root, inside, err := r.find(path)
	if err != nil {
		return nil, err
	}
	dir, err := os.OpenRoot(root)
	if err != nil {
		return nil, r.refused(err)
	}
	folder, near := resolve(dir, filepath.Dir(inside))
	final, _ := resolve(dir, filepath.Join(folder, filepath.Base(inside)))
	if _, err := dir.Lstat(final); err == nil {
		dir.Close()
		return nil, r.refused(fs.ErrExist)
	}
	temp := filepath.Join(folder, ".kb-mcp-"+rand.Text()+".part")
	f, err := dir.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		dir.Close()
		if errors.Is(err, fs.ErrNotExist) {
			return nil, vendors.Errorf(vendors.InvalidArgument, "The folder of `path` does not exist.").WithHint(cmp.Or(nearby(near), "Give a folder that is there."))
		}
		return nil, r.refused(err)
	}
	return &Partial{File: f, dir: dir, temp: temp, final: final, roots: r}, nil
}

// Keep gives the file its name.
func (d *Partial) Keep() error {
	if err := d.Close(); err != nil {
		return err
	}
	err := d.dir.Link(d.temp, d.final) // unlike a rename, it replaces nothing
	if err != nil && !errors.Is(err, fs.ErrExist) {
		// Not every file system has links.
		if _, there := d.dir.Lstat(d.final); there == nil {
			err = fs.ErrExist
		} else {
			err = d.dir.Rename(d.temp, d.final)
		}
	}
	if err != nil {
		return d.roots.refused(err)
	}
	return nil
}

// Discard removes what is left under the file's own name, and closes what is
// open.
func (d *Partial) Discard() {
	d.Close()
	d.dir.Remove(d.temp)
	d.dir.Close()
}
