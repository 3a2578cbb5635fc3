package volcengine

import (
	"kb-mcp/vendors"
	"kb-mcp/vendors/rest"
)

const (
	splitDocument = "Split the document and add the parts."
	askSupport    = "Contact Volcengine's support with the document id."
)

// failureHint is what a failure code means. Adding the same document again
// helps after a failed download, not against faults of the document.
type failureHint struct {
	message, hint string
	retryable     bool
}

var failureHints = map[string]failureHint{
	"10001": {"The download of the document timed out.", "Add the document again.", true},
	"10002": {"The download of the document failed.", "Check that its URL can be reached without a login, then add the document again.", true},
	"10003": {"The document's URL is not valid.", "Correct the URL and add the document again.", false},
	"10005": {"The Lark document is not accessible.", "Check how the Lark document is shared and which rights the Lark app has.", false},
	"30001": {"The file is over the size limit.", "Split the file and add the parts.", false},
	"35001": {"The document has too many chunks.", splitDocument, false},
	"40004": {"The document has too many chunks.", splitDocument, false},
	"35002": {"Nothing could be parsed: the FAQ or table is empty.", "Check that the document has content in the layout that the knowledge base expects.", false},
	"36007": {"Nothing could be parsed: the FAQ or table is empty.", "Check that the document has content in the layout that the knowledge base expects.", false},
	"35004": {"The workbook has too many sheets.", "Split the workbook and add the parts.", false},
	"36005": {"The workbook has too many sheets.", "Split the workbook and add the parts.", false},
	"36003": {"The header of the table does not match the knowledge base.", "Give the table the columns of the knowledge base.", false},
	"36004": {"The type of a cell does not match its column.", "Correct the values of the table.", false},
	"36006": {"The table has too many rows.", "Split the table and add the parts.", false},
	"36008": {"The embedded columns of a row are too long together.", "Shorten the texts, or embed fewer columns.", false},
	"45002": {"The document has too many pages.", splitDocument, false},
}

// failure explains a document's failed_code, "" and "0" for none. The
// platform's own text, if any, is the better message.
func failure(code, text string) *vendors.Failure {
	if code = rest.Text(code); code == "0" {
		code = ""
	}
	f := &vendors.Failure{Code: code, Message: "Volcengine reported failure code " + code + ".", Hint: askSupport}
	if code == "" {
		f.Message = "Volcengine gave no reason for the failure."
	}
	if h, known := failureHints[code]; known {
		f.Message, f.Hint, f.Retryable = h.message, h.hint, &h.retryable
	}
	if text = rest.Text(text); text != "" {
		f.Message = text
	}
	return f
}
