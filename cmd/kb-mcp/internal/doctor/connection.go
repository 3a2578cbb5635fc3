package doctor

import (
	"cmp"
	"context"
	"fmt"
	"net/http/httptrace"
	"slices"
	"time"

	"kb-mcp/vendors"
	"kb-mcp/vendors/connection"
)

// Bounds of the check of one connection.
const (
	examineTime = 20 * time.Second
	examinedKBs = 20 // knowledge bases looked at
	triedKBs    = 3  // of them read from
)

// examine checks one connection by the calls that an agent would make first, and
// then by what its driver knows of the platform.
func examine(ctx context.Context, v *connection.Connection, proxies map[string]string) []vendors.Finding {
	ctx, cancel := context.WithTimeout(ctx, examineTime)
	defer cancel()
	route := &route{proxies: proxies}
	list, err := v.ListKnowledgeBases(httptrace.WithClientTrace(ctx, route.trace()), connection.ListQuery{Limit: examinedKBs})
	found, arrived := route.findings(err)
	if !arrived {
		return found
	}
	found = append(found, answerFindings(err)...)
	if err == nil {
		found = append(found, readable(ctx, v, list.KnowledgeBases)...)
	}
	switch vendors.KindOf(err) {
	case vendors.Unavailable, vendors.Timeout, vendors.BadResponse:
		return found // what answers there may not be the platform
	}
	return append(found, v.Diagnose(ctx)...)
}

// answerFindings returns what the outcome of the first call shows.
func answerFindings(err error) []vendors.Finding {
	answers := fine("answer", "The platform answers as it should.")
	accepted := fine("credential", "The platform accepts the credential.")
	if err == nil {
		return []vendors.Finding{answers, accepted}
	}
	r := vendors.ReportOf(err)
	switch r.Kind {
	case vendors.Unauthenticated:
		return []vendors.Finding{answers, trouble("credential", vendors.Broken, err)}
	case vendors.PermissionDenied:
		return []vendors.Finding{answers, accepted, trouble("permissions", vendors.Broken, err)}
	case vendors.ErrNotFound:
		return []vendors.Finding{answers, trouble("permissions", vendors.Broken, err)}
	case vendors.QuotaExhausted:
		return []vendors.Finding{answers, trouble("quota", vendors.Broken, err)}
	case vendors.RateLimited: // says nothing about the credential
		return []vendors.Finding{answers, trouble("rate", vendors.Doubtful, err)}
	case vendors.Unsupported:
		if r.HTTPStatus == 0 { // no request was made
			return []vendors.Finding{trouble("credential", vendors.Doubtful, err)}
		}
	}
	return []vendors.Finding{trouble("answer", vendors.Broken, err)}
}

// readable checks that documents can be read, where there is a knowledge base
// to read from. One that is closed is a warning as long as another can be read.
func readable(ctx context.Context, v *connection.Connection, kbs []vendors.KnowledgeBase) []vendors.Finding {
	if len(kbs) == 0 {
		return []vendors.Finding{{
			Check: "permissions", Status: vendors.Doubtful, Message: "The credential sees no knowledge base.",
			Hint: "Create one, or check that the credential belongs to the workspace, space or project that holds yours.",
		}}
	}
	slices.SortStableFunc(kbs, func(a, b vendors.KnowledgeBase) int { return cmp.Compare(switchedOff(a), switchedOff(b)) })
	var refused []vendors.Finding
	for _, kb := range kbs[:min(len(kbs), triedKBs)] {
		_, err := v.ListDocuments(ctx, connection.ListQuery{KnowledgeBaseID: kb.KnowledgeBaseID, Limit: 1})
		if err == nil {
			return append(refused, fine("permissions", "The credential can list knowledge bases and documents."))
		}
		switch vendors.KindOf(err) {
		case vendors.RateLimited, vendors.Timeout, vendors.Unavailable: // it answered a moment ago
			return append(refused, trouble("permissions", vendors.Doubtful, err))
		case vendors.PermissionDenied, vendors.ErrNotFound, vendors.Conflict: // may be of this one alone
			f := trouble("permissions", vendors.Doubtful, err)
			f.Message = fmt.Sprintf("The knowledge base %q cannot be read: %s", kb.Name, f.Message)
			refused = append(refused, f)
		default:
			return append(refused, trouble("permissions", vendors.Broken, err))
		}
	}
	for i := range refused {
		refused[i].Status = vendors.Broken
	}
	return refused
}

// switchedOff is the sort key that puts disabled knowledge bases last.
func switchedOff(kb vendors.KnowledgeBase) int {
	if kb.Enabled != nil && !*kb.Enabled {
		return 1
	}
	return 0
}

func fine(check, message string) vendors.Finding {
	return vendors.Finding{Check: check, Status: vendors.Healthy, Message: message}
}

// trouble describes a failed call, with the texts for an agent and the
// platform's.
func trouble(check string, status vendors.Health, err error) vendors.Finding {
	r := vendors.ReportOf(err)
	f := vendors.Finding{Check: check, Status: status, Message: r.Message, Hint: r.Hint}
	if r.VendorMessage != "" {
		f.Message += fmt.Sprintf(" The platform said: %q.", r.VendorMessage)
	}
	if r.VendorCode != "" {
		f.Message += " Code " + r.VendorCode + "."
	}
	if r.RequestID != "" {
		f.Message += " Request " + r.RequestID + "."
	}
	return f
}
