// Package ginkgo asks servers for work of several kinds, each spec so often as is written there.
//
// A spec whose counts have to be exact waits until those of the spec before it are kept.
package ginkgo

import (
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"

	"example.com/suite/ask"
)

func TestServers(t *testing.T) { RunSpecs(t, "servers") }

// From some moment on, this is known to be the suite.
var _ = BeforeSuite(askUntilRead)

func askUntilRead() {
	started := time.Now()
	ask.Until(GinkgoTB(), "the servers were read", func() bool {
		ask.Work(GinkgoTB(), "a", 1)
		return ask.ReadSince(started)
	})
}

var _ = Describe("servers", func() {
	work := func(kind string, times int) { ask.Work(GinkgoTB(), kind, times) }
	untilKept := func(spec string) { ask.UntilKept(GinkgoTB(), spec) }

	It("do one kind of work", func() {
		askUntilRead()
		work("a", 20)
	})

	It("do two kinds of work", func() {
		untilKept("servers-do-one-kind-of-work")
		work("b", 3)
		work("c", 2)
	})

	When("there is something to prepare", func() {
		BeforeEach(func() {
			untilKept("servers-do-two-kinds-of-work")
			work("p", 4)
		})
		It("do that as well", func() { work("c", 5) })
	})

	DescribeTable("with entries", func(times int) {
		untilKept("servers-when-there-is-something-to-prepare-do-that-as-well")
		work("q", times)
	}, Entry("of six", 6))

	It("are left alone", func() {
		untilKept("servers-with-entries-of-six")
		Skip("nothing is asked of them")
	})
	PIt("are not ready for this", func() { work("x", 1) })
})
