// Package ginkgo asks servers for work of several kinds, each spec so often as is written there.
//
// A spec whose counts have to be exact waits until podcov knows that it runs.
package ginkgo

import (
	"testing"

	. "github.com/onsi/ginkgo/v2"

	"example.com/suite/ask"
)

func TestServers(t *testing.T) { RunSpecs(t, "servers") }

var _ = BeforeSuite(func() { ask.Work(GinkgoTB(), "a", 1) })

var _ = Describe("servers", func() {
	work := func(kind string, times int) { ask.Work(GinkgoTB(), kind, times) }
	untilKnown := func() { ask.UntilKnown(GinkgoTB(), CurrentSpecReport().FullText()) }

	It("do one kind of work", func() {
		untilKnown()
		work("a", 20)
	})

	It("do two kinds of work", func() {
		untilKnown()
		work("b", 3)
		work("c", 2)
	})

	When("there is something to prepare", func() {
		BeforeEach(func() {
			untilKnown()
			work("p", 4)
		})
		It("do that as well", func() { work("c", 5) })
	})

	DescribeTable("with entries", func(times int) {
		untilKnown()
		work("q", times)
	}, Entry("of six", 6))

	It("are left alone", func() {
		untilKnown()
		Skip("nothing is asked of them")
	})
	PIt("are not ready for this", func() { work("x", 1) })
})
