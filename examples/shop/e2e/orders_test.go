package e2e

import (
	"net/http"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = Describe("orders", func() {
	It("are made once for one idempotency key", func(ctx SpecContext) {
		header := http.Header{"Idempotency-Key": {unique("key")}}
		body := object{"customer": "grace", "country": "FR", "lines": []line{{"book-tea", 1}}}
		first := api.send(ctx, http.MethodPost, "/orders", header, body)
		second := api.send(ctx, http.MethodPost, "/orders", header, body)
		first.expect(http.StatusCreated, http.StatusOK)
		Expect(second.code).To(Equal(http.StatusOK), second.text())
		Expect(second.header.Get("Location")).To(Equal(first.header.Get("Location")))
	})

	It("are listed by customer and status", func(ctx SpecContext) {
		customer := unique("customer")
		placed := place(ctx, customer, "DE", line{"tea-green", 1})
		place(ctx, unique("customer"), "DE", line{"tea-green", 1})

		found := decode[[]order](api.get(ctx, "/orders?status=placed&customer="+customer))
		Expect(found).To(HaveLen(1))
		Expect(found[0].ID).To(Equal(placed.ID))
		Expect(decode[[]order](api.get(ctx, "/orders?status=shipped&customer="+customer))).To(BeEmpty())
		Expect(api.get(ctx, "/orders?status=eaten").code).To(Equal(http.StatusBadRequest))
	})

	It("hold the stock until they are cancelled", func(ctx SpecContext) {
		sku := stocked(ctx, product{Name: "Chess set", PriceCents: 4500, WeightGrams: 1800, Stock: 5})
		placed := place(ctx, "magnus", "AT", line{sku, 4})
		Expect(stock(ctx, sku)).To(Equal(1))

		answer := api.post(ctx, "/orders", object{"customer": "judit", "country": "AT", "lines": []line{{sku, 2}}})
		Expect(answer.code).To(Equal(http.StatusConflict))
		Expect(answer.text()).To(ContainSubstring("out of stock"))

		api.post(ctx, "/orders/"+placed.ID+"/cancel", nil).expect(http.StatusOK, http.StatusConflict)
		Expect(stock(ctx, sku)).To(Equal(5))
		Expect(api.post(ctx, "/orders/"+placed.ID+"/cancel", nil).code).To(Equal(http.StatusConflict))
	})

	DescribeTable("are refused",
		func(ctx SpecContext, body any, code int) {
			answer := api.post(ctx, "/orders", body)
			Expect(answer.code).To(Equal(code), answer.text())
		},
		Entry("without a customer", object{"country": "DE", "lines": []line{{"lamp", 1}}}, http.StatusBadRequest),
		Entry("without a country", object{"customer": "ada", "lines": []line{{"lamp", 1}}}, http.StatusBadRequest),
		Entry("of nothing", object{"customer": "ada", "country": "DE", "lines": []line{{"lamp", 0}}}, http.StatusBadRequest),
		Entry("out of stock", object{"customer": "ada", "country": "DE", "lines": []line{{"lamp", 1}}}, http.StatusConflict),
		Entry("cut short", `{"customer": "ada", `, http.StatusBadRequest),
	)

	DescribeTable("stay unpaid",
		func(ctx SpecContext, card string, code int) {
			placed := place(ctx, "ada", "DE", line{"tea-green", 1})
			Expect(pay(ctx, placed.ID, card).code).To(Equal(code))
			Expect(find(ctx, placed.ID).Status).To(Equal("placed"))
		},
		Entry("with a declined card", declinedCard, http.StatusPaymentRequired),
		Entry("with a wrong check digit", "4242424242424241", http.StatusBadRequest),
		Entry("with a short number", "42", http.StatusBadRequest),
	)

	It("that nobody placed are unknown", func(ctx SpecContext) {
		Expect(api.get(ctx, "/orders/none").code).To(Equal(http.StatusNotFound))
		Expect(pay(ctx, "none", goodCard).code).To(Equal(http.StatusNotFound))
	})
})
