// Package shutdown tells when the service is to end.
package shutdown
