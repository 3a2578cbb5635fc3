package connection

import "kb-mcp/vendors"

// Recognize tells the connection how its platform and others write ids.
func (c *Connection) Recognize(own vendors.IDForm, all []vendors.IDForm) *Connection {
	c.ids, c.forms = own, all
	return c
}

// Foreign tells an id that is in the form of another platform's ids and cannot
// be one of c's: of is that platform, and want says what ids of c are. document
// says that it is a document's id.
func (c *Connection) Foreign(id string, document bool) (of vendors.IDForm, want string, foreign bool) {
	of, foreign = c.ids.Foreign(c.forms, id, document)
	return of, c.ids.Words, foreign
}
