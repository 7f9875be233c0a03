//go:build !js

// Package clib is libheif with libde265, libavif with libaom, and libwebp, as
// WebAssembly modules that run in a sandbox. README.md says where they come from.
package clib

import (
	_ "embed"

	"bgremover.pro/core/sandbox"
)

//go:embed heif/heif.wasm.gz
var heif []byte

//go:embed avif/avif.wasm.gz
var avif []byte

//go:embed webp/webp.wasm.gz
var webp []byte

// The programs, each compiled at its first use.
var (
	HEIF = sandbox.New(heif)
	AVIF = sandbox.New(avif)
	WebP = sandbox.New(webp)
)
