package orders

import (
	"context"
	"fmt"
	"time"

	"example.com/shop/internal/catalog"
	"example.com/shop/internal/collections"
	"example.com/shop/internal/fulfilment"
	"example.com/shop/internal/money"
	"example.com/shop/internal/payment"
	"example.com/shop/internal/pricing"
	"example.com/shop/internal/queue"
)

type Service struct {
	products *catalog.Catalog
	rules    []pricing.Rule
	jobs     *queue.Queue[fulfilment.Job]
	store    *store
	now      func() time.Time
}

func NewService(products *catalog.Catalog, rules []pricing.Rule, jobs *queue.Queue[fulfilment.Job]) *Service {
	return &Service{products: products, rules: rules, jobs: jobs, store: newStore(), now: time.Now}
}

func (s *Service) Quote(lines []Line, coupon string) (pricing.Quote, error) {
	if err := validateLines(lines); err != nil {
		return pricing.Quote{}, err
	}
	priced := make([]pricing.Line, 0, len(lines))
	for _, line := range lines {
		product, err := s.products.Find(line.SKU)
		if err != nil {
			return pricing.Quote{}, err
		}
		priced = append(priced, pricing.Line{Product: product, Quantity: line.Quantity})
	}
	return pricing.NewQuote(priced, coupon, s.rules...)
}

// Place answers a repeated key with the order it already made, so that a caller may try again after a lost answer.
func (s *Service) Place(request Request, key string) (order Order, created bool, err error) {
	if key != "" {
		if order, repeated := s.store.repeated(key); repeated {
			return order, false, nil
		}
	}
	if err := request.Validate(); err != nil {
		return Order{}, false, err
	}
	quote, err := s.Quote(request.Lines, request.Coupon)
	if err != nil {
		return Order{}, false, err
	}
	now := s.now()
	order = Order{
		Customer: request.Customer,
		Country:  request.Country,
		Lines:    request.Lines,
		Quote:    quote,
		Status:   Placed,
		Placed:   now,
		Changed:  now,
	}
	if err := s.products.Reserve(order.quantities()); err != nil {
		return Order{}, false, err
	}
	added, created := s.store.add(order, key)
	if !created {
		// The same request came twice at the same time, and the other one was faster.
		s.products.Restore(order.quantities())
	}
	return added, created, nil
}

func (s *Service) Pay(id string, card payment.Card) (Order, error) {
	if err := card.Validate(); err != nil {
		return Order{}, err
	}
	return s.store.update(id, func(order *Order) error {
		if err := order.become(Paid, s.now()); err != nil {
			return err
		}
		if err := card.Charge(order.Quote.Total); err != nil {
			return err
		}
		if err := s.jobs.Push(order.ID, order.job(s.products)); err != nil {
			return fmt.Errorf("passing on %s: %w", order.ID, err)
		}
		return nil
	})
}

func (s *Service) Cancel(id string) (Order, error) {
	order, err := s.store.update(id, func(order *Order) error { return order.become(Cancelled, s.now()) })
	if err == nil {
		s.products.Restore(order.quantities())
	}
	return order, err
}

func (s *Service) Claim(ctx context.Context) (fulfilment.Delivery, error) {
	delivery, err := s.jobs.Pull(ctx)
	return fulfilment.Delivery{ID: delivery.ID, Attempt: delivery.Attempt, Job: delivery.Value}, err
}

func (s *Service) Settle(jobID string, result fulfilment.Result) (Order, error) {
	job, err := s.jobs.Done(jobID)
	if err != nil {
		return Order{}, fmt.Errorf("job %s: %w", jobID, err)
	}
	next := Rejected
	if result.Shipped {
		next = Shipped
	}
	order, err := s.store.update(job.OrderID, func(order *Order) error {
		order.Reason, order.Tracking, order.Parcels = result.Reason, result.Tracking, result.Parcels
		return order.become(next, s.now())
	})
	if err == nil && next == Rejected {
		s.products.Restore(order.quantities())
	}
	return order, err
}

func (s *Service) Find(id string) (Order, error) {
	return s.store.find(id)
}

func (s *Service) List(filters ...func(Order) bool) []Order {
	return s.store.list(func(order Order) bool {
		for _, keep := range filters {
			if !keep(order) {
				return false
			}
		}
		return true
	})
}

func WithStatus(status Status) func(Order) bool {
	return func(order Order) bool { return order.Status == status }
}

func OfCustomer(customer string) func(Order) bool {
	return func(order Order) bool { return order.Customer == customer }
}

type Statistics struct {
	Orders  map[Status]int `json:"orders"`
	Revenue money.Cents    `json:"revenue_cents"`
	Waiting int            `json:"jobs_waiting"`
	Leased  int            `json:"jobs_leased"`
}

func (s *Service) Statistics() Statistics {
	all := s.List()
	waiting, leased := s.jobs.Lengths()
	return Statistics{
		Orders: collections.CountBy(all, func(order Order) Status { return order.Status }),
		Revenue: collections.Sum(collections.Filter(all, WithStatus(Shipped)), func(order Order) money.Cents {
			return order.Quote.Total
		}),
		Waiting: waiting,
		Leased:  leased,
	}
}
