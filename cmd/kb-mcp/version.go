package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version is the release, as clients see it too.
const version = "0.1.0"

// versionCmd is "kb-mcp version".
type versionCmd struct{}

func (c *versionCmd) command(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print version, commit and Go version.", Args: cobra.NoArgs,
		Run: a.does(c.run),
	}
}

// flag gives root the flag --version, which does what the command does. Cobra's
// own takes a template, with which the linker keeps every method of every type:
// 14 MB.
func (c *versionCmd) flag(a *app, root *cobra.Command) {
	wanted := root.Flags().Bool("version", false, "print version, commit and Go version")
	serve := root.Run
	root.Run = func(cmd *cobra.Command, args []string) {
		if *wanted {
			a.failed = c.run(a)
			return
		}
		serve(cmd, args)
	}
}

// run prints one line.
func (*versionCmd) run(a *app) error {
	_, err := fmt.Fprintln(a.stdout, versionLine())
	return err
}

// versionLine is what "version" and --version print.
func versionLine() string {
	return fmt.Sprintf("kb-mcp %s, commit %s, %s", version, commit(), runtime.Version())
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
