package e2e

import (
	"net/http"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = Describe("operation", func() {
	It("reports health and readiness", func(ctx SpecContext) {
		for _, service := range []*service{api, worker} {
			Expect(service.get(ctx, "/healthz").code).To(Equal(http.StatusOK), service.name)
			Expect(service.get(ctx, "/readyz").code).To(Equal(http.StatusOK), service.name)
		}
	})

	It("counts what was shipped", func(ctx SpecContext) {
		before := decode[struct {
			Revenue int `json:"revenue_cents"`
		}](api.get(ctx, "/stats"))
		Expect(processed(ctx, buy(ctx, "ada", "DE", line{"tea-green", 1}).ID).Status).To(Equal("shipped"))
		after := decode[struct {
			Revenue int            `json:"revenue_cents"`
			Orders  map[string]int `json:"orders"`
		}](api.get(ctx, "/stats"))
		Expect(after.Revenue).To(BeNumerically(">=", before.Revenue+890+490))
		Expect(after.Orders["shipped"]).To(BeNumerically(">=", 1))
	})

	// With several workers behind one address, any of them may have done the work.
	It("lets a worker tell what it has done", func(ctx SpecContext) {
		counts := decode[map[string]int](worker.get(ctx, "/stats"))
		Expect(counts).To(And(HaveKey("shipped"), HaveKey("rejected"), HaveKey("lost")))
	})
})
