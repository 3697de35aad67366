package e2e

import (
	"cmp"
	"net/http"
	"os"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

const (
	startTime   = 30 * time.Second
	processTime = 30 * time.Second
	interval    = 50 * time.Millisecond
)

var api, worker *service

func TestShop(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "shop")
}

var _ = BeforeSuite(func(ctx SpecContext) {
	api = connect("SHOP_API_URL", "api", "8080")
	worker = connect("SHOP_WORKER_URL", "worker", "8081")
	for _, service := range []*service{api, worker} {
		Eventually(func(g Gomega) {
			answer, err := service.try(ctx, http.MethodGet, "/readyz", nil, nil)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(answer.code).To(Equal(http.StatusOK), answer.text())
		}).WithContext(ctx).WithTimeout(startTime).WithPolling(interval).Should(Succeed(), "%s is not ready", service.name)
	}
})

// connect prefers an address it is given, then the namespace, then this machine.
func connect(variable, name, port string) *service {
	namespace := os.Getenv("SHOP_NAMESPACE")
	address := os.Getenv(variable)
	if address != "" || namespace == "" {
		return &service{name: name, way: fixed(cmp.Or(address, "http://127.0.0.1:"+port))}
	}
	forward := &portForward{namespace: namespace, service: name, port: port}
	DeferCleanup(forward.stop)
	return &service{name: name, way: forward}
}
