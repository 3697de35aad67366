package e2e

import (
	"net/http"
	"strings"
	"sync"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = Describe("fulfilment", func() {
	It("ships a paid order", func(ctx SpecContext) {
		paid := buy(ctx, "ada", "de", line{"book-go", 1}, line{"tea-pot", 2})
		shipped := processed(ctx, paid.ID)
		Expect(shipped.Status).To(Equal("shipped"), shipped.Reason)
		Expect(shipped.Parcels).To(Equal(1))
		Expect(strings.HasPrefix(shipped.Tracking, "DE")).To(BeTrue(), shipped.Tracking)
		Expect(pay(ctx, paid.ID, goodCard).code).To(Equal(http.StatusConflict))
	})

	It("uses as many parcels as the weight needs", func(ctx SpecContext) {
		paid := buy(ctx, "ada", "CH", line{"tea-pot", 20}, line{"tea-green", 3})
		Expect(processed(ctx, paid.ID).Parcels).To(Equal(3))
	})

	DescribeTable("rejects what cannot be sent, and gives the stock back",
		func(ctx SpecContext, country string, grams int, reason string) {
			sku := stocked(ctx, product{Name: "Sculpture", PriceCents: 9900, WeightGrams: grams, Stock: 2})
			paid := buy(ctx, "barbara", country, line{sku, 1})
			rejected := processed(ctx, paid.ID)
			Expect(rejected.Status).To(Equal("rejected"))
			Expect(rejected.Reason).To(ContainSubstring(reason))
			Expect(stock(ctx, sku)).To(Equal(2))
		},
		Entry("to a country that is not served", "US", 1_000, "not served"),
		Entry("in one piece that no parcel holds", "DE", 40_000, "too heavy"),
	)

	It("keeps up with many customers at once", func(ctx SpecContext) {
		customer := unique("crowd")
		var crowd sync.WaitGroup
		for range 20 {
			crowd.Add(1)
			go func() {
				defer crowd.Done()
				defer GinkgoRecover()
				buy(ctx, customer, "DE", line{"tea-green", 2})
			}()
		}
		crowd.Wait()
		Eventually(func() []order {
			return decode[[]order](api.get(ctx, "/orders?status=shipped&customer="+customer))
		}).WithContext(ctx).WithTimeout(processTime).WithPolling(interval).Should(HaveLen(20))
	})

	It("takes no result for a job that nobody has", func(ctx SpecContext) {
		answer := api.post(ctx, "/jobs/none/result", object{"shipped": true})
		Expect(answer.code).To(Equal(http.StatusConflict))
		Expect(api.post(ctx, "/jobs/claim?wait=long", nil).code).To(Equal(http.StatusBadRequest))
	})
})
