//go:build !linux

package ort

// trim does nothing: other C libraries return memory by themselves.
func trim() {}
