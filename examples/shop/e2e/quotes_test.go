package e2e

import (
	"net/http"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = Describe("quotes", func() {
	DescribeTable("follow the price list",
		func(ctx SpecContext, coupon string, lines []line, shipping, total int) {
			answer := api.post(ctx, "/quotes", object{"coupon": coupon, "lines": lines})
			Expect(answer.code).To(Equal(http.StatusOK), answer.text())
			got := decode[quote](answer)
			Expect([]int{got.Shipping, got.Total}).To(Equal([]int{shipping, total}), answer.text())
		},
		Entry("plain", "", []line{{"tea-green", 1}}, 490, 890+490),
		Entry("ten or more are cheaper", "", []line{{"tea-green", 10}}, 490, 8900-445+490),
		Entry("the third book is free", "", []line{{"book-go", 2}, {"book-tea", 1}}, 490, 2*3990+490),
		Entry("heavy things cost more to send", "", []line{{"anvil", 1}}, 1990, 24900+1990),
		Entry("dear things are sent for nothing", "", []line{{"tea-pot", 2}}, 0, 13800),
		Entry("with a coupon in per cent", "save10", []line{{"tea-pot", 1}}, 490, 6210+490),
		Entry("with a coupon for shipping", "FREESHIP", []line{{"tea-green", 1}}, 0, 890),
	)

	DescribeTable("are refused",
		func(ctx SpecContext, body any, code int) {
			Expect(api.post(ctx, "/quotes", body).code).To(Equal(code))
		},
		Entry("unknown coupon", object{"coupon": "GIMME", "lines": []line{{"lamp", 1}}}, http.StatusUnprocessableEntity),
		Entry("order too small for the coupon", object{"coupon": "MINUS5", "lines": []line{{"tea-green", 1}}}, http.StatusUnprocessableEntity),
		Entry("unknown product", object{"lines": []line{{"unicorn", 1}}}, http.StatusNotFound),
		Entry("no lines", object{}, http.StatusBadRequest),
		Entry("no JSON", "two teas, please", http.StatusBadRequest),
	)
})
