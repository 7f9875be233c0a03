package ort

/*
#include <stddef.h>
// glibc's; weak, so that it links against any C library.
extern int malloc_trim(size_t) __attribute__((weak));
static void trim(void) { if (malloc_trim) malloc_trim(0); }
*/
import "C"

// trim returns memory that the C library keeps for later to the system.
func trim() { C.trim() }
