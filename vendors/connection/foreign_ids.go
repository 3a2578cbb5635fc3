package connection

import "kb-mcp/vendors"

// Recognize sets how this platform and all platforms write their ids.
func (c *Connection) Recognize(own vendors.IDForm, all []vendors.IDForm) *Connection {
	c.ids, c.forms = own, all
	return c
}

// Foreign reports whether an id has the form of another platform's ids and
// cannot be one of c's. of is that platform, and want describes the ids of c.
// document says that it is a document's id.
func (c *Connection) Foreign(id string, document bool) (of vendors.IDForm, want string, foreign bool) {
	of, foreign = c.ids.Foreign(c.forms, id, document)
	return of, c.ids.Words, foreign
}
