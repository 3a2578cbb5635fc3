package server

import (
	_ "embed"
	"fmt"
	"strings"
)

// instructionsText is what a host shows its model before any tool.
//
//go:embed instructions.md
var instructionsText string

// Hosts cut instructions at 2 KB, which is no place for hundreds of connections.
const (
	maxInstructions = 1900 // characters
	maxConnections  = 200  // characters of their names
)

// instructions name the connections, unless they are too many.
func instructions(connections []string) string {
	text := ""
	if len(connections) > 0 {
		text = "Connections: " + strings.Join(connections, ", ") + "."
	}
	if len(text) > maxConnections {
		text = fmt.Sprintf("There are %d connections, which `list_vendors` names.", len(connections))
	}
	return strings.Replace(strings.TrimSpace(instructionsText)+"\n", "{connections}", text, 1)
}
