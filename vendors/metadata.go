package vendors

import "encoding/json"

// metadataDepth is how deep metadata may be nested. The JSON readers of hosts
// give up at some depth (Python's at 1,000), and with it the whole answer.
const metadataDepth = 32

// fits reports whether every reader of JSON can take a value of metadata.
func fits(v any, depth int) bool {
	switch v := v.(type) {
	case json.Number:
		_, err := v.Float64()
		return err == nil
	case map[string]any:
		for _, x := range v {
			if depth == 0 || !fits(x, depth-1) {
				return false
			}
		}
	case []any:
		for _, x := range v {
			if depth == 0 || !fits(x, depth-1) {
				return false
			}
		}
	}
	return true
}

// fitted is a copy that fits: a number that is none of a computer's is its
// text, and what is nested too deep is null.
func fitted(v any, depth int) any {
	switch v := v.(type) {
	case json.Number:
		if !fits(v, depth) {
			return v.String()
		}
	case map[string]any:
		if depth == 0 {
			return nil
		}
		m := make(map[string]any, len(v))
		for key, x := range v {
			m[key] = fitted(x, depth-1)
		}
		return m
	case []any:
		if depth == 0 {
			return nil
		}
		list := make([]any, len(v))
		for i, x := range v {
			list[i] = fitted(x, depth-1)
		}
		return list
	}
	return v
}
