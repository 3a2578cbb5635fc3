package jsonrpc

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"

	"github.com/mark3labs/mcp-go/mcp"
)

// missingTool is how mcp-go answers a call of a tool that is not there.
var missingTool = regexp.MustCompile(`^tool '(.*)' not found: tool not found$`)

// helpful mends errors of the protocol: one of a tool that is not there says
// which was meant, and what a handler of a prompt calls [mcp.ErrInvalidParams]
// has its code. Every other answer stays as it is.
func helpful(text []byte, unknown func(name string) string) []byte {
	if !bytes.Contains(text, []byte("' not found: tool not found")) && !bytes.Contains(text, []byte(`"message":"`+mcp.ErrInvalidParams.Error()+": ")) {
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
	if json.Unmarshal(text, &m) != nil || m.Error == nil {
		return text
	}
	found := missingTool.FindStringSubmatch(m.Error.Message)
	switch {
	case found != nil && m.Error.Code == mcp.INVALID_PARAMS && unknown != nil:
		m.Error.Message = "tool not found: " + unknown(found[1])
	case m.Error.Code == mcp.INTERNAL_ERROR && strings.HasPrefix(m.Error.Message, mcp.ErrInvalidParams.Error()+": "):
		m.Error.Code = mcp.INVALID_PARAMS
	default:
		return text
	}
	better, err := json.Marshal(m)
	if err != nil {
		return text
	}
	if bytes.HasSuffix(text, []byte("\n")) {
		better = append(better, '\n')
	}
	return better
}
