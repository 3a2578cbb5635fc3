// Package recent remembers values by name for a while, within a bound.
package recent

import (
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
)

// Usual bounds of a [Map].
const (
	Size = 10_000
	Age  = 10 * time.Minute
)

// Map keeps values by name. It is safe for concurrent use.
type Map[V any] struct {
	names *lru.Cache[string, entry[V]]
	age   time.Duration
}

type entry[V any] struct {
	value V
	since time.Time
}

// New makes a map of at most size names. It forgets the least recently used
// first, and every value older than age; 0 is never.
func New[V any](size int, age time.Duration) *Map[V] {
	names, err := lru.New[string, entry[V]](size)
	if err != nil {
		panic(err) // a size of 0 or less
	}
	return &Map[V]{names, age}
}

// Put remembers a value from now on.
func (m *Map[V]) Put(name string, v V) { m.names.Add(name, entry[V]{v, time.Now()}) }

// Get returns the value of a name, while it is remembered.
func (m *Map[V]) Get(name string) (v V, ok bool) {
	e, ok := m.names.Get(name)
	if !ok || m.age > 0 && time.Since(e.since) >= m.age {
		return v, false
	}
	return e.value, true
}

// Has reports whether a name is remembered.
func (m *Map[V]) Has(name string) bool {
	_, ok := m.Get(name)
	return ok
}

// Forget drops a name.
func (m *Map[V]) Forget(name string) { m.names.Remove(name) }

// Clear drops every name.
func (m *Map[V]) Clear() { m.names.Purge() }
