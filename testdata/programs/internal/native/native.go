// Package native calls C.
package native

/*
#include <stdlib.h>
#include <string.h>

static int weigh(const char *item) { return (int)strlen(item); }
*/
import "C"

import "unsafe"

// Weight is C's opinion.
func Weight(item string) int {
	text := C.CString(item)
	defer C.free(unsafe.Pointer(text))
	if weight := int(C.weigh(text)); weight > 0 {
		return weight
	}
	return -1
}
