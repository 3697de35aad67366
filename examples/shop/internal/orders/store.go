package orders

import (
	"cmp"
	"fmt"
	"slices"
	"sync"
)

// The store gives out copies, so that nobody changes an order without the lock.
type store struct {
	mutex    sync.Mutex
	orders   map[string]Order
	requests map[string]string
}

func newStore() *store {
	return &store{orders: make(map[string]Order), requests: make(map[string]string)}
}

func (s *store) add(order Order, key string) (added Order, created bool) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if id, repeated := s.requests[key]; repeated {
		return s.orders[id], false
	}
	order.ID = fmt.Sprintf("order-%06d", len(s.orders)+1)
	s.orders[order.ID] = order
	if key != "" {
		s.requests[key] = order.ID
	}
	return order, true
}

func (s *store) repeated(key string) (Order, bool) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	id, repeated := s.requests[key]
	return s.orders[id], repeated
}

func (s *store) find(id string) (Order, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	order, known := s.orders[id]
	if !known {
		return Order{}, fmt.Errorf("%w: %s", ErrUnknownOrder, id)
	}
	return order, nil
}

// update keeps nothing when change fails.
func (s *store) update(id string, change func(*Order) error) (Order, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	order, known := s.orders[id]
	if !known {
		return Order{}, fmt.Errorf("%w: %s", ErrUnknownOrder, id)
	}
	if err := change(&order); err != nil {
		return Order{}, err
	}
	s.orders[id] = order
	return order, nil
}

func (s *store) list(keep func(Order) bool) []Order {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	found := make([]Order, 0, len(s.orders))
	for _, order := range s.orders {
		if keep(order) {
			found = append(found, order)
		}
	}
	slices.SortFunc(found, func(a, b Order) int { return cmp.Compare(a.ID, b.ID) })
	return found
}
