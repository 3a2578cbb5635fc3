package volcengine

import (
	"kb-mcp/vendors"
	"kb-mcp/vendors/rest"
)

// failure explains status.failed_code. code is ""
// when the platform gave none; failed_msg, if any, is the better message.
func failure(code, failedMsg string) *vendors.Failure {
	if code = label(code); code == "0" {
		code = ""
	}
	f := explained(code)
	f.Code = code
	if msg := rest.Text(failedMsg); msg != "" {
		f.Message = msg
	}
	return &f
}

// explained is the table of failure codes. Adding the same document again helps
// against a download that failed, and against nothing that is in the document.
func explained(code string) vendors.Failure {
	again, never := true, false
	switch code {
	case "10001":
		return vendors.Failure{Message: "The download of the document timed out.", Retryable: &again, Hint: "Add the document again."}
	case "10002":
		return vendors.Failure{Message: "The download of the document failed.", Retryable: &again, Hint: "Check that its URL can be reached without a login, then add the document again."}
	case "10003":
		return vendors.Failure{Message: "The document's URL is not valid.", Retryable: &never, Hint: "Correct the URL and add the document again."}
	case "10005":
		return vendors.Failure{Message: "The Lark document is not accessible.", Retryable: &never, Hint: "Check how the Lark document is shared and which rights the Lark app has."}
	case "30001":
		return vendors.Failure{Message: "The file is over the size limit.", Retryable: &never, Hint: "Split the file and add the parts."}
	case "35001", "40004":
		return vendors.Failure{Message: "The document has too many chunks.", Retryable: &never, Hint: "Split the document and add the parts."}
	case "35002", "36007":
		return vendors.Failure{Message: "Nothing could be parsed: the FAQ or table is empty.", Retryable: &never, Hint: "Check that the document has content in the layout that the knowledge base expects."}
	case "35004", "36005":
		return vendors.Failure{Message: "The workbook has too many sheets.", Retryable: &never, Hint: "Split the workbook and add the parts."}
	case "36003":
		return vendors.Failure{Message: "The header of the table does not match the knowledge base.", Retryable: &never, Hint: "Give the table the columns of the knowledge base."}
	case "36004":
		return vendors.Failure{Message: "The type of a cell does not match its column.", Retryable: &never, Hint: "Correct the values of the table."}
	case "36006":
		return vendors.Failure{Message: "The table has too many rows.", Retryable: &never, Hint: "Split the table and add the parts."}
	case "36008":
		return vendors.Failure{Message: "The embedded columns of a row are too long together.", Retryable: &never, Hint: "Shorten the texts, or embed fewer columns."}
	case "45002":
		return vendors.Failure{Message: "The document has too many pages.", Retryable: &never, Hint: "Split the document and add the parts."}
	case "":
		return vendors.Failure{Message: "Volcengine gave no reason for the failure.", Hint: "Contact Volcengine's support with the document id."}
	}
	return vendors.Failure{Message: "Volcengine reported failure code " + code + ".", Hint: "Contact Volcengine's support with the document id."}
}
