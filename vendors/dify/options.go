package dify

import (
	"context"
	"encoding/json"
	"io"
	"slices"
	"strings"

	"kb-mcp/vendors"
	"kb-mcp/vendors/rest"
)

// options say how to ingest a document. A text needs the technique every time
// (1.12.1 calls it a missing field, 1.8.1 an invalid null), even if the
// knowledge base has one: that one stays, whatever is sent.
type options struct {
	Technique string `json:"indexing_technique"`
	Form      string `json:"doc_form,omitempty"`
	Rule      *rule  `json:"process_rule,omitempty"`
}

// rule says how to split a document.
type rule struct {
	Mode  string          `json:"mode"` // automatic, custom or hierarchical
	Rules json.RawMessage `json:"rules,omitempty"`
}

const (
	hierarchical     = "hierarchical"
	hierarchicalForm = "hierarchical_model"
	plainForm        = "text_model"
)

// parentChild is the rule that the Dify console proposes for a parent-child
// knowledge base.
const parentChild = `{"pre_processing_rules":[{"id":"remove_extra_spaces","enabled":true},{"id":"remove_urls_emails","enabled":false}],` +
	`"segmentation":{"separator":"\n\n","max_tokens":1024},"parent_mode":"paragraph",` +
	`"subchunk_segmentation":{"separator":"\n","max_tokens":512}}`

// automatic returns the rule that leaves splitting to Dify.
func automatic() *rule { return &rule{Mode: "automatic"} }

// plan is how an upload is sent to a knowledge base.
type plan struct {
	options
	upload vendors.Upload // perhaps its text as a file
	kb     dataset
}

// plan makes the options of an upload. A knowledge base has its own rule from
// its first document on, also when it is empty again, and the server uses it
// where none is sent: in files always, in texts from 1.12 on (1.8.1 answers
// 500). Older servers get the rule of the knowledge base with the text, or the
// text as a file.
func (d *Driver) plan(ctx context.Context, u vendors.Upload, kb dataset) (p plan, err error) {
	p = plan{upload: u, kb: kb, options: options{Technique: kb.technique(), Form: string(kb.Form)}}
	switch {
	case kb.Form == hierarchicalForm && (kb.empty() || kb.pipeline()): // it has no rule, and the automatic one makes no chunks
		p.Rule = &rule{Mode: hierarchical, Rules: json.RawMessage(parentChild)}
	case kb.Technique == "":
		p.Rule = automatic()
	case u.File != nil || since(kb.version, 1, 12, 0):
	case !kb.empty():
		p.Rule, err = d.rule(ctx, string(kb.ID))
	case slices.Contains([]string{"txt", "md", "markdown"}, rest.Suffix(u.Name)) && !strings.ContainsAny(u.Name, `/\`):
		p.upload.File = &vendors.File{Size: int64(len(u.Text)), Open: func() (io.ReadCloser, error) {
			return io.NopCloser(strings.NewReader(u.Text)), nil
		}}
	default:
		p.Rule = automatic()
	}
	return p, err
}

// rule reads the rule of a knowledge base, which any of its documents shows.
func (d *Driver) rule(ctx context.Context, kb string) (*rule, error) {
	newest, err := d.documents(ctx, kb, paging(1, 1))
	if err != nil || len(newest.Data) == 0 || newest.Data[0].ID == "" {
		return automatic(), err
	}
	return d.ruleShown(ctx, kb, string(newest.Data[0].ID))
}

// ruleShown reads the rule of a knowledge base from the detail of a document.
// Servers before 1.5.1 show none.
func (d *Driver) ruleShown(ctx context.Context, kb, id string) (*rule, error) {
	out, err := get[document](ctx, d, nil, kb, "documents", id)
	switch {
	case noRoute(err), err == nil && (out.Rule.Mode == "" || out.Rule.Mode == automatic().Mode):
		return automatic(), nil
	}
	return &out.Rule, err
}

// wasParents reports whether a document became plain text in a knowledge base
// that had been parent-child.
func (d *Driver) wasParents(ctx context.Context, c created, sent plan) bool {
	if c.Document.Form != plainForm {
		return false
	}
	own, err := d.ruleShown(ctx, string(sent.kb.ID), string(c.Document.ID))
	return err == nil && own.Mode == hierarchical
}
