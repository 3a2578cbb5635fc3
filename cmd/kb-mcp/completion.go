package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"kb-mcp/nearest"
)

// shells are those for which cobra writes a script.
func shells() []string { return []string{"bash", "zsh", "fish", "powershell"} }

// completionCommand is "kb-mcp completion".
func (a *app) completionCommand() *cobra.Command {
	shell := ""
	cmd := &cobra.Command{
		Use: "completion SHELL", Short: "Print a script that completes commands in bash, zsh, fish or powershell.",
		Example: `  source <(kb-mcp completion bash)
  kb-mcp completion zsh > "${fpath[1]}/_kb-mcp"
  kb-mcp completion fish | source`,
		ValidArgs: shells(),
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return fmt.Errorf("completion takes one of %s", strings.Join(shells(), ", "))
			}
			if shell = args[0]; !nearest.Is(shell, shells()) {
				return fmt.Errorf("completion knows %s, not %q", strings.Join(shells(), ", "), shell)
			}
			return nil
		},
	}
	cmd.Run = a.does(func(context.Context) error { return a.complete(cmd.Root(), shell) })
	return cmd
}

// complete prints the script of a shell.
func (a *app) complete(root *cobra.Command, shell string) error {
	switch strings.ToLower(shell) {
	case "bash":
		return root.GenBashCompletionV2(a.stdout, true)
	case "zsh":
		return root.GenZshCompletion(a.stdout)
	case "fish":
		return root.GenFishCompletion(a.stdout, true)
	}
	return root.GenPowerShellCompletionWithDesc(a.stdout)
}

// otherCommands are names that people try first.
var otherCommands = map[string][]string{
	"http":   {"serve", "server", "listen", "sse", "web"},
	"stdio":  {"start", "run", "mcp"},
	"tools":  {"list", "ls", "tool"},
	"doctor": {"check", "test", "diagnose", "status", "health", "config"},
	"demo":   {"tour", "try"},
	"watch":  {"wait", "progress", "tail"},
}

// suggestion returns the command or flag that a misspelt one probably means.
func suggestion(root *cobra.Command, args []string) string {
	cmd := root
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		var names []string
		for _, c := range root.Commands() {
			names = append(names, c.Name())
			if c.Name() == args[0] {
				cmd = c
			}
		}
		if cmd == root {
			return meantCommand(args[0], names)
		}
	}
	var flags []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { flags = append(flags, f.Name) })
	for _, arg := range args {
		name, _, _ := strings.Cut(strings.TrimPrefix(arg, "--"), "=")
		if near := nearest.Of(name, flags); strings.HasPrefix(arg, "--") && cmd.Flags().Lookup(name) == nil && near != "" {
			return "; did you mean --" + near + "?"
		}
	}
	return ""
}

func meantCommand(given string, names []string) string {
	near := nearest.Of(given, names)
	for _, name := range names {
		if near == "" && nearest.Of(given, otherCommands[name]) != "" {
			near = name
		}
	}
	if near == "" {
		return ""
	}
	return "; did you mean " + near + "?"
}
