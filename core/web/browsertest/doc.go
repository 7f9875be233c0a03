// Package browsertest drives the public listener with a real Chromium: every
// page and state, with scripts and without, with cookies or storage blocked,
// offline, on plain HTTP and on small screens. Only the pipeline behind it is a
// stand-in, so that results come when a test says so.
package browsertest
