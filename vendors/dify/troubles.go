package dify

import (
	"time"

	"kb-mcp/vendors"
	"kb-mcp/vendors/rest"
)

// trouble is something behind Dify's API that does not do its work: a model
// provider, a service, the storage, or a file that cannot be read. Dify passes
// the words of its libraries and of those services on, as the reason of a
// document's failure, and as a 400 invalid_param to a search or a read that was
// itself well formed.
type trouble struct {
	texts   []string     // as [rest.Words] compares them
	kind    vendors.Kind // of a call that is refused for it; "" where only documents fail of it
	message string       // of such a call
	pass    bool         // may pass by itself
	hint    string       // who must mend what
}

const providers = "in the Dify console under Settings, Model Provider"

// troubles is searched from the top.
var troubles = []trouble{
	{texts: []string{"unsupported file type", "file type not support", "unsupported file"},
		hint: "Convert the file to one of " + plainSuffixes + " and upload that; this document can be deleted."},
	{texts: []string{"plugin daemon", "plugindaemon"}, kind: vendors.Unavailable, pass: true,
		message: "Dify cannot reach its plugin daemon, which holds the model providers.",
		hint:    "Try again in a minute; if it stays, the server's operator must look at the plugin_daemon container of Dify."},
	{texts: []string{"vector space", "number of documents has reached", "upgrade to a paid plan", "upgrade your plan"}, kind: vendors.QuotaExhausted,
		message: "The plan of the Dify workspace is used up.",
		hint:    "The plan of the Dify workspace is used up: its owner must upgrade it, or documents be deleted."},
	{texts: []string{"rate limit", "ratelimit", "too many requests"}, kind: vendors.RateLimited, pass: true,
		message: "The model provider that Dify asks limits its requests.",
		hint:    "Wait a minute; if it comes often, the owner of the Dify workspace must have the provider's limit raised."},
	{texts: []string{"quota", "insufficient", "arrears", "account balance", "billing"}, kind: vendors.QuotaExhausted,
		message: "The model provider's quota in Dify is used up.",
		hint:    "The owner of the Dify workspace must renew the model provider's quota or set another provider, " + providers + "."},
	{texts: []string{"provider*does not exist", "provider*not found", "plugin*not found", "plugin*not installed"}, kind: vendors.Conflict,
		message: "The model provider that this knowledge base needs is not installed in Dify.",
		hint:    "The owner of the Dify workspace must install and configure that model provider, " + providers + ", or choose another embedding model for the knowledge base."},
	{texts: []string{"default model not found", "no embedding model available"}, kind: vendors.Conflict,
		message: "The Dify workspace has no default model of the kind that this needs.",
		hint:    "The owner of the Dify workspace must set a default embedding model, " + providers + ", System Model Settings."},
	{texts: []string{"model credentials", "incorrect*credentials", "invalid*credentials", "credentials*invalid", "credentials*not initialized",
		"api key", "apikey", "unauthorized", "authentication", "model currently not support", "model*does not exist", "model*not exist", "model*not found", "embedding model", "not initialized"},
		kind:    vendors.Conflict,
		message: "The embedding model of this knowledge base does not work in Dify.",
		hint:    "The owner of the Dify workspace must correct the model provider's key or the knowledge base's embedding model, " + providers + "."},
	{texts: []string{"timeout", "timed out", "connection", "temporarily unavailable"}, kind: vendors.Unavailable, pass: true,
		message: "Dify lost the connection to a service it needs (model provider, vector store).",
		hint:    "Wait some minutes; if it stays, the server's operator must look at that service."},
	{texts: []string{"password", "encrypted", "decrypt"},
		hint: "The file is protected: upload a copy without a password under the same name, which replaces this document."},
	{texts: []string{"pdfium", "data format error", "package not found at", "not a zip file", "badzipfile", "eof marker not found", "corrupt", "damaged"},
		hint: "The file is damaged, or not of the type that its name says: open it yourself, then upload a whole copy under the same name, which replaces this document."},
	{texts: []string{"codec", "decode", "encoding"},
		hint: "Dify cannot read the file's characters: save it as UTF-8 and upload it again under the same name, which replaces this document."},
	{texts: []string{"no such file", "file not found", "nosuchkey", "specified key does not exist"},
		hint: "Dify's storage lost the file: the server's operator must check its storage." + uploadAgain},
}

const uploadAgain = " Then upload it again under the same name, which replaces this document."

// troubleOf finds what a text speaks of.
func troubleOf(words rest.Words) (trouble, bool) {
	for _, t := range troubles {
		if words.HaveAny(t.texts...) {
			return t, true
		}
	}
	return trouble{}, false
}

// providerPause is how long a model provider's limit holds at least: those are
// mostly per minute.
const providerPause = 30 * time.Second

// refusal is the answer to a call that failed of the trouble.
func (t trouble) refusal() *vendors.Error {
	e := vendors.Errorf(t.kind, "%s", t.message).WithHint(t.hint)
	if t.kind == vendors.RateLimited {
		e.After = providerPause
	}
	return e
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
	if t, ok := troubleOf(rest.WordsOf(f.Message)); ok {
		f.Hint, f.Retryable = t.hint, &t.pass
		if t.kind != "" {
			f.Hint += uploadAgain
		}
	}
	return f
}
