package dify

import (
	"net/http"
	"slices"
	"time"

	"kb-mcp/vendors"
	"kb-mcp/vendors/rest"
)

const (
	providers   = "in the Dify console under Settings, Model Provider"
	uploadAgain = " Then upload it again under the same name, which replaces this document."
)

// dependencies are failures behind Dify's API: of a model provider, a service,
// the plan. Dify passes the texts of its libraries and of those services on, as
// the reason of a document's failure, and as a 400 invalid_param to a search or
// a read.
var dependencies = []rest.Rule{
	{Texts: []string{"plugin daemon", "plugindaemon"}, Kind: vendors.Unavailable,
		Message: "Dify cannot reach its plugin daemon, which holds the model providers.",
		Hint:    "Try again in a minute; if that does not help, the server's operator must look at the plugin_daemon container of Dify."},
	{Statuses: []int{400, 403}, Texts: []string{"vector space", "number of documents has reached", "upgrade to a paid plan", "upgrade your plan"}, Kind: vendors.QuotaExhausted,
		Message: "The plan of the Dify workspace is used up.",
		Hint:    "The workspace's owner must upgrade its plan or make room in it."},
	{Texts: []string{"rate limit", "ratelimit", "too many requests"}, Kind: vendors.RateLimited, After: 30 * time.Second, // mostly per minute
		Message: "The model provider that Dify uses limits its requests.",
		Hint:    "Wait a minute; if it happens often, the owner of the Dify workspace must have the provider's limit raised."},
	{Texts: []string{"quota", "insufficient", "arrears", "account balance", "billing"}, Kind: vendors.QuotaExhausted,
		Message: "The model provider's quota in Dify is used up.",
		Hint:    "The owner of the Dify workspace must renew the model provider's quota or set another provider, " + providers + "."},
	{Texts: []string{"provider*does not exist", "provider*not found", "plugin*not found", "plugin*not installed"}, Kind: vendors.Conflict,
		Message: "The model provider that this knowledge base needs is not installed in Dify.",
		Hint:    "The owner of the Dify workspace must install and configure that model provider, " + providers + ", or choose another embedding model for the knowledge base."},
	{Texts: []string{"default model not found", "no embedding model available"}, Kind: vendors.Conflict,
		Message: "The Dify workspace has no default model of the kind that this needs.",
		Hint:    "The owner of the Dify workspace must set a default embedding model, " + providers + ", System Model Settings."},
	{Texts: []string{"model credentials", "incorrect*credentials", "invalid*credentials", "credentials*invalid", "credentials*not initialized",
		"api key", "apikey", "unauthorized", "authentication", "model currently not support", "model*does not exist", "model*not exist", "model*not found", "embedding model", "not initialized"},
		Kind:    vendors.Conflict,
		Message: "The embedding model of this knowledge base does not work in Dify.",
		Hint:    "The owner of the Dify workspace must correct the model provider's key or the knowledge base's embedding model, " + providers + "."},
	{Texts: []string{"timeout", "timed out", "connection", "temporarily unavailable"}, Kind: vendors.Unavailable,
		Message: "Dify lost the connection to a service it needs (model provider, vector store).",
		Hint:    "Wait some minutes; if that does not help, the server's operator must look at that service."},
}

// dependencyRules are the dependencies as refusals of calls.
func dependencyRules() []rest.Rule {
	rules := slices.Clone(dependencies)
	for i := range rules {
		if rules[i].Statuses == nil {
			rules[i].Statuses = []int{http.StatusBadRequest}
		}
	}
	return rules
}

// files are faults of a document's file, which only its failure reports.
var files = []rest.Rule{
	{Texts: []string{"unsupported file type", "file type not support", "unsupported file"},
		Hint: "Convert the file to one of " + plainSuffixes + " and upload that; this document can be deleted."},
	{Texts: []string{"password", "encrypted", "decrypt"},
		Hint: "The file is protected: upload a copy without a password under the same name, which replaces this document."},
	{Texts: []string{"pdfium", "data format error", "package not found at", "not a zip file", "badzipfile", "eof marker not found", "corrupt", "damaged"},
		Hint: "The file is damaged, or not of the type that its name says: open it yourself, then upload a whole copy under the same name, which replaces this document."},
	{Texts: []string{"codec", "decode", "encoding"},
		Hint: "Dify cannot read the file's characters: save it as UTF-8 and upload it again under the same name, which replaces this document."},
	{Texts: []string{"no such file", "file not found", "nosuchkey", "specified key does not exist"},
		Hint: "Dify's storage lost the file: the server's operator must check its storage." + uploadAgain},
}

// failure is why a document failed. An error beside any other status is what an
// earlier ingestion left.
func failure(s vendors.Status, text rest.Str) *vendors.Failure {
	if s != vendors.Failed {
		return nil
	}
	f := &vendors.Failure{Message: shown(string(text)), Hint: "Look at the document in the Dify console." + uploadAgain}
	if f.Message == "" {
		f.Message = "Dify does not say why."
		return f
	}
	hints := slices.Concat(dependencies, files)
	if i := rest.Find(hints, http.StatusBadRequest, "", f.Message); i >= 0 {
		retryable := hints[i].Error().Retryable()
		f.Hint, f.Retryable = hints[i].Hint, &retryable
		if i < len(dependencies) {
			f.Hint += uploadAgain
		}
	}
	return f
}
