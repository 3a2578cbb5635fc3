package connection

import "kb-mcp/vendors"

// Part is what a connection gives of a long list in one call, from a place on.
type Part[T any] struct {
	Rows []PartRow[T]
	End  string // the place where the list goes on; "" with Done
	Done bool   // nothing is behind Rows
	// Gaps are what could not be read. Short says why there are fewer rows than
	// were wanted although the list is not done; nil if neither is so.
	Gaps  []Incomplete
	Short *vendors.ErrorReport
}

// PartRow is one row of a list, and the place behind it.
type PartRow[T any] struct {
	Item  T
	After string
}
