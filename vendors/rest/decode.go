package rest

import (
	"errors"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	jsonv1 "github.com/go-json-experiment/json/v1"

	"kb-mcp/vendors"
)

// Unmarshal decodes a body. malformed is the error for a body that is not JSON;
// mistyped is the one for JSON of another form than v's, all of whose other
// members are decoded: the envelope's code may explain it. JSON beyond all
// bounds, or with far more rows than the call asked for, is malformed. Names of
// members are matched exactly.
func Unmarshal(a Answer, v any) (malformed, mistyped *vendors.Error) {
	if !withinBounds(a.Body) {
		return errOutOfBounds(), nil
	}
	reserve(v, a.rows)
	err := json.Unmarshal(a.Body, v, lenient)
	var form *json.SemanticError
	if errors.As(err, &form) { // once more: this time past members of a wrong type
		err = json.Unmarshal(a.Body, v, lenient, jsonv1.ReportErrorsWithLegacySemantics(true))
	}
	var wrong *jsonv1.UnmarshalTypeError
	if err != nil && !errors.As(err, &wrong) {
		return NotJSON(a, err), nil
	}
	if rows := unreserve(v); a.rows > 0 && rows > max(moreRows*a.rows, fewRows) {
		return errOutOfBounds(), nil
	}
	if err != nil {
		return nil, NotJSON(a, err)
	}
	return nil, nil
}

// lenient accepts the last of several equal names, and texts that a platform
// has cut inside a character.
var lenient = json.JoinOptions(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
