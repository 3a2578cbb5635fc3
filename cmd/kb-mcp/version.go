package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// version is the release, as clients see it too.
const version = "0.1.0"

// versionCmd is "kb-mcp version".
type versionCmd struct{}

// Run prints one line.
func (versionCmd) Run(a *app) error {
	_, err := fmt.Fprintf(a.stdout, "kb-mcp %s, commit %s, %s\n", version, commit(), runtime.Version())
	return err
}

// commit is the revision the binary was built from, as far as Go recorded it.
func commit() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	revision, dirty := "unknown", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			revision = s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			dirty = " (with changes)"
		}
	}
	return revision + dirty
}
