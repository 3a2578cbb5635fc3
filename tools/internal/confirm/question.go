package confirm

import (
	"errors"
	"strconv"
	"strings"

	"github.com/mark3labs/mcp-go/mcp"

	"kb-mcp/elicit"
	"kb-mcp/vendors"
)

// field is the one field of the form, and the name of the one question.
const field = "confirm"

// Question is what a person is asked. Its texts are shown as they are.
type Question struct {
	Message string // what would be deleted
	Title   string // what is to be typed
	Want    string // and that itself
}

// params is the question as a form.
func (q Question) params() mcp.ElicitationParams {
	return mcp.ElicitationParams{
		Message: q.Message,
		RequestedSchema: map[string]any{
			"type":       "object",
			"properties": map[string]any{field: map[string]any{"type": "string", "title": q.Title, "description": "To delete, type: " + q.Want}},
			"required":   []string{field},
		},
	}
}

// Why an answer is not a yes.
var (
	errDeclined = errors.New("the person has declined it")
	errClosed   = errors.New("the person has closed the question")
	errWords    = errors.New("what was typed is not what was asked for")
	errNoAnswer = errors.New("the client has sent no usable answer")
	errSilence  = errors.New("nobody has answered in time")
)

// judge returns nil if an answer is a yes.
func judge(answer *mcp.ElicitationResult, want string) error {
	if answer == nil {
		return refuse(errNoAnswer)
	}
	switch answer.Action {
	case mcp.ElicitationResponseActionDecline:
		return refuse(errDeclined)
	case mcp.ElicitationResponseActionCancel:
		return refuse(errClosed)
	case mcp.ElicitationResponseActionAccept:
		if typed(answer.Content) == want && want != "" {
			return nil
		}
		return refuse(errWords)
	}
	return refuse(errNoAnswer)
}

// typed is what stands in the form; some clients make a number of digits.
func typed(content any) string {
	form, _ := content.(map[string]any)
	switch v := form[field].(type) {
	case string:
		return strings.TrimSpace(v)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return ""
}

// refuse makes the error of a call that was not confirmed.
func refuse(why error) error {
	hint := "Call again without a confirmation, and the person is asked anew."
	switch why {
	case errDeclined, errClosed:
		hint = "Do not call again unless the user wants it after all."
	case errWords, errSilence, errNoAnswer, elicit.ErrRefused, elicit.ErrNotOffered:
		hint = "Tell the user what is to be deleted; when they want it, call again, and the person is asked once more."
	case elicit.ErrTooMany:
		hint = "Wait until the open questions are answered, then call again."
	}
	e := vendors.Errorf(vendors.Conflict, "Nothing was deleted: %s.", why).WithHint(hint)
	e.Err = why
	return e
}
