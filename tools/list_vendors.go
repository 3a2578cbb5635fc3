package tools

import (
	"context"
	"slices"
)

const listVendorsDoc = `Lists the connections of this server: accounts on knowledge base platforms (Coze, Dify, RAGFlow, Volcengine). Returns for each its name, which every other tool takes as ` + "`vendor`" + `, its platform, and the tools that work on it. Call it first, once; it makes no request to a platform and does not check credentials. Next: list_knowledge_bases.`

type listVendorsArgs struct{}

type vendorList struct {
	Vendors []vendorInfo `json:"vendors"`
}

type vendorInfo struct {
	Vendor       string   `json:"vendor"`
	Platform     string   `json:"platform"`
	Capabilities []string `json:"capabilities"`
}

func (s *Set) listVendors(context.Context, listVendorsArgs) (vendorList, error) {
	out := vendorList{Vendors: []vendorInfo{}}
	here := s.Names()
	for _, v := range s.vendors {
		can := slices.DeleteFunc(v.Capabilities(), func(tool string) bool { return !slices.Contains(here, tool) })
		out.Vendors = append(out.Vendors, vendorInfo{Vendor: v.Name(), Platform: v.Platform(), Capabilities: can})
	}
	return out, nil
}
