package several

import (
	"sync"

	"kb-mcp/vendors/connection"
)

// AtOnce asks connections at the same time, and waits for all. A panic is the
// error of its connection.
func AtOnce(list []*connection.Connection, ask func(i int, c *connection.Connection) error) []error {
	errs := make([]error, len(list))
	var wg sync.WaitGroup
	for i, c := range list {
		wg.Go(func() { errs[i] = connection.Recovered(func() error { return ask(i, c) }) })
	}
	wg.Wait()
	return errs
}
