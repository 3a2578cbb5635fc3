package coze

import (
	"regexp"
	"strings"

	"kb-mcp/vendors"
	"kb-mcp/vendors/rest"
)

const (
	rejected = "1000" // by content review

	gaveUp   = "失败" // studio's state words stand where a reason may
	disabled = "失效"

	noReason = "Coze could not process this document and gave no reason."
)

// failure is why a document failed, in the platform's words where it has some.
func failure(status vendors.Status, raw string, descript rest.Str) *vendors.Failure {
	if status != vendors.Failed {
		return nil
	}
	code, reason := reasonOf(descript)
	f := &vendors.Failure{Code: code, Message: reason, Hint: anotherUpload}
	switch {
	case raw == rejected:
		f.Message, f.Hint, f.Retryable = "rejected by content review", changeContent, new(bool)
		if reason != "" {
			f.Message += ": " + reason
		}
	case reason == "":
		f.Message = noReason
	case ocr.MatchString(reason):
		f.Hint = ownersOCR
	default:
		if i := rest.Find(failureHints, 0, code, reason); i >= 0 {
			f.Hint = failureHints[i].Hint
			if failureHints[i].Retry == vendors.Never {
				f.Retryable = new(bool)
			}
		}
	}
	return f
}

var ocr = regexp.MustCompile(`(?i)\bocr\b`)

// coded is how studio writes its reasons: "code=105000030 message=... stack=...".
var coded = regexp.MustCompile(`^code=([0-9]+) message=`)

// reasonOf splits studio's code off a reason, and drops the stack of its
// server's goroutine. A state word is not a reason.
func reasonOf(descript rest.Str) (code, reason string) {
	text, _, _ := strings.Cut(strings.TrimSpace(string(descript)), "stack=")
	if m := coded.FindStringSubmatch(text); m != nil {
		code, text = m[1], text[len(m[0]):]
	}
	reason = rest.Text(strings.TrimSpace(text))
	if reason == gaveUp {
		reason = ""
	}
	return code, reason
}

// What to do, and who can do it.
const (
	anotherUpload = "Upload the document again, then delete this one."
	changeContent = "Change what the review may have objected to, upload that, then delete this document."
	otherType     = "coze-studio has no parser for this type (it knows pdf, txt, md, docx, csv, json, xlsx, jpg, jpeg and png, in lower case): the same file fails again. Convert it and upload that."
	damagedFile   = "The file is damaged or protected: the same file fails again. Repair it or export it again, and upload that."
	ownersModel   = "Nothing is wrong with the document, do not delete it. Whoever runs the coze-studio server must correct its embedding model (the EMBEDDING variables of its .env, key and address included) and restart it; it retries unfinished documents by itself."
	ownersOCR     = "Nothing is wrong with the document, do not delete it. Whoever runs the coze-studio server must correct its OCR settings (the OCR variables of its .env) and restart it; it retries unfinished documents by itself."
	ownersStore   = "Nothing is wrong with the document, do not delete it. Whoever runs the coze-studio server must look at its search store (Milvus, VikingDB, OceanBase, Elasticsearch) and log; it retries unfinished documents by itself."
	ownersServer  = "The server's worker failed on this document; the document itself may be fine. Whoever runs the coze-studio server must look at its log and its Python parser; it retries unfinished documents by itself."
)

// failureHints say by studio's code and text who can do what, and whether the
// same file can ever be ingested.
var failureHints = []rest.Rule{
	{Codes: []string{"105000028"}, Hint: otherType, Retry: vendors.Never},
	{Texts: []string{"no module named", "executable file not found", "runtime error", "nil pointer", "panic"}, Hint: ownersServer},
	{Codes: []string{"105000030"}, Hint: damagedFile, Retry: vendors.Never},
	{Texts: []string{"embed failed", "embedstrings", "createembeddings", "embedding"}, Hint: ownersModel},
	{Codes: []string{"105000004"}, Hint: ownersStore},
	{Texts: []string{"milvus", "vikingdb", "elasticsearch", "search store"}, Hint: ownersStore},
}

// lasting reports whether a failure is permanent, however often studio retries.
func lasting(f *vendors.Failure) bool { return f.Retryable != nil && !*f.Retryable }
