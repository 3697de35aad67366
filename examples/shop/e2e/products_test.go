package e2e

import (
	"net/http"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = Describe("products", func() {
	DescribeTable("are found by what a customer asks for",
		func(ctx SpecContext, query, expected string) {
			found := decode[[]product](api.get(ctx, "/products?"+query))
			skus := make([]string, 0, len(found))
			for _, product := range found {
				skus = append(skus, product.SKU)
			}
			Expect(strings.Join(skus, " ")).To(Equal(expected))
		},
		Entry("by tag", "tag=tea", "book-tea tea-green tea-pot"),
		Entry("cheapest first", "tag=tea&sort=price", "tea-green book-tea tea-pot"),
		Entry("dearest first", "tag=book&sort=-price", "book-go book-tea"),
		Entry("by name, up to a price", "tag=tea&sort=name&max_price_cents=3000", "tea-green book-tea"),
		Entry("only what is in stock", "tag=home&in_stock=true", ""),
	)

	DescribeTable("are not found by nonsense",
		func(ctx SpecContext, path string, code int) {
			Expect(api.get(ctx, path).code).To(Equal(code))
		},
		Entry("unknown sort order", "/products?sort=colour", http.StatusBadRequest),
		Entry("price that is no number", "/products?max_price_cents=cheap", http.StatusBadRequest),
		Entry("unknown product", "/products/unicorn", http.StatusNotFound),
		Entry("unknown path", "/basket", http.StatusNotFound),
	)

	It("are created, changed and shown", func(ctx SpecContext) {
		path := "/products/" + unique("cup")
		cup := product{Name: "Cup", PriceCents: 700, WeightGrams: 250, Stock: 3}
		api.send(ctx, http.MethodPut, path, nil, cup).expect(http.StatusCreated, http.StatusOK)
		cup.PriceCents = 650
		Expect(api.send(ctx, http.MethodPut, path, nil, cup).code).To(Equal(http.StatusOK))
		Expect(decode[product](api.get(ctx, path)).PriceCents).To(Equal(650))
	})

	DescribeTable("are refused when they make no sense",
		func(ctx SpecContext, body any, message string) {
			answer := api.send(ctx, http.MethodPut, "/products/"+unique("odd"), nil, body)
			Expect(answer.code).To(Equal(http.StatusBadRequest))
			Expect(answer.text()).To(ContainSubstring(message))
		},
		Entry("without a price", product{Name: "Gift"}, "price_cents must be positive"),
		Entry("about another product", product{SKU: "lamp", Name: "Lamp", PriceCents: 1}, "the body is about lamp"),
		Entry("with unknown fields", object{"colour": "red"}, "unknown field"),
	)
})
