// Package store keeps records.
package store

// Store keeps the newest value of each key.
type Store struct {
	values map[string]string
}

// New makes an empty one.
func New() *Store {
	return &Store{values: map[string]string{}}
}

// Put keeps a value.
func (s *Store) Put(key, value string) {
	s.values[key] = value
}

// Len says how many there are.
func (s *Store) Len() int {
	return len(s.values)
}
