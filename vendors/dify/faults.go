package dify

import (
	"strings"

	"kb-mcp/vendors"
	"kb-mcp/vendors/rest"
)

// remedy is what to do about a document's failure whose text holds one of the
// words (in lower case). Dify has no codes there; most texts are those of its
// extractors and of the model providers.
type remedy struct {
	words []string
	pass  bool // may pass by itself, so that another upload may work
	hint  string
}

const uploadAgain = " Then upload it again under the same name, which replaces this document."

// remedies is searched from the top.
func remedies() []remedy {
	return []remedy{
		{words: []string{"unsupported file type", "file type not support", "unsupported file"},
			hint: "Convert the file to one of " + plainSuffixes + ", upload that, and delete this document."},
		{words: []string{"vector space", "number of documents", "upgrade"},
			hint: "The plan of the Dify workspace is used up: delete documents or upgrade it." + uploadAgain},
		{words: []string{"quota", "insufficient", "balance", "billing"},
			hint: "The model provider's quota is used up: renew it or set another provider in Dify under Settings, Model Provider." + uploadAgain},
		{words: []string{"rate limit", "ratelimit", "too many requests", "429"}, pass: true,
			hint: "The model provider limits requests: wait some minutes." + uploadAgain},
		{words: []string{"plugin daemon", "plugindaemon"}, pass: true,
			hint: "Dify could not reach its plugin daemon: look at the plugin_daemon container." + uploadAgain},
		{words: []string{"embedding model", "default model", "credentials", "not initialized", "api key", "unauthorized", "model_currently_not_support"},
			hint: "Configure the embedding model in the Dify console under Settings, Model Provider." + uploadAgain},
		{words: []string{"timeout", "timed out", "connection"}, pass: true,
			hint: "Dify lost the connection to a service it needs (model provider, vector store): wait some minutes." + uploadAgain},
		{words: []string{"password", "encrypted", "decrypt"},
			hint: "The file is protected: upload a copy without a password under the same name, which replaces this document."},
		{words: []string{"codec", "decode", "encoding"},
			hint: "Dify cannot read the file's characters: save it as UTF-8 and upload it again under the same name, which replaces this document."},
		{words: []string{"no such file", "file not found", "does not exist", "nosuchkey"},
			hint: "Dify's storage lost the file: check the storage of the server." + uploadAgain},
	}
}

// fault is why a document failed. An error beside any other status is what an
// earlier ingestion left.
func fault(s vendors.Status, text rest.Str) *vendors.Failure {
	if s != vendors.Failed {
		return nil
	}
	f := &vendors.Failure{Message: tidy(string(text)), Hint: "Look at the document in the Dify console." + uploadAgain}
	if f.Message == "" {
		f.Message = "Dify does not say why."
		return f
	}
	lower := strings.ToLower(f.Message)
	for _, r := range remedies() {
		for _, w := range r.words {
			if strings.Contains(lower, w) {
				f.Hint, f.Retryable = r.hint, &r.pass
				return f
			}
		}
	}
	return f
}
