package files

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"kb-mcp/nearest"
	"kb-mcp/vendors"
	"kb-mcp/vendors/visible"
)

// A model writes a path as it reads it: with composed letters and plain spaces.
// On the disk the name may have the letters taken apart (files from a Mac), or
// a narrow space (names of macOS screenshots). Such a name is found when it is
// the only one of its folder that reads the same.

// local is a path without "file://" before it, as hosts hand it over.
func local(path string) (string, error) {
	if len(path) < 5 || !strings.EqualFold(path[:5], "file:") {
		return path, nil
	}
	rest := path[5:]
	if host, ok := strings.CutPrefix(rest, "//"); ok {
		at := strings.IndexByte(host, '/')
		if at < 0 || at > 0 && !strings.EqualFold(host[:at], "localhost") {
			rest = ""
		} else {
			rest = host[at:]
		}
	}
	if !strings.HasPrefix(rest, "/") {
		return "", vendors.Errorf(vendors.InvalidArgument, "`path` is not the address of a file on this machine.").
			WithHint("Give the path alone, or file:///folder/name.")
	}
	if plain, err := url.PathUnescape(rest); err == nil { // else there is a bare % in a name
		rest = plain
	}
	if runtime.GOOS == "windows" && len(rest) > 2 && rest[2] == ':' { // file:///C:/a
		rest = rest[1:]
	}
	return filepath.FromSlash(rest), nil
}

// alike is a name in the form in which names that read the same are the same.
func alike(name string) string {
	name = norm.NFC.String(name)
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Zs, r) {
			return ' '
		}
		return r
	}, name)
}

// maxNames bounds how many names of a folder are looked at.
const maxNames = 20_000

// resolve is the path inside dir that is there and reads the same as given. When
// there is none it is given, with the names that come near.
func resolve(dir *os.Root, given string) (inside string, near []string) {
	if _, err := dir.Lstat(given); err == nil || !errors.Is(err, fs.ErrNotExist) {
		return given, nil
	}
	inside = "."
	for part := range strings.SplitSeq(filepath.Clean(given), string(filepath.Separator)) {
		next := filepath.Join(inside, part)
		if _, err := dir.Lstat(next); !errors.Is(err, fs.ErrNotExist) {
			inside = next // there, or for the opening to refuse
			continue
		}
		names := namesIn(dir, inside)
		var same []string
		for _, name := range names {
			if alike(name) == alike(part) {
				same = append(same, name)
			}
		}
		if len(same) != 1 {
			return given, closest(part, inside, names, same)
		}
		inside = filepath.Join(inside, same[0])
	}
	return inside, nil
}

// namesIn are the names in a folder, as far as they are looked at.
func namesIn(dir *os.Root, folder string) []string {
	f, err := dir.Open(folder)
	if err != nil {
		return nil
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.IsDir() {
		return nil
	}
	names, _ := f.Readdirnames(maxNames) // what could be read
	slices.Sort(names)
	return names
}

// maxNear is how many names an error tells.
const maxNear = 5

// closest are the names of a folder that a missing one may have meant: those
// that read the same when there are several, else those that share its
// beginning, else the nearest.
func closest(part, folder string, names, same []string) (list []string) {
	if len(same) == 0 {
		want := strings.ToLower(alike(part))
		stem := strings.TrimSuffix(want, filepath.Ext(want))
		for _, name := range names {
			have := strings.ToLower(alike(name))
			if !strings.HasPrefix(name, ".") && stem != "" && (have == want || strings.Contains(have, stem) || strings.HasPrefix(want, strings.TrimSuffix(have, filepath.Ext(have)))) {
				same = append(same, name)
			}
		}
	}
	if name := nearest.Of(part, names); len(same) == 0 && name != "" && !strings.HasPrefix(name, ".") {
		same = []string{name}
	}
	for _, name := range same[:min(len(same), maxNear)] {
		list = append(list, filepath.Join(folder, name))
	}
	return list
}

// missing adds the names that come near to the error of a path that is not
// there.
func missing(err error, near []string) error {
	if len(near) == 0 || !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return vendors.Errorf(vendors.InvalidArgument, "`path` does not exist.").WithHint(nearby(near))
}

// nearby tells names; "" for none.
func nearby(names []string) string {
	if len(names) == 0 {
		return ""
	}
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = fmt.Sprintf("%q", visible.Short(name))
	}
	return "Near it there are: " + strings.Join(quoted, ", ") + "."
}
