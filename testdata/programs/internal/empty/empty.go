// Package empty has no functions: it is in the meta-data, with nothing to cover.
package empty

// Limit is all there is.
const Limit = 7
