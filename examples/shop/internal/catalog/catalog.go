package catalog

import (
	"errors"
	"fmt"
	"sync"
)

var (
	ErrUnknownProduct = errors.New("unknown product")
	ErrOutOfStock     = errors.New("out of stock")
)

type Catalog struct {
	mutex    sync.RWMutex
	products map[string]Product
}

func New(products ...Product) *Catalog {
	catalog := &Catalog{products: make(map[string]Product, len(products))}
	for _, product := range products {
		catalog.products[product.SKU] = product
	}
	return catalog
}

func (c *Catalog) Put(product Product) (created bool) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	_, known := c.products[product.SKU]
	c.products[product.SKU] = product
	return !known
}

func (c *Catalog) Find(sku string) (Product, error) {
	c.mutex.RLock()
	defer c.mutex.RUnlock()
	product, known := c.products[sku]
	if !known {
		return Product{}, fmt.Errorf("%w: %s", ErrUnknownProduct, sku)
	}
	return product, nil
}

// Reserve takes all quantities or none: half an order is of use to nobody.
func (c *Catalog) Reserve(quantities map[string]int) error {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	for sku, quantity := range quantities {
		product, known := c.products[sku]
		if !known {
			return fmt.Errorf("%w: %s", ErrUnknownProduct, sku)
		}
		if product.Stock < quantity {
			return fmt.Errorf("%w: %d of %s wanted, %d left", ErrOutOfStock, quantity, sku, product.Stock)
		}
	}
	c.add(quantities, -1)
	return nil
}

func (c *Catalog) Restore(quantities map[string]int) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.add(quantities, 1)
}

func (c *Catalog) add(quantities map[string]int, sign int) {
	for sku, quantity := range quantities {
		product, known := c.products[sku]
		if !known {
			continue
		}
		product.Stock += sign * quantity
		c.products[sku] = product
	}
}
