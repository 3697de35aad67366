// Package fulfilment turns a paid order into parcels. The API writes its jobs and the worker does them.
package fulfilment

type Item struct {
	SKU         string `json:"sku"`
	Quantity    int    `json:"quantity"`
	WeightGrams int    `json:"weight_grams"`
}

type Job struct {
	OrderID string `json:"order_id"`
	Country string `json:"country"`
	Items   []Item `json:"items"`
}

type Result struct {
	Shipped  bool   `json:"shipped"`
	Tracking string `json:"tracking,omitempty"`
	Parcels  int    `json:"parcels,omitempty"`
	Reason   string `json:"reason,omitempty"`
}

// A Delivery is a job on its way to one worker; the attempt tells a repeated one.
type Delivery struct {
	ID      string `json:"id"`
	Attempt int    `json:"attempt"`
	Job     Job    `json:"job"`
}
