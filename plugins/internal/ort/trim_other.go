//go:build !linux

package ort

// trim does nothing: other C libraries give memory back by themselves.
func trim() {}
