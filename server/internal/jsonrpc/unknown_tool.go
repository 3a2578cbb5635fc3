package jsonrpc

import (
	"bytes"
	"encoding/json"
	"regexp"

	"github.com/mark3labs/mcp-go/mcp"
)

// missingTool is how mcp-go answers a call of a tool that is not there.
var missingTool = regexp.MustCompile(`^tool '(.*)' not found: tool not found$`)

// helpful adds to the error of a tool that is not there which one was meant: the
// error stays one of the protocol. Every other answer stays as it is.
func helpful(text []byte, unknown func(name string) string) []byte {
	if unknown == nil || !bytes.Contains(text, []byte("' not found: tool not found")) {
		return text
	}
	var m struct {
		JSONRPC string          `json:"jsonrpc"`
		ID      json.RawMessage `json:"id"`
		Error   *struct {
			Code    int    `json:"code"`
			Message string `json:"message"`
		} `json:"error"`
	}
	if json.Unmarshal(text, &m) != nil || m.Error == nil || m.Error.Code != mcp.INVALID_PARAMS {
		return text
	}
	found := missingTool.FindStringSubmatch(m.Error.Message)
	if found == nil {
		return text
	}
	m.Error.Message = "tool not found: " + unknown(found[1])
	better, err := json.Marshal(m)
	if err != nil {
		return text
	}
	if bytes.HasSuffix(text, []byte("\n")) {
		better = append(better, '\n')
	}
	return better
}
