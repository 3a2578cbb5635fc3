package coze

import (
	"context"

	"kb-mcp/vendors"
)

// Diagnose implements [vendors.Doctor]. The free plan counts every call, so the
// dialect is what the answers before have shown, and only a JWT app, whose
// signatures carry the time, costs a request: one that the plan does not count,
// because its path does not support GET.
func (d *Driver) Diagnose(ctx context.Context) []vendors.Finding {
	f := vendors.Finding{Check: "dialect", Status: vendors.Healthy}
	switch d.dialect.is() {
	case hosted:
		f.Message = "Hosted Coze (coze.cn or coze.com)."
	case studio:
		f.Message = "A coze-studio server."
	default:
		f.Status, f.Message = vendors.Doubtful, "The answers do not show whether this is hosted Coze or coze-studio."
		f.Hint = "Set COZE_DIALECT to hosted or studio, and check that COZE_API_BASE is the root of the API."
	}
	if d.dialect.mismatch() {
		f.Status, f.Message = vendors.Broken, "COZE_DIALECT names another server than the one that answers: pages and ids would be wrong."
		f.Hint = "Set COZE_DIALECT to studio for a coze-studio server and to hosted for coze.cn and coze.com, or leave it out."
	}
	list := append([]vendors.Finding{f}, d.spaceFinding(ctx)...)
	if d.tokens == nil {
		return list
	}
	return append(list, d.tokens.Clock(ctx, d.now())...)
}

// spaceFinding checks the space on studio, which answers the same for a missing
// space as for an empty one, and even makes knowledge bases there.
func (d *Driver) spaceFinding(ctx context.Context) []vendors.Finding {
	if !d.studio() || d.space == "" {
		return nil
	}
	r, err := d.datasets(ctx, d.space, 1, 1, "")
	if err != nil || len(r.List) > 0 || r.Total.Int > 0 {
		return nil
	}
	return []vendors.Finding{{
		Check: "space", Status: vendors.Doubtful, Message: "The space of COZE_SPACE_ID shows no knowledge base; a coze-studio server answers the same for a space that does not exist.",
		Hint: "Compare COZE_SPACE_ID with the number after /space/ in the address of the space's page, before anything is created in it.",
	}}
}
