package connection

import "strings"

// form is how one platform writes its ids.
type form struct {
	platform, name string
	words          string // "ids of Coze are ..."
	is             func(id string) bool
	// any says that the platform also has ids that people choose.
	any bool
}

// forms are the platforms' ids as they are known from their answers.
func forms() []form {
	return []form{
		{"coze", "Coze", "numbers of up to 19 digits", isNumber, false},
		{"dify", "Dify", "UUIDs with dashes", isUUID, false},
		{"ragflow", "RAGFlow", "32 hexadecimal digits without dashes", isHex, false},
		{"volcengine", "Volcengine", "kb-..., or a knowledge base's name", isResource, true},
	}
}

// Foreign tells an id that is in the form of another platform's ids and cannot
// be one of v's: it names that platform, also as people write it, and says what
// ids of v are. document says that it is a document's id. Everything else is
// left to the platform to judge.
func (v *Connection) Foreign(id string, document bool) (platform, name, want string, foreign bool) {
	var own form
	for _, f := range forms() {
		if f.platform == v.platform {
			own = f
		}
	}
	if id == "" || own.is == nil || own.is(id) || own.any && (document || chosen(id)) {
		return "", "", "", false
	}
	for _, f := range forms() {
		if f.is(id) {
			return f.platform, f.name, own.words, true
		}
	}
	return "", "", "", false
}

// isNumber reports an id of Coze as it is issued: 16 to 19 digits. Shorter
// numbers have no form.
func isNumber(id string) bool {
	return len(id) >= 16 && len(id) <= 19 && strings.Trim(id, "0123456789") == ""
}

const hexDigits = "0123456789abcdefABCDEF"

func isHex(id string) bool { return len(id) == 32 && strings.Trim(id, hexDigits) == "" }

func isUUID(id string) bool {
	parts := strings.Split(id, "-")
	if len(id) != 36 || len(parts) != 5 {
		return false
	}
	for i, n := range []int{8, 4, 4, 4, 12} {
		if len(parts[i]) != n || strings.Trim(parts[i], hexDigits) != "" {
			return false
		}
	}
	return true
}

// isResource reports a resource id of Volcengine, or a document id that it made
// up.
func isResource(id string) bool {
	if strings.HasPrefix(id, "_sys_auto_gen_doc_id-") {
		return true
	}
	rest, ok := strings.CutPrefix(id, "kb-")
	return ok && len(rest) >= 8 && strings.Trim(rest, "0123456789abcdefghijklmnopqrstuvwxyz-") == ""
}

// chosen reports what can be a knowledge base's name on Volcengine: letters,
// digits and underscores after a letter.
func chosen(id string) bool {
	first := id[0] | 0x20
	return first >= 'a' && first <= 'z' && !strings.Contains(id, "-")
}
