package main

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version is the release, as clients see it too.
const version = "0.1.0"

// versionCommand is "kb-mcp version".
func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print version, commit and Go version.", Args: cobra.NoArgs,
		Run: a.does(a.printVersion),
	}
}

// versionFlag gives root the flag --version, which does the same as the
// command. Cobra's own takes a template, with which the linker keeps every
// method of every type: 14 MB.
func (a *app) versionFlag(root *cobra.Command) {
	wanted := root.Flags().Bool("version", false, "print version, commit and Go version")
	serve, show := root.Run, a.does(a.printVersion)
	root.Run = func(cmd *cobra.Command, args []string) {
		if *wanted {
			show(cmd, args)
			return
		}
		serve(cmd, args)
	}
}

func (a *app) printVersion(context.Context) error {
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
