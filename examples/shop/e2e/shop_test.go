package e2e

import (
	"context"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

const (
	goodCard     = "4242 4242 4242 4242"
	declinedCard = "4000000000000002"
)

type product struct {
	SKU         string   `json:"sku,omitempty"`
	Name        string   `json:"name"`
	PriceCents  int      `json:"price_cents"`
	WeightGrams int      `json:"weight_grams"`
	Stock       int      `json:"stock"`
	Tags        []string `json:"tags,omitempty"`
}

type line struct {
	SKU      string `json:"sku"`
	Quantity int    `json:"quantity"`
}

type quote struct {
	Subtotal  int `json:"subtotal_cents"`
	Shipping  int `json:"shipping_cents"`
	Total     int `json:"total_cents"`
	Discounts []struct {
		Name   string `json:"name"`
		Amount int    `json:"amount_cents"`
	} `json:"discounts"`
}

type order struct {
	ID       string `json:"id"`
	Customer string `json:"customer"`
	Status   string `json:"status"`
	Reason   string `json:"reason"`
	Tracking string `json:"tracking"`
	Parcels  int    `json:"parcels"`
	Quote    quote  `json:"quote"`
}

type object map[string]any

var number atomic.Int64

// unique lets the suite run again and again against the same shop, whose memory it cannot clear.
func unique(prefix string) string {
	return fmt.Sprintf("%s-%d-%d-%x", prefix, GinkgoParallelProcess(), number.Add(1), time.Now().UnixNano())
}

func place(ctx context.Context, customer, country string, lines ...line) order {
	GinkgoHelper()
	placed := api.send(ctx, http.MethodPost, "/orders", http.Header{"Idempotency-Key": {unique("key")}},
		object{"customer": customer, "country": country, "lines": lines})
	placed.expect(http.StatusCreated, http.StatusOK)
	return decode[order](placed)
}

func pay(ctx context.Context, id, card string) answer {
	GinkgoHelper()
	return api.post(ctx, "/orders/"+id+"/payment", object{"number": card})
}

func buy(ctx context.Context, customer, country string, lines ...line) order {
	GinkgoHelper()
	placed := place(ctx, customer, country, lines...)
	pay(ctx, placed.ID, goodCard).expect(http.StatusOK, http.StatusConflict)
	return placed
}

func find(ctx context.Context, id string) order {
	GinkgoHelper()
	return decode[order](api.get(ctx, "/orders/"+id))
}

func processed(ctx context.Context, id string) order {
	GinkgoHelper()
	var last order
	Eventually(func() string {
		last = find(ctx, id)
		return last.Status
	}).WithContext(ctx).WithTimeout(processTime).WithPolling(interval).
		Should(BeElementOf("shipped", "rejected"), "no worker has taken %s", id)
	return last
}

func stock(ctx context.Context, sku string) int {
	GinkgoHelper()
	return decode[product](api.get(ctx, "/products/"+sku)).Stock
}

func stocked(ctx context.Context, made product) string {
	GinkgoHelper()
	sku := unique("sku")
	api.send(ctx, http.MethodPut, "/products/"+sku, nil, made).expect(http.StatusCreated, http.StatusOK)
	return sku
}
