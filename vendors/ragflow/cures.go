package ragflow

import "kb-mcp/vendors/rest"

// cures are what to do about a failed document: the first row of which a text
// fits, as [rest.Words] compares them. RAGFlow has no failure codes; the
// texts are those of its worker (rag/svr/task_executor.py) and of the libraries
// and model services whose words it passes on.
var cures = []struct {
	texts []string
	hint  string
}{
	{[]string{"encrypted", "password"},
		"The file is protected by a password: upload a copy without one."},
	{[]string{"in this build", "requires cgo"},
		"This RAGFlow server was built without a parser for this type: upload the file as txt or md, or have the server's operator use a build that has it."},
	{[]string{"file size exceeds", "too large"},
		"The file is larger than RAGFlow's worker takes: split it and upload the parts."},
	{[]string{"fail to bind embedding model", "embedding error", "lookuperror*model", "model*not authorized", "model*not found"},
		"The embedding model did not do its work: its owner should check it in RAGFlow's web app under model providers; then call start_ingestion again."},
	{[]string{"insert chunk error", "elasticsearch", "infinity", "opensearch"},
		"RAGFlow's search engine did not take the chunks: its operator should check that it runs and has room; then call start_ingestion again."},
	{[]string{"can not find file", "minio", "nosuchkey"},
		"RAGFlow's file store did not give the file: call start_ingestion again; if it stays, delete the document and upload it again."},
	{[]string{"no chunk", "no text", "empty data"},
		"RAGFlow found nothing to read in the file: check that it holds text (a scan needs OCR), then upload it again."},
	{[]string{"rate limit", "too many requests", "quota", "insufficient balance"},
		"A model service refused because of its limits: wait or have its quota raised, then call start_ingestion again."},
	{[]string{"out of memory", "memoryerror"},
		"RAGFlow's worker ran out of memory: split the file and upload the parts, or have the worker given more."},
	{[]string{"gives no reason"},
		"Call start_ingestion again; if it fails again, RAGFlow's own log says more."},
	{[]string{"timeout", "timed out", "connection", "unavailable"},
		"A service that RAGFlow uses did not answer: call start_ingestion again later."},
	{[]string{"while chunking", "damaged", "corrupt", "not a zip file", "codec can't decode"},
		"RAGFlow could not read the file: open it yourself to see that it is whole and of the type its name says, then upload it again."},
}

// usualCure is what to do when the reason is none of the known ones.
const usualCure = "Correct what the message names, then call start_ingestion again; RAGFlow's own log says more."

func cure(message string) string {
	words := rest.WordsOf(message)
	for _, c := range cures {
		if words.HaveAny(c.texts...) {
			return c.hint
		}
	}
	return usualCure
}
