package dify

import (
	"sync"
)

// tag is a tag and the knowledge bases that have it.
type tag struct {
	id, name string
	bases    []string
}

// registry is what the face keeps beside the store. It is safe for concurrent use.
type registry struct {
	mu   sync.Mutex
	made int
	tags []tag
}

// next is a number that nothing else of the face has.
func (d *registry) next() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.made++
	return d.made
}
