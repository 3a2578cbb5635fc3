package tools

import (
	"context"
)

const listVendorsDoc = `Lists the connections, which are accounts on platforms: the name that other tools take as vendor, the platform, and the tools that work there. It asks no platform and checks no credentials. Next: list_knowledge_bases.`

type listVendorsArgs struct{}

type vendorList struct {
	Vendors []vendorInfo `json:"vendors"`
}

type vendorInfo struct {
	Vendor       string   `json:"vendor"`
	Platform     string   `json:"platform"`
	Capabilities []string `json:"capabilities"`
}

func (s *Set) listVendorsTool() tool {
	return define(s, face{
		name: "list_vendors", title: "List connections", doc: listVendorsDoc,
		brief: "which connections are there, and what works on each",
		also:  []string{"list_connections", "list_platforms", "vendors", "list_providers"},
	}, s.listVendors)
}

func (s *Set) listVendors(context.Context, listVendorsArgs) (vendorList, error) {
	out := vendorList{Vendors: []vendorInfo{}}
	for _, c := range s.vendors {
		out.Vendors = append(out.Vendors, vendorInfo{Vendor: c.Name(), Platform: c.Platform(), Capabilities: capabilities(s.tools, c)})
	}
	return out, nil
}

// Connections are the connections' names, with the platform where that is another.
func (s *Set) Connections() []string {
	names := make([]string, len(s.vendors))
	for i, c := range s.vendors {
		if names[i] = c.Name(); c.Name() != c.Platform() {
			names[i] += " (" + c.Platform() + ")"
		}
	}
	return names
}
