package coze

import (
	"strings"
	"unicode/utf8"

	"kb-mcp/vendors"
)

// Instead implements [vendors.Adviser]: what neither dialect has.
func (d *Driver) Instead() map[string]string {
	return map[string]string{
		"start_ingestion":   "On Coze ingestion starts by itself after upload_document; to redo it, upload the document again and delete the old one.",
		"stop_ingestion":    "Coze cannot stop ingestion; delete_documents takes the document away.",
		"download_document": "Coze does not serve the original file; take it from where it was uploaded from.",
	}
}

// The longest names, in characters: hosted Coze's of a knowledge base, and
// studio's of everything, whose columns take no more.
const (
	mostHosted = 100
	mostStudio = 150
)

// checkBaseName refuses a knowledge base's name that the platform would.
func (d *Driver) checkBaseName(name *string) error {
	if d.speech.is() == hosted {
		return checkName(name, mostHosted)
	}
	return checkName(name, mostStudio)
}

// checkDocumentName refuses a document's name that the platform would.
func (d *Driver) checkDocumentName(name *string) error {
	if d.speech.isStudio() {
		return checkName(name, mostStudio)
	}
	return checkName(name, 0)
}

// checkName refuses a name that is blank or, with most above 0, too long.
func checkName(name *string, most int) error {
	switch {
	case name == nil:
		return nil
	case strings.TrimSpace(*name) == "":
		return vendors.Errorf(vendors.InvalidArgument, "`name` is blank.")
	case most > 0 && utf8.RuneCountInString(*name) > most:
		return vendors.Errorf(vendors.InvalidArgument, "`name` has %d characters; Coze allows %d.", utf8.RuneCountInString(*name), most)
	}
	return nil
}
